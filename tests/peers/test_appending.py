"""Appending: what is done is held by half, what may have been missed is fetched, forks are seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daemons import Host, Stock, alike, run, running, until
from pooltrust.errors import HostIsSlave
from pooltrust.host.peers.scribe import Forked, MayHaveMissed, NotCommitted
from pooltrust.trust.entries import AddressChanged, HostDismissed
from pooltrust.trust.entry import SignedEntry

Pool = Callable[..., tuple[Host, ...]]


async def append(h1: Host, address: str, by: str = "root") -> SignedEntry:
    """Append an entry that harms nobody: an address is a hint."""
    body = AddressChanged(h1.me, address)
    return await h1.daemon.scribe.append(body, by=by, call="test")


async def fit(h1: Host) -> None:
    """Have the coordinator compare heads, as it does before its first append."""
    await h1.daemon.scribe.become_fit()


def test_an_entry_is_brought_to_every_member_before_it_is_done(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            entry = await append(h1, h1.config.address)
            for host in (h1, h2, h3):
                assert host.daemon.belief.log.at(4) == entry

    run(story())


def test_what_fewer_than_half_hold_is_not_said_to_be_done_and_is_done_when_they_are_back(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await fit(h1)
            await h2.stop()
            await h3.stop()
            with pytest.raises(NotCommitted) as why:
                await append(h1, h1.config.address)
            assert (
                "1 of 3 members hold entry 4, and 2 must: h2, h3 did not answer. "
                "Start the missing hosts"
            ) in str(why.value)
            await h3.start()
            await until(lambda: h3.roster.head == h1.roster.head)
            await until(lambda: h3.me in h1.daemon.sightings.holders(3))
            await append(h1, h1.config.address)
            await h2.start()
            await until(lambda: alike(h1, h2) and alike(h1, h3))

    run(story())


def test_half_of_the_members_are_enough_and_the_others_get_it_later(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await fit(h1)
            await h2.stop()
            await append(h1, h1.config.address)
            await h2.start()
            await until(lambda: alike(h1, h2))

    run(story())


def test_after_a_start_nothing_is_appended_before_half_have_shown_their_logs(pool: Pool) -> None:
    h1, h2, _ = pool(3)

    async def story() -> None:
        async with running(h1, later=[h2]):
            with pytest.raises(MayHaveMissed) as why:
                await append(h1, h1.config.address)
            assert "h2, h3 did not answer" in str(why.value)
            assert h1.roster.number == 3
            await h2.start()
            await append(h1, h1.config.address)

    run(story())


def test_a_coordinator_that_sees_another_branch_names_its_holder_and_appends_nothing(
    stock: Stock, tmp_path: Path
) -> None:
    """Two copies of one coordinator ran, each with another member."""
    h1, h2, h3 = stock.pool(tmp_path, "h1", "h2", "h3")
    copy = h1.copied(tmp_path / "copy")

    async def story() -> None:
        async with running(h1, h2):
            await append(h1, h1.config.address)
        async with running(copy, h3, later=[h2]):
            await append(copy, copy.config.address, by="the copy")
            h2.folder.heads.unlink()  # it remembers nothing of the other copy
            await h2.start()
            # h2 has as many entries, but they are others: it holds nothing of ours.
            await copy.daemon.peers.look_around()
            assert copy.daemon.sightings.holders(4) == {copy.me, h3.me}
            await h3.stop()
            with pytest.raises(NotCommitted) as held:
                await append(copy, copy.config.address, by="the copy")
            assert "1 of 3 members hold entry 5" in str(held.value)
            await copy.restart()
            before = copy.roster.head
            with pytest.raises(Forked) as forked:
                await append(copy, copy.config.address, by="the copy")
            assert "on h2, so it appends none" in str(forked.value)
            assert before == copy.roster.head

    run(story())


def test_a_member_that_was_away_fetches_what_it_missed_from_whoever_is_there(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2):
            await append(h1, h1.config.address)
        async with running(h2, h3):
            await h3.daemon.peers.look(h2.me)
            assert h3.roster.head == h2.roster.head
            assert h3.daemon.sightings.current(h3.daemon.context.monotonic())

    run(story())


def test_a_supporter_appends_nothing(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            with pytest.raises(HostIsSlave) as why:
                await append(h2, h2.config.address)
            assert [h1.config.address] == why.value.parameters()
            assert h1.roster.number == h2.roster.number == 2

    run(story())


def test_what_follows_an_entry_that_is_not_committed_is_not_done_either(pool: Pool) -> None:
    """The dismissal makes the pool smaller, but those who were members could still undo it."""
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await fit(h1)
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            gone, number = h3.me, h1.roster.number
            await h2.stop()
            await h3.stop()
            with pytest.raises(NotCommitted):
                await h1.daemon.scribe.append(HostDismissed(gone, ""), by="root", call="test")
            with pytest.raises(NotCommitted) as why:
                await append(h1, h1.config.address)
            assert f"1 of 3 members hold entry {number + 1}, and 2 must" in str(why.value)
            await h2.start()
            await append(h1, h1.config.address)

    run(story())
