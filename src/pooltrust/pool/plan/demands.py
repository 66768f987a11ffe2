"""Who must be there for a phase, who is missing, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import assert_never

from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Phase
from pooltrust.pool.plan.steps import Append, Step, name
from pooltrust.terms import HostId
from pooltrust.trust.entries import HostDismissed

NO_HOST = HostId("")
START = "Start it and check its network: pooltrust host status"
OR_EJECT = f"{START}; or eject it: xe pool-eject"
ALONE = "If they are lost for good, order it on each host: xe pool-emergency-reset-master"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operation can't go on, and the cure.  `host` is empty if it is no host's fault."""

    host: HostId
    words: str
    cure: str = ""


def short_of(phase: Phase, ready: Sequence[Step], picture: Picture) -> tuple[Reason, ...]:
    """Who is missing before an entry among these steps may be written."""
    entries = [step for step in ready if isinstance(step, Append) and not step.alone]
    if not entries:
        return ()
    leaving = {e.body.host for e in entries if isinstance(e.body, HostDismissed)}
    there = picture.reachable() - leaving
    if needed := set(phase.needs) - there:
        return _away(needed, picture, OR_EJECT)
    match phase.demand:
        case Demand.EVERYONE:
            return _away(picture.roster.members.keys() - there - leaving, picture, START)
        case Demand.PRESENT | Demand.HALF:
            return () if _may_write(there, picture) else _too_few(there, leaving, picture)
        case Demand.MORE_THAN_HALF:
            return _endorsers(there, picture)
        case Demand.NOBODY:
            return ()
        case _:
            assert_never(phase.demand)


def hindrances(
    phase: Phase, steps: Sequence[Step], picture: Picture, wrote: int
) -> tuple[Reason, ...]:
    """Why the phase can't end although none of these steps, which do not hold, may run now.

    `wrote` is the number of the operation's last entry.  Empty if the rest may be done later.
    """
    return tuple(dict.fromkeys(_hindrances(phase, steps, picture, wrote)))


def _hindrances(
    phase: Phase, steps: Sequence[Step], picture: Picture, wrote: int
) -> Iterator[Reason]:
    there, needs = picture.reachable(), set(phase.needs)
    strict = phase.demand in (Demand.EVERYONE, Demand.PRESENT)
    for step in steps:
        gone = step.needs() - there
        if phase.demand is Demand.EVERYONE:
            yield from _away(gone, picture, START)
        yield from _away(gone & needs, picture, OR_EJECT)
        matters = strict or isinstance(step, Append) or step.needs() & needs
        if matters and not gone and step in picture.failed:
            yield _refused(step, picture)
    if phase.commits and not picture.committed(wrote):
        yield from _too_few(picture.holders(wrote), frozenset(), picture)


def _may_write(there: AbstractSet[HostId], picture: Picture) -> bool:
    """Whether these are enough for the next entry, and for those that are not committed yet."""
    roster = picture.roster
    # One that is a member no more can't bear witness to what it holds.
    there = roster.members.keys() & there
    half = 2 * len(there) >= len(roster.members)
    return roster.coordinator in there and half and picture.enough(there, roster.number)


def _too_few(
    there: AbstractSet[HostId], leaving: AbstractSet[HostId], picture: Picture
) -> tuple[Reason, ...]:
    members = picture.roster.members.keys()
    words = (
        f"{len(members & there)} of {len(members)} members are there or hold the change; at least "
        "half must, the coordinator among them, and at least half of those who were members before"
        " a change that is still under way"
    )
    missing = members - there - leaving - picture.reachable()
    return Reason(NO_HOST, words), *_away(missing, picture, START)


def _endorsers(there: AbstractSet[HostId], picture: Picture) -> tuple[Reason, ...]:
    roster = picture.roster
    voters = roster.members.keys() - {roster.coordinator}
    count, agreed = len(roster.members), len(voters & there)
    if 2 * agreed > count:
        return ()
    words = (
        f"more than half of the {count} members must endorse a takeover, which the lost "
        f"coordinator can't, and {agreed} are there"
    )
    return Reason(NO_HOST, words, ALONE), *_away(voters - there, picture, START)


def _away(hosts: AbstractSet[HostId], picture: Picture, cure: str) -> tuple[Reason, ...]:
    return tuple(Reason(host, _silent(host, picture), cure) for host in sorted(hosts))


def _silent(host: HostId, picture: Picture) -> str:
    words, why = f"{name(picture.roster, host)} does not answer", picture.known(host).why
    return f"{words} ({why})" if why else words


def _refused(step: Step, picture: Picture) -> Reason:
    host = next(iter(sorted(step.needs())), NO_HOST)
    return Reason(host, f"{step.words(picture.roster)}: {picture.failed[step]}")
