"""A member's side of a takeover by another: has it lost its coordinator, and whom did it vote for?

The vote, with the takeover it is given to, is on disk before the endorsement leaves this host.  It
is one per predecessor: see trust/takeover.py for the rules, and for what they keep from being lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pooltrust.errors import Failure, MayNotEndorse
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import EntryHash, HostId
from pooltrust.trust.entry import NotAnEntry, SignedEntry
from pooltrust.trust.roster import Roster
from pooltrust.trust.takeover import (
    Abandonment,
    Vote,
    abandon,
    endorse,
    is_free,
    may_endorse,
    may_yield,
    taker,
)

LOST_SECONDS = 5.0
"""A coordinator that has not answered by then, asked just now, is lost."""
MOST_ABANDONED = 64
"""So many takeovers that were given up are looked at, for one endorsement."""


class Endorsing:
    """Votes for takeovers by other members."""

    def __init__(self, belief: Belief, peers: Peers, scribe: Scribe, journal: Journal) -> None:
        self._belief = belief
        self._peers = peers
        self._scribe = scribe
        self._journal = journal

    async def lead(self, _peer: HostId, _frame: wire.Frame) -> wire.Frame:
        """Say that this host leads its pool.

        Raises HostIsSlave if it does not; MayHaveMissed or Forked if it can't know after a start.
        """
        await self._scribe.become_fit()
        return {}

    async def vote(self, _peer: HostId, _frame: wire.Frame) -> wire.Frame:
        """Hand back the takeover that has this host's vote for what follows its log."""
        candidate = self._belief.candidate if self._belief.bound else None
        return {"candidate": candidate.line().decode() if candidate else ""}

    async def endorse(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Endorse the takeover of `peer`, or raise MayNotEndorse, CannotStore."""
        signed = candidate(frame)
        if signed is None:
            raise wire.PeerMisspoke("no takeover to endorse")
        if signed.envelope.number > self._belief.log.head_number + 1:
            await self._peers.look(peer)  # it has entries that this host lacks: take them first
        # Whoever has voted for what comes next follows the coordinator no more, lost or back.
        if (own := self._peers.witness.own) is not None:
            raise MayNotEndorse(f"it may have given its vote before: it is a copy ({own.why})")
        there = "" if self._belief.bound else await self.coordinator_there()
        given_up = abandonments(frame)

        def choose(roster: Roster, given: SignedEntry | None) -> SignedEntry:
            before = given if given and given.envelope.previous == roster.head else None
            if before and before != signed and not self._may_leave(before, signed, given_up):
                raise MayNotEndorse(f"its vote is given to {takeover_words(before, roster)}")
            if there and not before:
                raise MayNotEndorse(there)
            if taker(signed) != peer:
                raise MayNotEndorse("another host than the one that takes over brought it")
            may_endorse(roster, signed, host=self._belief.me, vote=None, lost=True)
            return signed

        await self._belief.vote_for(choose)
        self._journal.warning(
            "takeover-endorsed", taker=peer, number=signed.envelope.number, takeover=signed.hash,
            lost=self._belief.roster.coordinator,
        )  # fmt: skip
        identity = self._belief.identities.pool.identity
        given = endorse(self._belief.roster.pool, self._belief.me, Vote.of(signed), identity)
        return {"signature": wire.b64(given.signature)}

    def _may_leave(
        self, before: SignedEntry, other: SignedEntry, given_up: Sequence[Abandonment]
    ) -> bool:
        """Whether the takeover that has this host's vote is never written."""
        mine = may_yield(self._belief.me, before, other)
        return mine or is_free(self._belief.roster, before, given_up)

    async def abandoned(self, _peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Say, signed, that this host never writes a takeover of its own that it gave up."""
        own = candidate(frame)
        if own is None:
            raise wire.PeerMisspoke("no takeover that was given up")
        return {"signature": wire.b64(self.abandon(own).signature)}

    def abandon(self, own: SignedEntry) -> Abandonment:
        """The same, as a value.  Raises MayNotEndorse if it has not given it up."""
        belief = self._belief
        identity = belief.identities.pool.identity
        return abandon(belief.roster, belief.me, own, belief.vote, identity)

    async def coordinator_there(self) -> str:
        """Ask the coordinator, now, whether it leads.  Empty if it is lost; else words that it is.

        It has to prove itself, whatever the verification setting, and to say that it coordinates
        and has compared its log since its start; an answer after LOST_SECONDS is none.
        """
        coordinator = self._belief.roster.coordinator
        name = self._belief.roster.expect(coordinator).name
        if coordinator == self._belief.me:
            return "this host is the coordinator"
        try:
            async with asyncio.timeout(LOST_SECONDS), self._peers.link(coordinator) as link:
                if link.verified and link.greeted.head is not None:
                    await link.ask("lead", within=LOST_SECONDS)
                    return f"the coordinator {name} answers and leads the pool"
        except (Failure, TimeoutError) as why:
            words = str(why) or f"no answer within {LOST_SECONDS:g} s"
            reason = why.code if isinstance(why, Failure) else "TIMEOUT"
            self._journal.damped("coordinator-lost", peer=coordinator, reason=reason, words=words)
        return ""


def candidate(frame: wire.Frame) -> SignedEntry | None:
    """The takeover in a frame; None if there is none.  Raises PeerMisspoke."""
    line = wire.text(frame, "candidate", limit=2**20)
    if not line:
        return None
    try:
        signed = SignedEntry.from_line(line.encode())
        if taker(signed) is None:
            raise wire.PeerMisspoke("'candidate' is no takeover")
    except (NotAnEntry, UnicodeEncodeError) as why:
        raise wire.PeerMisspoke(f"'candidate' can't be read: {why}") from why
    return signed


def abandonments(frame: wire.Frame) -> tuple[Abandonment, ...]:
    """The words of takers that gave up, in a frame.  Raises PeerMisspoke."""
    said = frame.get("abandoned", [])
    if not isinstance(said, list) or len(said) > MOST_ABANDONED:
        raise wire.PeerMisspoke(f"'abandoned' is no list of at most {MOST_ABANDONED}")
    if not all(isinstance(one, dict) for one in said):
        raise wire.PeerMisspoke("'abandoned' is no list of objects")
    return tuple(
        Abandonment(
            EntryHash(wire.text(one, "takeover", limit=64)),
            wire.raw(one, "signature", limit=1024),
        )
        for one in said
    )


def takeover_words(signed: SignedEntry, roster: Roster) -> str:
    """Whose takeover it is."""
    return f"the takeover by {roster.expect(taker(signed) or HostId('')).name}"
