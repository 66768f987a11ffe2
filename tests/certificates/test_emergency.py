"""The emergency switch: one host stops verifying whom it dials, and comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemons import run, running, until
from operations.stage import Pool
from pools import stage
from pooltrust.command.client import Reported
from pooltrust.host.obeying import emergency
from specification.stage import good


def test_it_works_alone_and_outlives_a_restart(pool: Pool) -> None:
    _, h2 = pool(2)

    async def story() -> None:
        async with running(h2):
            assert h2.daemon.belief.enforcing
            await h2.ask("host.emergency_disable_tls_verification")
            assert not h2.daemon.belief.enforcing
            await h2.restart()
            assert not h2.daemon.belief.enforcing
            await h2.ask("host.emergency_reenable_tls_verification")
            assert h2.daemon.belief.enforcing
            assert not h2.folder.emergency.exists()
            await h2.restart()
            assert h2.daemon.belief.enforcing

    run(story())


def test_there_is_nothing_to_return_to_in_a_pool_without_verification(pool: Pool) -> None:
    (h1,) = pool(1, verification_at_founding=False)

    async def story() -> None:
        async with running(h1):
            with pytest.raises(Reported) as why:
                await h1.ask("host.emergency_reenable_tls_verification")
            assert why.value.code == "TLS_VERIFICATION_NOT_ENABLED_IN_POOL"

    run(story())


def test_it_goes_back_by_itself_after_its_time(pool: Pool) -> None:
    hosts = _, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await h2.ask("pooltrust.emergency_disable_tls_verification", "a lost key", 1)
            assert not h2.daemon.belief.enforcing
            await until(lambda: h2.daemon.belief.enforcing)
            assert h2.lines("verification-enabled-here")

    run(story())


def test_it_stays_while_somebody_shows_a_wrong_certificate(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emergency, "AGAIN_SECONDS", 0.2)
    hosts = _, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            wrong = h2.daemon.emergency
            probe_all = wrong._prober.probe_all

            async def lying() -> list[object]:
                found = await probe_all()
                return [replace(one, verified=False, reason="another's") for one in found]

            wrong._prober.probe_all = lying  # type: ignore[method-assign, assignment]
            await h2.ask("pooltrust.emergency_disable_tls_verification", "a lost key", 1)
            await until(lambda: h2.lines("verification-stays-disabled"))
            assert not h2.daemon.belief.enforcing
            wrong._prober.probe_all = probe_all  # type: ignore[method-assign]
            await until(lambda: h2.daemon.belief.enforcing)

    run(story())


def test_enabling_the_pool_switches_every_emergency_off(pool: Pool) -> None:
    hosts = _, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            for host in hosts:
                await host.ask("host.emergency_disable_tls_verification")
            await h3.ask("pool.enable_tls_verification")
            assert all(host.daemon.belief.enforcing for host in hosts)
            await h2.restart()
            assert h2.daemon.belief.enforcing

    run(story())


def test_the_pool_is_told_of_it_at_once_and_when_it_is_over(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)
    alert = "TLS_VERIFICATION_EMERGENCY_DISABLED"

    async def alerts() -> list[tuple[str, str]]:
        found = await h1.ask("pooltrust.get_alerts")
        return [(one["name"], one["object"]) for one in found]

    async def story() -> None:
        async with running(*hosts):
            await h2.ask("host.emergency_disable_tls_verification")
            await until(lambda: h1.lines("alert"))
            assert await alerts() == [(alert, h2.me)]
            for asked in hosts:
                records = (await asked.ask("host.get_all_records")).values()
                off = [one["hostname"] for one in records if not one["tls_verification_enabled"]]
                assert off == ["h2"]
            await h2.ask("host.emergency_reenable_tls_verification")
            await until(lambda: h1.lines("alert-cleared"))
            assert await alerts() == []

    run(story())


def test_real_daemons_without_their_coordinator_switch_and_return_in_time_across_restarts() -> None:
    off = "switched off on this host (emergency)"
    with stage.own_hosts(2) as (h1, h2):
        h2.join(h1)
        stage.within(stage.SOON, lambda: set(h2.members()) == {"h1", "h2"})
        h1.kill()
        good(h2, "host-emergency-disable-tls-verification")
        h2.kill()
        assert h2.run().status()["verification"] == off
        good(h2, "host-emergency-reenable-tls-verification")
        assert h2.status()["verification"] == "on"

        # The time goes on while nothing of it runs.
        good(h2, "host-emergency-disable-tls-verification", "reason=a test", "lifetime=2")
        h2.kill()
        h2.run()
        stage.within(stage.START_SECONDS, lambda: h2.status()["verification"] == "on")
        assert "verification-enabled-here" in h2.log.read_text()
        h1.run()
        stage.within(stage.START_SECONDS, lambda: h2.probe()["h1"]["verified"] == "true")
        hosts = h1.call("host.get_all_records").values()
        assert [one["tls_verification_enabled"] for one in hosts] == [True, True]
