"""A lost coordinator is replaced by whom more than half endorse, and nothing done is lost."""

from __future__ import annotations

import pytest

from daemons import run, running, until
from pooltrust.errors import OperationNotAllowed
from pooltrust.host.takeover.collecting import TooFewEndorse
from pooltrust.trust.entries import TakenOver, TakeoverEndorsed

from .stage import Pool, append, leads, refusal, settle, spread, take_over


@pytest.mark.parametrize("size", [3, 5])
def test_an_endorsed_takeover_is_followed_by_all_and_by_the_old_coordinator_on_return(
    pool: Pool, size: int
) -> None:
    old, taker, *others = pool(size)

    async def story() -> None:
        async with running(old, taker, *others):
            said = await append(old)
            await settle(old, taker, *others)
            await old.stop()
            await take_over(taker)
            log = taker.daemon.belief.log
            assert log.at(said.entry.number).hash == said.hash
            bodies = [signed.entry.body for signed in log.tail(said.entry.number)]
            assert [type(body) for body in bodies] == [TakenOver, TakeoverEndorsed]
            assert log.at(log.head_number - 1).entry.by == "mabel"
            await spread(taker)
            await until(lambda: leads(taker, *others))
            await append(taker)
            await settle(taker, *others)
            await old.start()
            await until(lambda: leads(taker, old))
            await settle(taker, old)
            assert not old.daemon.belief.is_coordinator

    run(story())


def test_a_coordinator_that_answers_is_not_replaced(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            why = await refusal(take_over(h2))
            assert isinstance(why, OperationNotAllowed)
            assert "The coordinator h1 answers and leads the pool." in str(why)
            assert h2.daemon.belief.candidate is None

    run(story())


def test_a_pool_of_two_needs_an_order(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await settle(h1, h2)
            await h1.stop()
            why = await refusal(take_over(h2))
            assert isinstance(why, TooFewEndorse)
            assert "More than half of the 2 members must endorse this takeover, and 1 do (h2)" in (
                str(why)
            )
            assert "pool-emergency-reset-master" in str(why)
            assert not h2.daemon.belief.is_coordinator
            await take_over(h2, alone=True)
            assert h2.daemon.belief.is_coordinator
            await append(h2)
            await h2.restart()
            assert h2.daemon.belief.is_coordinator
            await append(h2)

    run(story())


def test_who_did_not_answer_is_named_and_it_goes_on_when_they_do(pool: Pool) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            for host in (h1, h4, h5):
                await host.stop()
            why = await refusal(take_over(h2))
            assert isinstance(why, TooFewEndorse)
            assert (why.members, why.behind, why.names) == (5, 2, "h2, h3")
            assert "h4: " in why.why and "h5: " in why.why
            await h4.start()
            await take_over(h2)
            await spread(h2)
            await until(lambda: leads(h2, h3, h4))
            await h5.start()
            await until(lambda: leads(h2, h5))

    run(story())


def test_the_taker_takes_a_longer_log_first_and_loses_nothing_that_was_done(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h2.stop()
            said = await append(h1)  # held by h1 and h3: committed
            await settle(h1, h3)
            await h1.stop()
            await h2.start()
            await take_over(h2)
            assert h2.daemon.belief.log.at(said.entry.number).hash == said.hash
            await spread(h2)
            await until(lambda: leads(h2, h3))

    run(story())


def test_a_member_that_is_behind_takes_the_log_of_the_taker_before_it_endorses(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h3.stop()
            said = await append(h1)
            await settle(h1, h2)
            await h1.stop()
            await h3.start()
            await take_over(h2)
            assert h3.daemon.belief.candidate is not None
            assert h3.daemon.belief.log.hash_at(said.entry.number) == said.hash

    run(story())
