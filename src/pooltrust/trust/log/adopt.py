"""What a host does with entries that it is offered: it only ever moves forward, but for two cases.

An endorsed takeover wins over the entries of the coordinator it replaced, and an administrator's
local order wins over everything.  Decides only: storing, alerts and asking again are the host's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from pooltrust.errors import BadEntry, TakeoverNeedsOrder, UpgradeThisHost
from pooltrust.terms import EntryHash, HostId, Thumbprint
from pooltrust.trust.entries import (
    AnchorRemoved,
    CertificateWithdrawn,
    HostDismissed,
    TakeoverEndorsed,
)
from pooltrust.trust.entry import NotAnEntry, SignedEntry
from pooltrust.trust.log.chain import Log, Run, run
from pooltrust.trust.roster import Roster
from pooltrust.trust.takeover import Vote, behind

_ENDORSED = TakeoverEndorsed.kind.encode()


@dataclass(frozen=True, slots=True)
class Local:
    """What this host alone knows when it decides."""

    ordered: frozenset[EntryHash] = frozenset()
    """Entries that an administrator ordered it to follow, with everything before them."""
    vote: Vote | None = None
    """Its last vote for a takeover."""
    committed: frozenset[EntryHash] = frozenset()
    """Entries that it knows to be committed, from the heads of others: they release it from a vote
    for a takeover that can't be endorsed any more."""
    settled: int | None = None
    """The number up to which it knows its own entries to be committed; None if it keeps no count.
    What contradicts them was not endorsed by honest members, whatever signatures it has."""


NOTHING_LOCAL = Local()
"""A host that never voted, was ordered nothing and keeps no count of what is committed."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What a host had taken for done and lost by moving to another branch: to be ordered again."""

    dismissed: tuple[tuple[HostId, str], ...] = ()
    """Hosts that are members again, with their names."""
    withdrawn: tuple[tuple[HostId, str, Thumbprint], ...] = ()
    """Certificates that are accepted again, with the host and its name."""
    anchors: tuple[Thumbprint, ...] = ()
    """Anchors that are trusted again."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """An entry was not taken: it is bad, needs a newer release, or needs an order."""

    why: BadEntry | UpgradeThisHost | TakeoverNeedsOrder


@dataclass(frozen=True, slots=True)
class Adopted:
    """The log to hold from now on.  `then` says what kept the rest of the offer out."""

    log: Log
    new: tuple[SignedEntry, ...]
    """The entries that this host did not have."""
    left: tuple[SignedEntry, ...] = ()
    """Its own entries that it moved away from: evidence to keep.  Empty if it moved forward."""
    given_up: GivenUp = field(default_factory=GivenUp)
    then: Stopped | None = None


@dataclass(frozen=True, slots=True)
class AlreadyHeld:
    """Nothing new that counts."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries are missing in between: ask for those after `need_after`."""

    need_after: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Two properly signed entries with one number: evidence.  Nothing moves without an order."""

    number: int
    ours: SignedEntry
    theirs: SignedEntry
    ours_stands: bool
    """Ours is an endorsed takeover and theirs is not: the other host will move, not this one."""


@dataclass(frozen=True, slots=True)
class Bound:
    """This host has given its vote to a takeover and does not follow another entry in its place."""

    vote: Vote


Outcome: TypeAlias = Adopted | AlreadyHeld | Gap | Fork | Bound | Stopped


def adopt(own: Log, offered: Sequence[SignedEntry], *, local: Local) -> Outcome:
    """Decide on entries that somebody offers, in their order and without gaps.

    Who offers them does not matter: only signatures count, and what this host alone knows.  `local`
    has no default, because a vote that is forgotten here can lose a committed entry.
    """
    if not offered:
        return AlreadyHeld()
    try:
        first = offered[0].envelope.number
    except NotAnEntry as why:
        return Stopped(BadEntry("form", own.head_number + 1, str(why)))
    if first > own.head_number + 1:
        return Gap(own.head_number)
    # Entries from before the beginning of a log that begins at a checkpoint can't be compared.
    beyond = max(0, own.first - first)
    offered, first = offered[beyond:], first + beyond
    new = _unlike(own, offered, first)
    if new == len(offered):
        return AlreadyHeld()
    number = first + new
    before = own.hash_at(number - 1)
    if new == 0 and before and offered[0].envelope.previous != before and first > own.first:
        return Gap(_further_back(own, first))
    return _decide(own, number, offered[new:], local)


def _unlike(own: Log, offered: Sequence[SignedEntry], first: int) -> int:
    """The index of the first offered entry that this host does not have."""
    for index, signed in enumerate(offered):
        if own.hash_at(first + index) != signed.hash:
            return index
    return len(offered)


def _further_back(own: Log, first: int) -> int:
    """Where to look for the common beginning of two branches: twice as far back each time."""
    distance = own.head_number - first + 2
    return max(own.first - 1, own.head_number - 2 * distance)


def _decide(own: Log, number: int, theirs: Sequence[SignedEntry], local: Local) -> Outcome:
    """Take `theirs`, which follow entry ``number - 1`` of our own log, or not."""
    if number <= own.first and own.base is None:
        return Stopped(BadEntry("foreign", number, "it is the log of another pool"))
    common = own.roster_at(number - 1)
    covered = [index for index, signed in enumerate(theirs) if signed.hash in local.ordered]
    ordered = {signed.hash for signed in theirs[: covered[-1] + 1]} if covered else set()
    done = run(common, own.kept_until(number - 1), theirs, ordered)
    by_order = any(signed.hash in local.ordered for signed in done.taken)
    if number > own.head_number:
        if done.taken and not by_order and _is_bound(own, done, local):
            return Bound(local.vote) if local.vote else AlreadyHeld()
        return _moved(own, own.grown(done), done, ())
    if by_order:
        return _moved(own, own.grown(done), done, own.tail(common.number))
    return _forked(own, common, done, theirs[0], local)


def _forked(own: Log, common: Roster, done: Run, theirs: SignedEntry, local: Local) -> Outcome:
    ours = own.tail(common.number)
    if not done.taken and not isinstance(done.stop, TakeoverNeedsOrder):
        return Stopped(done.stop) if done.stop else AlreadyHeld()
    judges: tuple[Roster, ...] = (common,)
    if local.settled is None:
        # Keys outlive memberships: most members of long ago, dismissed since, or a few of a pool
        # that has grown, must not rewrite what followed.  So the present members must agree too.
        judges = (common, own.roster)
    contradicts = local.settled is not None and common.number < local.settled
    theirs_wins = not contradicts and _has_endorsed(judges, done.taken)
    ours_wins = _has_endorsed((common,), ours)
    if theirs_wins and not ours_wins:
        return _moved(own, own.grown(done), done, ours)
    stands = ours_wins and not theirs_wins
    return Fork(common.number + 1, ours[0], theirs, ours_stands=stands)


def _moved(own: Log, log: Log, done: Run, left: tuple[SignedEntry, ...]) -> Outcome:
    then = Stopped(done.stop) if done.stop else None
    if not done.taken:
        return then or AlreadyHeld()
    return Adopted(log, tuple(done.taken), left, _given_up(left, log.roster), then)


def _is_bound(own: Log, done: Run, local: Local) -> bool:
    """Whether a vote keeps this host from following.

    Otherwise a replaced coordinator could still commit an entry with a member that had endorsed
    its replacement, and the takeover would lose that entry.
    """
    vote = local.vote
    if vote is None or vote.predecessor != own.head_hash or done.taken[0].hash == vote.takeover:
        return False
    if any(signed.hash in local.committed for signed in done.taken):
        return False
    return not _has_endorsed((own.roster,), done.taken)


def _has_endorsed(judges: Sequence[Roster], branch: Sequence[SignedEntry]) -> bool:
    """Whether a branch has a takeover endorsed by more than half of the members of each judge.

    A judge is a roster that the branch did not make: on its own branch a coordinator could dismiss
    everybody and have a takeover endorsed by hosts that it made up.
    """
    for taken_over, follower in pairwise(branch):
        # Looking at the bytes first: a branch may be long, and takeovers are rare.
        body = follower.entry.body if _ENDORSED in follower.payload else None
        if not isinstance(body, TakeoverEndorsed):
            continue
        agreed = [behind(judge, taken_over, body.endorsements) for judge in judges]
        count = 2 * len(set.intersection(*agreed))
        if all(count > len(judge.members) for judge in judges):
            return True
    return False


def _given_up(left: Sequence[SignedEntry], now: Roster) -> GivenUp:
    dismissed: dict[HostId, str] = {}
    withdrawn: dict[Thumbprint, tuple[HostId, str, Thumbprint]] = {}
    anchors: dict[Thumbprint, None] = {}
    for body in (signed.entry.body for signed in left):
        if isinstance(body, HostDismissed) and body.host in now.members:
            dismissed[body.host] = now.members[body.host].name
        elif isinstance(body, CertificateWithdrawn) and now.host_of(body.thumbprint) == body.host:
            name = now.members[body.host].name
            withdrawn[body.thumbprint] = (body.host, name, body.thumbprint)
        elif isinstance(body, AnchorRemoved) and body.thumbprint in now.anchors:
            anchors[body.thumbprint] = None
    return GivenUp(tuple(dismissed.items()), tuple(withdrawn.values()), tuple(anchors))
