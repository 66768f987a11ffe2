"""Takeovers that stop half way, or that two begin at once: they end, and there is one of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.errors import MayNotEndorse, OperationNotAllowed
from pooltrust.host.peers import wire
from pooltrust.host.takeover.collecting import TooFewEndorse
from pooltrust.pool.plan.steps import Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import TakenOver
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.roster.endorsing import abandonment_statement
from pooltrust.trust.store import read_vote, verify_log, vote_file
from pooltrust.trust.takeover import may_yield

from .stage import Pool, leads, refusal, settle, spread, take_over


class Stopped(Exception):
    """The daemon stopped here."""


def stop_after(owner: Any, name: str) -> None:
    """Let this be done, and nothing after it."""
    work = getattr(owner, name)

    async def stopping(*arguments: Any, **named: Any) -> Any:
        await work(*arguments, **named)
        raise Stopped

    setattr(owner, name, stopping)


def stop_before(owner: Any, name: str) -> None:
    """Let this not be done any more."""

    async def stopping(*_: Any, **__: Any) -> Any:
        raise Stopped

    setattr(owner, name, stopping)


def test_a_member_that_stops_between_its_vote_and_its_answer_gives_the_same_one_again(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()

            async def silent(peer: HostId, frame: wire.Frame) -> wire.Frame:
                await endorse(peer, frame)
                raise MayNotEndorse("its answer is lost")

            endorse = h3.daemon.server._requests["endorse"].handle
            object.__setattr__(h3.daemon.server._requests["endorse"], "handle", silent)
            assert isinstance(await refusal(take_over(h2)), TooFewEndorse)
            await h3.stop()
            stored = read_vote(vote_file(h3.folder.log))
            assert stored is not None
            assert stored.entry.body == TakenOver(h2.me, _me(h1))
            await h3.start()
            assert h3.daemon.belief.candidate == stored
            await take_over(h2)
            assert h2.daemon.belief.log.at(stored.entry.number) == stored
            await spread(h2)
            await until(lambda: leads(h2, h3))

    run(story())


@pytest.mark.parametrize("where", ["collect", "_take_records"])
def test_a_taker_that_stops_before_it_writes_goes_on_with_the_takeover_that_it_signed(
    pool: Pool, where: str
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()
            taking = h2.daemon.taking
            stop_after(taking if hasattr(taking, where) else taking._collecting, where)
            with pytest.raises(Stopped):
                await take_over(h2)
            signed = h2.daemon.belief.candidate
            assert signed is not None
            await h2.restart()
            assert h2.daemon.belief.candidate == signed
            assert not h2.daemon.belief.is_coordinator
            await take_over(h2)
            assert h2.daemon.belief.log.at(signed.entry.number) == signed

    run(story())


def test_a_taker_that_stops_once_it_has_written_leads_with_the_records_after_its_start(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()
            stop_before(h2.daemon.leading, "lead_with")
            stop_before(h2.daemon.leading, "take_the_lead")
            with pytest.raises(Stopped):
                await take_over(h2)
            number = h2.roster.number - 1
            await h2.restart()
            await until(lambda: h2.daemon.leading.begun)
            assert h2.daemon.store.revision.coordinator_change == number
            await take_over_again(h2, _me(h1))
            assert h2.roster.number == number + 1

    async def take_over_again(taker: Host, lost: HostId) -> None:
        await taker.daemon.taking.write(Append(TakenOver(taker.me, lost), 0))

    run(story())


def test_a_taker_that_lost_its_notes_signs_anew_and_frees_the_votes_of_the_first(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()
            stop_after(h2.daemon.taking._collecting, "collect")
            with pytest.raises(Stopped):
                await take_over(h2)
            first = h3.daemon.belief.candidate
            assert first is not None and first == h2.daemon.belief.candidate
            await h2.stop()
            vote_file(h2.folder.log).unlink()
            await h2.start()
            assert h2.daemon.belief.candidate is None
            await take_over(h2)
            assert h2.daemon.belief.is_coordinator
            assert h2.daemon.belief.log.at(first.entry.number) != first

    run(story())


def test_a_vote_that_cannot_be_stored_is_not_given(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()
            full = h3.folder.log.with_name("trust.log.vote")
            full.mkdir()  # a folder is in the way
            why = await refusal(take_over(h2))
            assert isinstance(why, TooFewEndorse)
            assert "could not be stored" in why.why
            assert h3.daemon.belief.candidate is None
            full.rmdir()
            await take_over(h2)

    run(story())


def test_a_vote_that_cannot_be_read_keeps_a_host_from_starting(pool: Pool) -> None:
    (h1,) = pool(1)
    vote_file(h1.folder.log).write_bytes(b"junk\n")

    async def story() -> None:
        why = await refusal(h1.start())
        assert why.code == "STATE_FOLDER_REFUSED"
        assert "its vote for a takeover can't be read" in str(why)

    run(story())


@pytest.mark.parametrize("size", [3, 5])
def test_of_two_takers_at_once_one_leads_and_the_other_is_told_who(pool: Pool, size: int) -> None:
    h1, h2, h3, *others = pool(size)

    async def story() -> None:
        async with running(h1, h2, h3, *others):
            await settle(h1, h2, h3, *others)
            await h1.stop()
            ends = await asyncio.gather(take_over(h2), take_over(h3), return_exceptions=True)
            (winner,) = (host for host in (h2, h3) if host.daemon.belief.is_coordinator)
            (loser,) = (host for host in (h2, h3) if host is not winner)
            assert ends[(h2, h3).index(winner)] is None
            why = ends[(h2, h3).index(loser)]
            # That it has yielded, or that nobody is behind it, whichever it heard first.
            assert isinstance(why, OperationNotAllowed | TooFewEndorse)
            assert f"he takeover by {winner.config.name}" in str(why)
            await spread(winner)
            await until(lambda: leads(winner, loser, *others))

    run(story())


def test_of_two_takers_that_both_signed_the_one_with_the_greater_hash_yields(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            await h1.stop()
            for taker in (h2, h3):
                stop_after(taker.daemon.taking, "_vote_for")
            # Both have looked around before either has signed.
            for taker in (h2, h3):
                stop_votes = taker.daemon.taking._look_around

                async def looked(body: TakenOver, look: Any = stop_votes) -> Any:
                    found = await look(body)
                    found.clear()
                    return found

                taker.daemon.taking._look_around = looked  # type: ignore[method-assign]
                with pytest.raises(Stopped):
                    await take_over(taker)
            one, other = h2.daemon.belief.candidate, h3.daemon.belief.candidate
            assert one and other
            wins, yields = (h2, h3) if may_yield(h3.me, other, one) else (h3, h2)
            for host in (h2, h3):
                await host.restart()
            why = await refusal(take_over(yields))
            assert isinstance(why, TooFewEndorse)
            assert f"its vote is given to the takeover by {wins.config.name}" in str(why)
            await take_over(wins)
            assert wins.daemon.belief.is_coordinator
            await spread(wins)
            await until(lambda: leads(wins, yields))

    run(story())


def test_who_has_yielded_takes_its_own_takeover_up_no_more(pool: Pool) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            await h1.stop()
            await h5.stop()
            stop_after(h2.daemon.taking._collecting, "collect")
            with pytest.raises(Stopped):
                await take_over(h2)
            signed = h2.daemon.belief.candidate
            assert signed is not None and h4.daemon.belief.candidate == signed
            # h3 takes over as well, in a moment when nobody tells it of the other.
            await h2.daemon.belief.vote_for(lambda roster, _: _smaller(h3, signed.hash))
            await h2.restart()
            why = await refusal(take_over(h2))
            assert isinstance(why, OperationNotAllowed)
            assert "The takeover by h3 is under way.  Go on there" in str(why)

    run(story())


def test_the_votes_of_a_takeover_that_was_given_up_go_to_the_one_that_is_left(pool: Pool) -> None:
    """Two of four voters each: without that neither of the takers could ever lead."""
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            await h1.stop()
            await h5.stop()
            stop_after(h2.daemon.taking._collecting, "collect")
            with pytest.raises(Stopped):
                await take_over(h2)
            first = h2.daemon.belief.candidate
            assert first is not None
            await h5.start()
            await h5.daemon.belief.vote_for(lambda roster, _: first)
            await h3.daemon.belief.vote_for(lambda roster, _: _smaller(h3, first.hash))
            # Nobody but its taker frees a vote, and only after its own has gone elsewhere.
            for asker, own in ((h4, first), (h2, first)):
                with pytest.raises(MayNotEndorse):
                    asker.daemon.endorsing.abandon(own)
            await take_over(h3)
            assert h3.daemon.belief.is_coordinator
            await spread(h3)
            await until(lambda: leads(h3, h2, h4, h5))

    run(story())


def test_a_word_that_another_than_its_taker_signed_frees_no_vote(pool: Pool) -> None:
    h1, h2, h3, h4 = pool(4)

    async def story() -> None:
        async with running(h1, h2, h3, h4):
            await settle(h1, h2, h3, h4)
            await h1.stop()
            first = await _voted_for(h2, h2, h4)
            await _voted_for(h3, h3)
            said = abandonment_statement(h3.roster.pool, h2.me, first.hash)
            identity = h3.daemon.belief.identities.pool.identity
            forged = wire.b64(identity.sign(said))
            other = h3.daemon.belief.candidate
            assert other is not None
            with pytest.raises(wire.PeerRefused, match="its vote is given to the takeover by h2"):
                await h3.daemon.peers.call(
                    h4.me,
                    "endorse",
                    candidate=other.line().decode(),
                    abandoned=[{"takeover": first.hash, "signature": forged}],
                )
            assert h4.daemon.belief.candidate == first

    run(story())


def test_a_member_that_says_that_another_takes_over_keeps_nobody_from_it(pool: Pool) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, h3, h4, h5):
            await settle(h1, h2, h3, h4, h5)
            await h1.stop()
            # h5 was broken into: it says that it has voted for a takeover by h3.
            made_up = await _voted_for(h3, h5)
            assert h3.daemon.belief.candidate is None
            await take_over(h2)
            assert h2.daemon.belief.is_coordinator
            assert h5.daemon.belief.candidate == made_up

    run(story())


async def _voted_for(taker: Host, *hosts: Host) -> SignedEntry:
    """Have these hosts give their vote to a takeover by this one."""
    log = taker.daemon.belief.log
    body = TakenOver(taker.me, log.roster.coordinator)
    signed = taker.daemon.taking._signed(log, body, "root", "test")
    for host in hosts:
        await host.daemon.belief.vote_for(lambda *_: signed)
    return signed


def _smaller(host: Host, than: str) -> Any:
    """A takeover by this host with a smaller hash."""
    taking, log = host.daemon.taking, host.daemon.belief.log
    body = TakenOver(host.me, log.roster.coordinator)
    while True:
        signed = taking._signed(log, body, "root", "test")
        if signed.hash < than:
            return signed


def _me(host: Host) -> HostId:
    return verify_log(host.folder.log).roster.coordinator
