"""Endorsing a takeover: one vote per predecessor, stored before it is given.

More than half of the members endorse and at least half hold what is committed, so the two always
share a member, and an endorsed takeover never loses a committed entry.  That holds because a member
keeps to its vote: see `adopt` in log/adopt.py.  Storing votes is the store's work.

Two members that take over at once would split the votes for ever, so one exception is made, and no
other: whoever takes over itself may move its own vote, see `may_yield` and `may_insist`.
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
from pooltrust.trust.roster.endorsing import endorsement_statement, endorsers


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

    Only it could have written the end of its own takeover, and it never does once its vote is
    elsewhere; and only to the smaller hash, so that no two yield to one another.
    """
    return taker(own) == host and taker(other) != host and other.hash < own.hash


def may_insist(host: HostId, given: SignedEntry, own: SignedEntry) -> bool:
    """Whether `host` may give the vote that another's takeover has to a new one of its own.

    Two takeovers that were both endorsed would have two voters in common, who could only be the
    two takers.  But each signs its own before anybody votes for it: one of them was the first.
    """
    return taker(given) != host and taker(own) == host


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
