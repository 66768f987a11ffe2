"""Each alert appears on its day, is replaced by the next, and is gone with its cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemons import Host, run, running, until
from nemesis.clocks import DAY, Clock
from operations.stage import Pool, ref, settled
from pki.offered.stage import Maker, key_text, made, private
from pools import stage

from .test_server_identity import MIDDLE, ROOT
from .test_trust import CA, LEAF, pool_ref, trust

NOW = datetime.now(UTC)
CA_CODE = "POOL_CA_CERTIFICATE"


async def names(host: Host) -> list[str]:
    return sorted(one["name"] for one in await host.ask("pooltrust.get_alerts"))


async def on_day(host: Host, days: float) -> list[str]:
    """The alerts of this coordinator so many days from now."""
    later = datetime.now(UTC) + timedelta(days=days)
    host.daemon.alerting._now = lambda: later
    await host.daemon.alerting.look()
    return await names(host)


async def become(host: Host, expected: list[str]) -> None:
    """Without being looked for: the change itself is what takes it back."""
    await until(
        lambda: sorted(r["name"] for r in host.daemon.store.rows("alert").values()) == expected
    )


def test_what_is_uninstalled_has_no_alert(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            await trust(h1, False, LEAF, "ldaps")
            assert await on_day(h1, 59) == []
            both = [f"{CA_CODE}_EXPIRING_30", "POOL_PINNED_CERTIFICATE_EXPIRING_30"]
            assert await on_day(h1, 61) == both
            messages = (await h1.ask("message.get_all_records")).values()
            records = (await h1.ask("Certificate.get_all_records")).values()
            uuids = {one["uuid"] for one in records if one["type"] in ("ca", "pinned")}
            assert {one["obj_uuid"] for one in messages} == uuids
            assert {(one["cls"], int(one["priority"])) for one in messages} == {("Certificate", 3)}
            await h1.ask("pool.uninstall_ca_certificate", "ca.pem")
            await become(h1, both[1:])
            (pinned,) = [key for key, one in (await h1.ask("Certificate.get_all_records")).items()
                         if one["type"] == "pinned"]  # fmt: skip
            call = "pool.uninstall_trusted_certificate"
            await h1.ask(call, await pool_ref(h1), pinned)
            await become(h1, [])

    run(story())


def test_a_reset_and_an_installation_take_back_the_server_identity_s(
    new: Callable[..., Host],
) -> None:
    h1 = new("h1", server_lifetime=timedelta(days=40))

    async def story() -> None:
        async with running(h1):
            name = "HOST_SERVER_CERTIFICATE"
            assert await on_day(h1, 39) == [f"{name}_EXPIRING_07"]
            dates = NOW - timedelta(days=1), NOW + timedelta(days=400)
            leaf = made("h", private("p256"), MIDDLE, names=("h1",), dates=dates)
            chain = made("middle", MIDDLE.key, ROOT, ca=True, names=(), dates=dates)
            call = "host.install_server_certificate"
            await h1.ask(call, await ref(h1, h1), leaf, key_text("p256"), chain)
            await become(h1, [])
            await h1.ask("host.reset_server_certificate", await ref(h1, h1))
            await become(h1, [f"{name}_EXPIRING_07"])  # forty days from now, on day thirty-nine

    run(story())


def test_an_ejected_host_takes_its_alerts_with_it(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            seen = await on_day(h1, 340)
            assert len([one for one in seen if one.startswith("HOST_INTERNAL")]) == 4
            await h1.ask("pool.eject", await ref(h1, h2))
            await until(
                lambda: all(
                    row["object"] != h2.me for row in h1.daemon.store.rows("alert").values()
                )
            )

    run(story())


def test_the_switch_of_any_member_is_an_alert_until_it_is_back(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pooltrust.host.watch.HEARTBEAT_SECONDS", 0.3)
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            emergency = "TLS_VERIFICATION_EMERGENCY_DISABLED"
            for host in (h2, h3):
                await host.ask("host.emergency_disable_tls_verification")
            await become(h1, [emergency] * 2)
            messages = (await h1.ask("message.get_all_records")).values()
            bodies = {one["obj_uuid"]: one["body"] for one in messages}
            assert bodies == {
                host.me: f"<body><host>{host.config.name}</host></body>" for host in (h2, h3)
            }
            seen = await h1.ask("host.get_all_records")
            on = {one["hostname"]: one["tls_verification_enabled"] for one in seen.values()}
            assert on == {"h1": True, "h2": False, "h3": False}
            await h2.ask("host.emergency_reenable_tls_verification")
            await become(h1, [emergency])
            await h3.ask("host.emergency_reenable_tls_verification")
            await become(h1, [])

    run(story(), 60)


@pytest.mark.needs("faketime")
def test_a_real_daemon_tells_of_each_date_as_its_clock_passes_it() -> None:
    ends = datetime.now(UTC) + timedelta(days=100)
    ca = made(
        "root", Maker.named("root").key, ca=True, names=(), dates=(NOW - timedelta(days=1), ends)
    )
    with stage.own_hosts(1, run=False) as (host,):
        clock = Clock(Path(host.folder) / "clock")
        clock.set(0)
        host.environment = clock.environment
        host.run()
        host.call("pool.install_ca_certificate", "ca.pem", ca)

        def told() -> list[str]:
            found: list[dict[str, Any]] = host.call("pooltrust.get_alerts")
            return [one["name"].removeprefix(f"{CA_CODE}_") for one in found
                    if one["name"].startswith(CA_CODE)]  # fmt: skip

        for days, expected in (
            (69, []), (71, ["EXPIRING_30"]), (87, ["EXPIRING_14"]), (94, ["EXPIRING_07"]),
            (101, ["EXPIRED"]), (50, []),
        ):  # fmt: skip
            assert host.stop() == 0
            clock.set(days * DAY)
            host.run()
            stage.within(stage.START_SECONDS, lambda expected=expected: told() == expected or None)
        assert host.stop() == 0
        clock.set(101 * DAY)
        host.run()
        stage.within(stage.START_SECONDS, told)
        host.call("pool.uninstall_ca_certificate", "ca.pem")
        stage.within(stage.SOON, lambda: not told())
