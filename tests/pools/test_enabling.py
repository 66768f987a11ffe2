"""Verification is switched on in a pool that was founded without it: everywhere, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pooltrust.command.client import Reported

from .stage import SOON, Host, own_hosts, within

ENABLE = "pool.enable_tls_verification"


@pytest.fixture(scope="module")
def pool() -> Iterator[list[Host]]:
    """Three members without verification.  The stories below follow one another."""
    with own_hosts(3, off=["h1", "h2", "h3"]) as hosts:
        for joiner in hosts[1:]:
            joiner.join(hosts[0])
        yield hosts


def switched_on(host: Host) -> list[bool]:
    """What this host says: of the pool, then of each host."""
    pools = host.call("pool.get_all_records").values()
    hosts = host.call("host.get_all_records").values()
    return [record["tls_verification_enabled"] for record in (*pools, *hosts)]


def test_with_one_host_down_it_is_named_and_verification_stays_off(pool: list[Host]):
    h1, h2, h3 = pool
    missing = h3.status()["host"]
    h3.stop()
    head = h1.status()["head"]
    with pytest.raises(Reported) as failed:
        h1.call(ENABLE)
    assert failed.value.code == "CANNOT_CONTACT_HOST"
    assert failed.value.parameters() == [missing]
    assert "h3" in str(failed.value)
    for host in (h1, h2):
        assert switched_on(host) == [False] * 4
        assert host.status()["head"] == head


def test_with_all_of_them_it_is_on_everywhere(pool: list[Host]):
    """Asked of a supporter, which has its coordinator do it."""
    _, h2, h3 = pool
    h3.run()
    h2.call(ENABLE)
    for host in pool:
        within(SOON, lambda host=host: switched_on(host) == [True] * 4)
        assert host.status()["verification"] == "on"
        assert [one["verified"] for one in host.probe().values()] == ["true"] * 3


def test_twice_is_once(pool: list[Host]):
    heads = [host.status()["head"] for host in pool]
    for host in pool:
        host.call(ENABLE)
    assert [host.status()["head"] for host in pool] == heads
    assert switched_on(pool[0]) == [True] * 4
