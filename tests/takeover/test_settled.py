"""What a host knows to be committed, and how that releases it from a vote."""

from __future__ import annotations

import asyncio

import pytest

from daemons import Host, run, running, until
from pooltrust.errors import Failure
from pooltrust.host.takeover.settling import committed_next
from pooltrust.trust import entries as e
from pooltrust.trust.entries import TakenOver
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.heads import Seen
from pooltrust.trust.store import read_settled, settled_file
from trust.pools import A, B, C, D
from trust.pools import Pool as MadeUp

from .stage import Pool, append, settle


def test_it_grows_by_the_heads_of_others_on_every_host_and_outlives_a_restart(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await append(h1)
            await until(lambda: h1.daemon.belief.settled == h1.roster.number)
            for host in (h2, h3):
                await host.daemon.peers.look(h1.me)
                await until(lambda host=host: host.daemon.belief.settled == h1.roster.number)
            await h2.stop()
            log = h1.daemon.belief.log
            assert read_settled(settled_file(h2.folder.log), log) == log.head_number
            for host in (h1, h3):
                await host.stop()
            await h2.start()
            assert h2.daemon.belief.settled == h2.roster.number

    run(story())


def test_what_only_the_coordinator_holds_is_not_settled(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await append(h1)
            await until(lambda: h1.daemon.belief.settled == h1.roster.number)
            for host in (h2, h3):
                await host.stop()
            before = h1.roster.number
            with pytest.raises(Failure):
                await append(h1)
            assert h1.roster.number == before + 1
            assert h1.daemon.belief.settled == before

    run(story())


def test_a_pool_of_one_settles_what_it_writes(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            await append(h1)
            assert h1.daemon.belief.settled == h1.roster.number

    run(story())


def test_nothing_is_written_while_nothing_changes(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h2.daemon.peers.look(h1.me)
            await until(lambda: h2.daemon.belief.settled == h1.roster.number)
            await asyncio.sleep(0.05)
            written = settled_file(h2.folder.log).stat()
            for _ in range(5):
                await h2.daemon.peers.look(h1.me)
            assert settled_file(h2.folder.log).stat() == written

    run(story())


def test_a_vote_is_let_go_when_its_entry_turns_out_to_be_committed_without_it(pool: Pool) -> None:
    h1, h2, h3, h4 = pool(4)

    async def story() -> None:
        async with running(h1, h2, h3, h4):
            await settle(h1, h2, h3, h4)
            await vote(h4, h3)
            said = await append(h1)  # held by h1, h2 and h3
            await until(lambda: h4.daemon.belief.log.hash_at(said.entry.number) == said.hash)
            assert not h4.daemon.belief.bound

    run(story())


def test_a_vote_stands_while_too_few_hold_the_other_entry(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            for host in (h2, h3):
                await vote(host, h2)
            before = h1.roster.number
            with pytest.raises(Failure) as why:
                await append(h1)
            assert why.value.code == "NOT_COMMITTED"
            assert h3.roster.number == h2.roster.number == before
            assert h3.daemon.belief.bound
            assert h3.lines("log-bound")

    run(story())


async def vote(host: Host, taker: Host) -> None:
    body = TakenOver(taker.me, host.roster.coordinator)
    signed = taker.daemon.taking._signed(taker.daemon.belief.log, body, "root", "test")
    await host.daemon.belief.vote_for(lambda *_: signed)


# What heads show of an entry that was offered.

POOL = MadeUp.found(B, C, D)


def grown(*addresses: str) -> tuple[SignedEntry, ...]:
    pool = POOL.copy()
    return tuple(pool.append(e.AddressChanged(B, address)) for address in addresses)


def heads(*seen: tuple[str, SignedEntry]) -> list[Seen]:
    return [Seen(host, said.entry.number, said.hash, 0.0, True) for host, said in seen]


def test_half_of_the_members_with_the_coordinator_show_it_also_by_later_heads():
    first, second = grown("x", "y")
    shown = frozenset({first.hash})
    assert committed_next(POOL.log, [first], heads((A, first), (B, first))) == shown
    assert committed_next(POOL.log, [first, second], heads((A, second), (B, first))) == shown
    assert not committed_next(POOL.log, [first], heads((A, first)))
    assert not committed_next(POOL.log, [first], heads((C, first), (B, first), (D, first)))
    assert not committed_next(POOL.log, [first], heads((A, second), (B, second)))


def test_entries_that_do_not_link_show_nothing():
    _, second = grown("x", "y")
    other, _ = grown("z", "y")
    seen = heads((A, second), (B, second))
    assert not committed_next(POOL.log, [other, second], seen)
    assert not committed_next(POOL.log, [second], seen)
    assert not committed_next(POOL.log, [], seen)
