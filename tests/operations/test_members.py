"""Ejecting a host, there or lost, and letting another member coordinate."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.command.client import Reported

from .stage import Pool, accepted, operations, ref, refresh, served, settled, verified


def test_an_ejected_host_is_told_at_once_and_is_a_pool_of_its_own(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            old, pool_id, h3_id = served(h3), h1.roster.pool, h3.me
            await h2.ask("pool.eject", await ref(h2, h3))
            assert [one["words"] for one in await operations(h1)] == ["The ejection of h3 is done."]
            await until(lambda: h3.roster.pool != pool_id)
            await until(lambda: h3.lines("own-pool-founded"))
            assert list(h3.roster.members) == [h3_id]
            assert h3.daemon.belief.is_coordinator
            assert h3.daemon.belief.enforcing
            assert served(h3) != old
            assert await operations(h3) == []
            await settled(h1, h2)
            assert h3_id not in h1.roster.members

    run(story())


def test_a_lost_host_is_ejected_and_learns_it_when_it_returns(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, later=[h3]):
            (lost,) = [host for host, one in h1.roster.members.items() if one.name == "h3"]
            pool_id = h1.roster.pool
            await h1.ask("pool.eject", await h1.ask("host.get_by_uuid", lost))
            await h3.start()
            await until(lambda: h3.roster.pool != pool_id, 20)

    run(story())


def test_the_coordinator_is_not_ejected(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            with pytest.raises(Reported) as why:
                await h2.ask("pool.eject", await ref(h2, h1))
            assert why.value.code == "OPERATION_NOT_ALLOWED"
            assert await operations(h1) == []

    run(story())


def test_a_designated_coordinator_leads_and_can_refresh_everybody(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.designate_new_master", await ref(h1, h2))
            assert [host.roster.coordinator for host in hosts] == [h2.me] * 3
            await refresh(h3, h1)  # at once: the new coordinator leads when the call has ended
            await settled(*hosts)
            assert accepted(h3, h1) == {served(h1)}
            states = [(one["kind"], one["state"]) for one in await operations(h1)]
            assert states == [("designate_new_master", "done"), ("cert_refresh", "done")]
            await h2.ask("pool.designate_new_master", await ref(h2, h2))  # it is already
            messages = (await h2.ask("message.get_all_records")).values()
            [told] = [one for one in messages if one["name"] == "POOL_MASTER_TRANSITION"]
            assert (told["cls"], told["obj_uuid"], told["body"]) == ("Host", h2.me, "")
            assert told["priority"] == 4
            assert verified(await h1.ask("pooltrust.probe_members", await ref(h1, h1)))

    run(story())


def test_the_pool_record_shows_what_runs_and_what_could_begin(pool: Pool) -> None:
    hosts = h1, _, h3 = pool(3)

    async def shown(asked: Host) -> dict[str, Any]:
        (record,) = (await asked.ask("pool.get_all_records")).values()
        return dict(record)

    async def story() -> None:
        async with running(*hosts):
            may = {"cert_refresh", "designate_new_master", "eject"}
            assert set((await shown(h1))["allowed_operations"]) == may
            gate = asyncio.Event()
            do, hands = h1.daemon.desk._hands.do, h1.daemon.desk._hands

            async def wait_and_do(*step: Any) -> None:
                await gate.wait()
                await do(*step)

            hands.do = wait_and_do  # type: ignore[method-assign]
            ejecting = asyncio.create_task(h1.ask("pool.eject", await ref(h1, h3)))
            await until(h1.daemon.desk.pending)
            record = await shown(h1)
            assert list(record["current_operations"].values()) == ["eject"]
            assert record["allowed_operations"] == []
            gate.set()
            await ejecting
            record = await shown(h1)
            assert record["current_operations"] == {}
            assert set(record["allowed_operations"]) == may

    run(story())


def test_every_change_has_a_plan_to_be_shown(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            for method, host in (
                ("pool.eject", h3),
                ("pool.designate_new_master", h2),
                ("pool.recover_slaves", None),
            ):
                named = await ref(h1, host) if host else ""
                plan = json.loads(await h1.ask("pooltrust.get_plan", method, named))
                assert plan["order"] and plan["standing"] and plan["blockers"] == []
            assert (
                json.loads(await h1.ask("pooltrust.get_plan", "pool.enable_tls_verification")) == {}
            )
            with pytest.raises(Reported) as why:
                await h1.ask("pooltrust.get_plan", "pool.paint", "")
            assert why.value.code == "INVALID_VALUE"

    run(story())
