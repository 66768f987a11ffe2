"""Verification is on where nobody chose, off after an upgrade, and enabled in one step."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from pools.stage import SOON, Host, within

from .rows import proves
from .stage import Gui, World, frozen, good, gui, uuid_of, xe

pytestmark = pytest.mark.needs("openssl")

FLAG = "tls-verification-enabled ( RO): {}\n"


def flag(world: World, name: str) -> str:
    pool = good(world[name], "pool-list", "--minimal").strip()
    return good(
        world[name], "pool-param-get", f"uuid={pool}", "param-name=tls-verification-enabled"
    )


@proves(24, 38, 39)
def test_a_fresh_host_verifies(world: World) -> None:
    for name in ("h1", "h2", "h3", "h4"):
        assert flag(world, name) == FLAG.format("true")


@proves(25, 38)
def test_an_upgraded_host_does_not_until_it_is_told(world: World) -> None:
    assert flag(world, "h7") == FLAG.format("false")
    assert "upgraded" in world["h7"].call("pooltrust.get_log", 0, 1)[0]["call"]


@proves(17, 18, 19)
def test_a_join_needs_verification_on_or_off_at_both_sides(world: World) -> None:
    h1, h5, h6, h7 = (world[name] for name in ("h1", "h5", "h6", "h7"))

    def join(joiner: Host, to: Host) -> tuple[int, str]:
        ran = xe(joiner, "pool-join", f"master-address={to.address}:{to.port}",
                 "master-username=root", f"master-password={to.password}")  # fmt: skip
        return ran.code, ran.err

    for joiner, to, words in ((h5, h1, "joining host h5"), (h1, h7, "")):
        code, err = join(joiner, to)
        assert code != 0 and words in err
        if words:
            assert "pool-enable-tls-verification" in err
    assert uuid_of(h6, "h6") and join(h6, h5)[0] == 0
    within(SOON, lambda: set(h5.members()) == {"h5", "h6"})


@proves(16)
def test_a_pool_that_does_not_verify_is_reminded(world: World) -> None:
    alerts = world["h7"].call("pooltrust.get_alerts")
    [one] = [one for one in alerts if one["name"] == "POOL_TLS_VERIFICATION_DISABLED"]
    assert "pool-enable-tls-verification" in one["words"]


@contextmanager
def caught_in_refresh(asked: Host, host: Host, client: Gui) -> Iterator[None]:
    """A refresh of this host is under way meanwhile: its daemon is stopped in the midst of it."""

    def runs() -> bool:
        return "cert_refresh" in client.pool()["current_operations"].values()

    command = (asked, "host-refresh-server-certificate", f"host={uuid_of(asked, host.name)}")
    with ThreadPoolExecutor() as threads:
        for _ in range(9):
            refresh = threads.submit(xe, *command)
            while not runs() and not refresh.done():
                continue
            with frozen(host):
                if runs():
                    yield
                    break
            refresh.result(60)
        else:
            pytest.fail("every refresh was over too soon")
        refresh.result(60)


@proves(27, 32)
def test_enabling_waits_for_no_operation_and_then_one_command_at_any_host_does_it(
    world: World,
) -> None:
    h5, h6 = world["h5"], world["h6"]
    within(SOON, lambda: set(h6.members()) == {"h5", "h6"})
    with gui(h5) as client, caught_in_refresh(h5, h6, client):
        refused = xe(h5, "pool-enable-tls-verification")
        assert refused.code != 0 and "cert_refresh" in refused.err
        assert flag(world, "h5") == FLAG.format("false")
    within(SOON, lambda: xe(h6, "pool-enable-tls-verification").code == 0)
    for name in ("h5", "h6"):
        within(SOON, lambda n=name: flag(world, n) == FLAG.format("true"))


@proves(26, 28, 29, 30, 31, 36)
def test_a_graphical_client_sees_that_it_is_off_and_enables_it_by_one_call(world: World) -> None:
    with gui(world["h7"]) as client:
        assert not client.pool()["tls_verification_enabled"]
        assert "POOL_TLS_VERIFICATION_DISABLED" in client.alerts()
        assert "tls_verification_enable" in client.pool()["allowed_operations"]
        client.call("pool.enable_tls_verification")
        assert client.pool()["tls_verification_enabled"]
        assert [one["tls_verification_enabled"] for one in client.records("host")] == [True]
        within(SOON, lambda: "POOL_TLS_VERIFICATION_DISABLED" not in client.alerts())
