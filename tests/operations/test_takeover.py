"""Losing the coordinator: what an administrator orders, and what goes on by itself afterwards."""

from __future__ import annotations

import pytest

from daemons import run, running, until
from pooltrust.command.client import Reported

from .stage import Pool, operations, refresh, settled


def test_a_member_takes_over_and_the_old_coordinator_returns_as_a_supporter(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            await h1.stop()
            await h2.ask("pool.emergency_transition_to_master")
            assert h2.daemon.belief.is_coordinator
            assert not h2.folder.operation.exists()
            (done,) = await operations(h2)
            assert (done["kind"], done["state"]) == ("emergency_transition_to_master", "done")
            await until(lambda: h3.roster.coordinator == h2.me)
            await h1.start()
            await until(lambda: h1.roster.coordinator == h2.me)
            assert await h2.ask("pool.recover_slaves")
            await settled(*hosts)
            await refresh(h1, h1)

    run(story(), 60)


def test_it_is_refused_while_the_coordinator_answers(pool: Pool) -> None:
    hosts = _, h2, _ = pool(3)

    async def story() -> None:
        async with running(*hosts):
            with pytest.raises(Reported) as why:
                await h2.ask("pool.emergency_transition_to_master")
            assert why.value.code == "OPERATION_NOT_ALLOWED"
            assert not h2.folder.operation.exists()

    run(story())


def test_too_few_to_endorse_it_is_said_and_an_order_alone_is_the_way(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h2, later=[h1, h3]):
            with pytest.raises(Reported) as why:
                await h2.ask("pool.emergency_transition_to_master")
            assert why.value.code in ("CANNOT_CONTACT_HOST", "OPERATION_ABANDONED")
            assert not h2.folder.operation.exists()
            await h2.ask("pooltrust.take_over_alone")
            assert h2.daemon.belief.is_coordinator
            await h3.start()
            assert h3.roster.coordinator != h2.me
            await h3.ask("pool.emergency_reset_master", h2.config.address)
            await until(lambda: h3.roster.coordinator == h2.me)

    run(story(), 60)


def test_in_a_pool_of_two_the_survivor_takes_over_by_order(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h2, later=[h1]):
            await h2.ask("pool.emergency_transition_to_master")
            assert h2.daemon.belief.is_coordinator
            await h1.start()
            await until(lambda: h1.lines("log-forked") or h1.lines("takeover-needs-order"))
            assert h1.daemon.belief.is_coordinator  # until its administrator says otherwise
            await h1.ask("pool.emergency_reset_master", h2.config.address)
            await until(lambda: h1.roster.coordinator == h2.me)
            await settled(h2, h1)

    run(story(), 60)
