"""Endorsing a takeover: one vote per predecessor, stored before it is given.

More than half of the members endorse and at least half hold what is committed, so the two always
share a member, and an endorsed takeover never loses a committed entry.  That holds because a member
keeps to its vote: see `adopt` in log/adopt.py.  Storing votes is the store's work.

Two members that take over at once would split the votes for ever, so one exception is made: a vote
may leave a takeover that is never written.  Only the taker could write it, and gives that up by
moving its own vote (`may_yield`); it says so, signed (`abandon`), to who voted for it (`is_free`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pooltrust.errors import BadEntry, Failure, MayNotEndorse
from pooltrust.pki.identity import Identity
from pooltrust.terms import EntryHash, HostId, PoolId
from pooltrust.trust.entries import Endorsement, TakenOver
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.fields import Hash, Recorded
from pooltrust.trust.roster import Roster, fold
from pooltrust.trust.roster.endorsing import (
    abandonment_statement,
    endorsement_statement,
    endorsers,
)


@dataclass(frozen=True, slots=True)
class Vote(Recorded):
    """This host's one vote for what follows `predecessor`."""

    predecessor: Hash
    takeover: Hash

    @classmethod
    def of(cls, candidate: SignedEntry) -> Vote:
        """The vote for this takeover."""
        return cls(EntryHash(candidate.envelope.previous), candidate.hash)


def may_endorse(
    roster: Roster, taken_over: SignedEntry, *, host: HostId, vote: Vote | None, lost: bool
) -> Vote:
    """The vote to store, before `endorse` is called and its answer sent.

    `roster` is this host's own, `vote` its last one, `lost` whether it has lost its coordinator.
    The same takeover again gives the same vote.  Raises MayNotEndorse.
    """
    try:
        pending = fold(roster, taken_over).pending
    except BadEntry as why:
        raise MayNotEndorse(f"it does not extend this host's log ({why.rule}: {why.why})") from why
    except Failure as why:
        raise MayNotEndorse(str(why)) from why
    if pending is None or not isinstance(taken_over.entry.body, TakenOver):
        raise MayNotEndorse("it is no takeover")
    if host == roster.coordinator:
        raise MayNotEndorse("this host is the coordinator to be replaced")
    if host not in roster.members:
        raise MayNotEndorse("this host is no member")
    if not lost:
        raise MayNotEndorse("this host has not lost its coordinator")
    wanted = Vote(roster.head, taken_over.hash)
    if vote and vote.predecessor == roster.head and vote != wanted:
        raise MayNotEndorse(f"its vote after entry {roster.number} is given to another takeover")
    return wanted


def taker(signed: SignedEntry) -> HostId | None:
    """Who takes over by this entry; None if it is no takeover."""
    body = signed.entry.body
    return body.host if isinstance(body, TakenOver) else None


def may_yield(host: HostId, own: SignedEntry, other: SignedEntry) -> bool:
    """Whether `host` may give the vote that its own takeover has to another one after that entry.

    It is never written then: who writes one has its own vote with it.  Only to the smaller hash, so
    that no two yield to one another.
    """
    return taker(own) == host and taker(other) != host and other.hash < own.hash


@dataclass(frozen=True, slots=True)
class Abandonment:
    """A taker's signed word that it never writes this takeover of its own."""

    takeover: EntryHash
    signature: bytes


def abandon(
    roster: Roster, host: HostId, own: SignedEntry, vote: Vote | None, identity: Identity
) -> Abandonment:
    """The word that `host` never writes `own`; `roster` and `vote`, the stored one, are its own.

    Raises MayNotEndorse unless its vote is with another takeover in the same place: it does not
    come back from there.
    """
    member = roster.members.get(host)
    if member is None or taker(own) != host or not member.signed(own.signature, own.message):
        raise MayNotEndorse("it is no takeover by this host")
    elsewhere = vote is not None and vote.predecessor == roster.head and vote.takeover != own.hash
    if own.envelope.previous != roster.head or not elsewhere:
        raise MayNotEndorse("this host has not given that takeover up")
    said = abandonment_statement(roster.pool, host, own.hash)
    return Abandonment(own.hash, identity.sign(said))


def is_free(roster: Roster, given: SignedEntry, words: Iterable[Abandonment]) -> bool:
    """Whether the taker of the takeover `given`, which has a vote, has abandoned it."""
    host = taker(given)
    member = roster.members.get(host) if host else None
    if host is None or member is None:
        return False
    said = abandonment_statement(roster.pool, host, given.hash)
    return any(w.takeover == given.hash and member.signed(w.signature, said) for w in words)


def endorse(pool: PoolId, host: HostId, vote: Vote, identity: Identity) -> Endorsement:
    """Sign the takeover of a vote that is stored."""
    said = endorsement_statement(pool, host, vote.takeover)
    return Endorsement(host, identity.sign(said))


def endorsed(roster: Roster, taken_over: SignedEntry, endorsements: Iterable[Endorsement]) -> bool:
    """Whether more than half of the members of `roster` are behind this takeover.

    `roster` is the one before it, or an older one that a fork is judged by.
    """
    return 2 * len(behind(roster, taken_over, endorsements)) > len(roster.members)


def behind(
    roster: Roster, taken_over: SignedEntry, endorsements: Iterable[Endorsement]
) -> set[HostId]:
    """The members of `roster` that signed this takeover with a key accepted there.

    The taker counts by its own signature, the replaced coordinator never; nobody is behind one
    that was made alone.
    """
    body = taken_over.entry.body
    if not isinstance(body, TakenOver) or taken_over.entry.alone:
        return set()
    hosts = endorsers(roster, taken_over.hash, endorsements)
    taker = roster.members.get(body.host)
    if taker is not None and taker.signed(taken_over.signature, taken_over.message):
        hosts.add(body.host)
    return hosts - {body.replaced}
