"""What was answered as done stays done: accounts, across takeovers and changes of coordinator."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from daemons import PASSWORD, Host, alike, run, running, until
from pooltrust.errors import HostIsSlave
from pooltrust.host.peers.shipping import RecordsNotHeld
from pooltrust.host.records.store import Dump, Revision
from pooltrust.host.takeover.leading import Gathered, RecordsNotTaken
from pooltrust.host.takeover.taking import TooFewRecords
from pooltrust.terms import HostId
from pooltrust.trust.entries import CoordinatorChanged, TakenOver

from .stage import NEW_PASSWORD, Pool, append, leads, refusal, settle, spread, take_over


async def knows(host: Host, password: str) -> bool:
    return await host.daemon.accounts.verify("root", password)


async def change_password(host: Host) -> None:
    await host.daemon.accounts.set_password("root", NEW_PASSWORD)


def test_an_acknowledged_password_outlives_its_coordinator_though_the_taker_never_had_it(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h2.stop()
            await change_password(h1)  # held by h1 and h3
            await h1.stop()
            await h2.start()
            assert not await knows(h2, NEW_PASSWORD)
            await take_over(h2)
            assert await knows(h2, NEW_PASSWORD)
            assert not await knows(h2, PASSWORD)
            assert h2.daemon.store.revision.coordinator_change == h2.roster.number - 1
            await spread(h2)
            await until(lambda: alike(h2, h3))
            await h1.start()
            await until(lambda: leads(h2, h1) and alike(h2, h1))
            for host in (h1, h2, h3):
                await host.restart()
            await until(lambda: alike(h2, h1) and alike(h2, h3))
            assert await knows(h1, NEW_PASSWORD)
            assert await knows(h3, NEW_PASSWORD)

    run(story())


def test_a_change_that_too_few_hold_is_not_said_to_be_done(pool: Pool) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            for host in (h3, h4, h5):
                await host.stop()
            why = await refusal(change_password(h1))
            assert isinstance(why, RecordsNotHeld)
            assert why.code == "RECORDS_NOT_COMMITTED"
            assert (why.held, why.members, why.needed) == (2, 5, 3)
            assert why.missing == "h3, h4, h5 did not confirm it"
            await h4.start()
            await until(lambda: alike(h1, h4))  # shipped by itself
            await change_password(h1)

    run(story())


def test_a_supporter_changes_no_account(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await settle(h1, h2)
            assert isinstance(await refusal(change_password(h2)), HostIsSlave)

    run(story())


def test_whoever_has_endorsed_a_takeover_takes_no_records_of_the_lost_coordinator(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            body = TakenOver(h2.me, h1.me)
            signed = h2.daemon.taking._signed(h2.daemon.belief.log, body, "root", "test")
            await h3.daemon.belief.vote_for(lambda *_: signed)
            await h2.stop()
            why = await refusal(change_password(h1))
            assert isinstance(why, RecordsNotHeld)
            said = [line.facts["words"] for line in h1.lines("records-not-shipped")]
            assert any("has endorsed a takeover" in words for words in said)
            assert not await knows(h3, NEW_PASSWORD)
            await h3.restart()  # and no restart makes it forget
            assert isinstance(await refusal(change_password(h1)), RecordsNotHeld)

    run(story())


def test_a_member_that_makes_records_up_is_not_believed(pool: Pool) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            await h1.stop()
            await make_up(h3)
            await take_over(h2)
            assert await knows(h2, PASSWORD)
            assert not await knows(h2, NEW_PASSWORD)
            (said, *_) = h2.lines("records-not-sealed")
            assert said.facts["peer"] == h3.me
            await spread(h2)
            await until(lambda: alike(h2, h3))
            assert await knows(h3, PASSWORD)

    run(story())


def test_records_of_too_few_stop_a_takeover_before_it_is_written(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()
            honest = await h3.daemon.store.dump()
            await make_up(h3)
            why = await refusal(take_over(h2))
            assert isinstance(why, TooFewRecords)
            assert "h3: its records do not count" in why.why
            assert not h2.daemon.belief.is_coordinator
            await h3.daemon.store.replace(honest)
            await take_over(h2)

    run(story())


async def make_up(host: Host) -> None:
    """A broken-into member gives the pool a password of its own choice."""
    shipped = await host.daemon.store.dump()
    host.daemon.guarded.keeper = None
    await host.daemon.accounts.set_password("root", NEW_PASSWORD)
    tables = (await host.daemon.store.dump()).tables
    revision = Revision(shipped.revision.coordinator_change, shipped.revision.counter + 1000)
    await host.daemon.store.replace(Dump(revision, tables))


def test_a_planned_change_of_coordinator_takes_the_newest_records_along(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            deaf(h2)
            await change_password(h1)  # held by h1 and h3
            assert not await knows(h2, NEW_PASSWORD)
            await h1.daemon.scribe.append(CoordinatorChanged(h2.me), by="root", call="test")
            await until(lambda: h2.daemon.leading.begun)
            assert await knows(h2, NEW_PASSWORD)
            assert h2.daemon.store.revision.coordinator_change == h2.roster.number
            assert isinstance(await refusal(change_password(h1)), HostIsSlave)
            await h2.daemon.accounts.set_password("root", "again-another-one-17")
            await until(lambda: alike(h2, h1) and alike(h2, h3))
            assert await knows(h1, "again-another-one-17")

    run(story())


def test_a_new_coordinator_that_reaches_too_few_changes_no_account_and_ships_nothing(
    pool: Pool,
) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            deaf(h2)
            await change_password(h1)
            leading, h1_only = h2.daemon.leading, h1.me

            async def of_one(hosts: Collection[HostId]) -> Gathered:
                return await gather(set(hosts) - {h1_only, h4.me, h5.me})

            gather, leading.gather = leading.gather, of_one  # type: ignore[method-assign]
            await h1.daemon.scribe.append(CoordinatorChanged(h2.me), by="root", call="test")
            await until(lambda: h2.lines("records-not-taken"))
            why = await refusal(change_password(h2))
            assert isinstance(why, RecordsNotTaken)
            assert f"coordinates since entry {h2.roster.number}" in str(why)
            assert await knows(h3, NEW_PASSWORD)
            leading.gather = gather  # type: ignore[method-assign]
            await until(lambda: leading.begun)
            assert await knows(h2, NEW_PASSWORD)
            await until(lambda: alike(h2, h1) and alike(h2, h5))

    run(story())


def deaf(host: Host) -> None:
    """It takes no records any more, until it is restarted."""

    async def refuse(*_: Any) -> Any:
        raise ValueError("deaf")

    request = host.daemon.server._requests["records"]
    object.__setattr__(request, "handle", refuse)


@pytest.mark.parametrize("alone", [False, True])
def test_an_old_coordinators_later_records_give_way(pool: Pool, alone: bool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h2.stop()
            await h3.stop()
            assert isinstance(await refusal(change_password(h1)), RecordsNotHeld)
            await h1.stop()
            await h2.start()
            if not alone:
                await h3.start()
            await take_over(h2, alone=alone)
            if not alone:
                await append(h2)
                await h1.start()
                await until(lambda: leads(h2, h1) and alike(h2, h1))
                assert await knows(h1, PASSWORD)
                assert not await knows(h1, NEW_PASSWORD)
            assert await knows(h2, PASSWORD)

    run(story())
