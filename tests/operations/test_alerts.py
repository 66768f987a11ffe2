"""Alerts are in the pool's records while their cause is there, and not a moment longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from daemons import Host, run, running, until

from .stage import Pool, refresh, settled


async def names(asked: Host) -> list[str]:
    found: list[dict[str, Any]] = await asked.ask("pooltrust.get_alerts")
    return [alert["name"] for alert in found]


def test_verification_that_is_off_is_an_alert_until_it_is_on(pool: Pool) -> None:
    hosts = h1, h2 = pool(2, verification_at_founding=False)

    async def story() -> None:
        async with running(*hosts):
            await until(lambda: h1.daemon.store.rows("alert"))
            assert await names(h2) == ["POOL_TLS_VERIFICATION_DISABLED"]
            await h1.ask("pool.enable_tls_verification")
            await until(lambda: h1.lines("alert-cleared"))
            assert await names(h2) == []

    run(story())


def test_an_identity_near_its_end_is_an_alert_until_it_is_refreshed(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            later = datetime.now(UTC) + timedelta(days=360)
            h1.daemon.alerting._now = lambda: later
            await h1.daemon.alerting.look()
            overdue = "HOST_INTERNAL_CERTIFICATE_REFRESH_OVERDUE"
            near = "HOST_INTERNAL_CERTIFICATE_EXPIRING_07"
            assert sorted(await names(h1)) == sorted([near, near, overdue, overdue])
            for host in hosts:
                host.daemon.keys._now = lambda: later
                await refresh(h1, host)
            await until(lambda: len(h1.lines("alert-cleared")) == 4)
            assert await names(h2) == []

    run(story())


def test_whoever_takes_over_has_the_alerts_and_takes_them_back(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3, verification_at_founding=False)

    async def story() -> None:
        async with running(*hosts):
            await until(lambda: h1.daemon.store.rows("alert"))
            await settled(*hosts)
            await h1.stop()
            await h2.ask("pool.emergency_transition_to_master")
            assert await names(h2) == ["POOL_TLS_VERIFICATION_DISABLED"]
            await h1.start()
            await until(lambda: h1.roster.coordinator == h2.me)
            await h2.ask("pool.enable_tls_verification")
            await until(lambda: h2.lines("alert-cleared"))
            assert await names(h3) == []

    run(story(), 60)


def test_an_alert_is_a_message_that_clients_see_and_may_put_out_of_sight(pool: Pool) -> None:
    hosts = h1, h2 = pool(2, verification_at_founding=False)

    async def messages() -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = await h2.ask("message.get_all_records")
        return found

    async def story() -> None:
        async with running(*hosts):
            await until(lambda: h1.daemon.store.rows("alert"))
            [(ref, message)] = (await messages()).items()
            [pool_uuid] = [one["uuid"] for one in (await h1.ask("pool.get_all_records")).values()]
            assert (message["name"], message["cls"]) == ("POOL_TLS_VERIFICATION_DISABLED", "Pool")
            assert (message["obj_uuid"], message["priority"]) == (pool_uuid, 3)
            await h2.ask("message.destroy", ref)
            assert await messages() == {}
            await h1.daemon.alerting.look()
            assert await messages() == {}, "its cause is still there, and so it is not raised again"
            assert await names(h2) == ["POOL_TLS_VERIFICATION_DISABLED"]

    run(story())
