"""A new pool identity for one host, and for every host, while nobody is disconnected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from daemons import Host, run, running, until
from pooltrust.command.client import Reported

from .stage import Pool, accepted, key_files, operations, ref, refresh, served, settled, verified


@pytest.mark.parametrize("subject", [0, 1])
def test_a_refreshed_host_serves_its_new_identity_alone_and_everybody_believes_it(
    pool: Pool, subject: int
) -> None:
    hosts = _, h2, h3 = pool(3)
    host = hosts[subject]

    async def story() -> None:
        async with running(*hosts):
            old = served(host)
            await refresh(h3, host)
            new = served(host)
            assert new != old
            await settled(*hosts)
            assert [accepted(other, host) for other in hosts] == [{new}] * 3
            assert key_files(host) == [f"pool-{new.digest.hex()}.pem"]
            for other in hosts:
                table = await other.ask("pooltrust.probe_members", await ref(other, other))
                assert verified(table)
            (done,) = await operations(h2)
            assert (done["kind"], done["state"]) == ("cert_refresh", "done")
            assert done["words"] == f"The refresh of {host.config.name} is done."
            await host.restart()
            assert served(host) == new

    run(story())


def test_an_unreachable_third_host_does_not_block_it_and_pays_when_it_returns(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, later=[h3]):
            await refresh(h1, h2)
            (done,) = await operations(h1)
            assert done["state"] == "done"
            assert done["words"].endswith("Left to be done by h3 on return.")
            await h3.start()
            await settled(*hosts)
            assert accepted(h3, h2) == {served(h2)}
            assert verified(await h3.ask("pooltrust.probe_members", await ref(h3, h3)))

    run(story())


def test_a_host_that_is_away_is_not_refreshed_and_nothing_is_changed(pool: Pool) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        async with running(h1, h2):
            before = h1.roster.head
            with pytest.raises(Reported) as why:
                await h1.ask("host.refresh_server_certificate", await ref_of_h3(h1))
            assert why.value.code == "CANNOT_CONTACT_HOST"
            assert h1.roster.head == before
            assert await operations(h1) == []

    async def ref_of_h3(asked: Host) -> str:
        (h3,) = [host for host, member in asked.roster.members.items() if member.name == "h3"]
        return str(await asked.ask("host.get_by_uuid", h3))

    run(story())


def test_the_whole_pool_is_refreshed_host_by_host_and_the_coordinator_last(pool: Pool) -> None:
    hosts = h1, h2, _ = pool(3)

    async def story() -> None:
        async with running(*hosts):
            old = [served(host) for host in hosts]
            assert await h2.ask("pooltrust.refresh_pool") == []
            await settled(*hosts)
            assert not {served(host) for host in hosts} & set(old)
            order = [one["subject"] for one in await operations(h1)]
            assert len(order) == 3
            assert order[-1] == await ref(h1, h1)

    run(story())


def test_who_is_away_during_a_round_has_its_turn_on_return(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, later=[h3]):
            (left,) = await h1.ask("pooltrust.refresh_pool")
            assert left == await ref(h1, h1) or left
            await h3.start()
            old = served(h3)
            await until(lambda: served(h3) != old, 30)
            await until(lambda: h1.daemon.shelf.round is None, 30)
            await settled(*hosts)
            assert accepted(h1, h3) == {served(h3)}

    run(story(), 60)


def test_an_identity_is_refreshed_by_itself_at_two_thirds_of_its_lifetime(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            old = {served(host) for host in hosts}
            assert all(len(key_files(host)) == 1 for host in hosts)
            later = datetime.now(UTC) + timedelta(days=300)
            for host in hosts:
                host.daemon.upkeep._now = host.daemon.keys._now = lambda: later
            h1.daemon.upkeep._wake.set()
            await until(lambda: not {served(host) for host in hosts} & old, 20)
            (first, second) = [one for one in await operations(h1) if one["by"] == "automatic"][:2]
            assert [first["subject"], second["subject"]] == [await ref(h1, h2), await ref(h1, h1)]

    run(story(), 60)


def test_who_was_away_when_it_was_due_is_refreshed_when_it_is_heard(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, later=[h3]):
            later = datetime.now(UTC) + timedelta(days=300)
            for host in (h1, h2):
                host.daemon.upkeep._now = host.daemon.keys._now = lambda: later
            old = {served(host) for host in (h1, h2)}
            h1.daemon.upkeep._wake.set()
            await until(lambda: not {served(host) for host in (h1, h2)} & old, 20)
            await until(lambda: not h1.daemon.upkeep._wake.is_set(), 20)
            await h3.start()
            h3.daemon.keys._now = lambda: later
            before = served(h3)
            await until(lambda: served(h3) != before, 20)

    run(story(), 60)


def test_a_plan_is_shown_before_and_changes_nothing(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            before = h1.roster.head
            method = "host.refresh_server_certificate"
            plan = json.loads(await h3.ask("pooltrust.get_plan", method, await ref(h3, h2)))
            assert plan["hosts"] == ["h1", "h2", "h3"]
            phases = ["accept", "adopt", "promote", "probe", "withdraw", "settle", "retire"]
            assert [line["name"] for line in plan["order"]] == phases
            assert [line["name"] for line in plan["order"] if line["final"]] == ["withdraw"]
            assert plan["order"][2]["steps"] == ["h2 serves certificate (the new one)"]
            assert plan["drops"] == "No connection is closed."
            assert plan["blockers"] == []
            assert h1.roster.head == before
            assert all(len(key_files(host)) == 1 for host in hosts)
            assert await operations(h1) == []

    run(story())
