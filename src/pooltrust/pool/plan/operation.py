"""An operation: a state machine without IO.

Given its plan and a picture it says what to do next, that it is done, or why it can't go on and
what would help.  It keeps no place in its plan: every answer is computed from the picture anew, so
going on after a restart is the same function, and doing a step twice is once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Annotated, TypeAlias

from pooltrust.pool.plan.demands import Reason, hindrances, short_of
from pooltrust.pool.plan.everyone import single_steps
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import PLAN_LIMIT, BadPlan, Phase, Plan
from pooltrust.pool.plan.steps import Promote, Step, name
from pooltrust.terms import Thumbprint
from pooltrust.trust import canonical, fields
from pooltrust.trust.entries import CertificateAccepted, HostDismissed, TakenOver
from pooltrust.trust.fields import Recorded

MOST_REASONS = 12
"""In one sentence.  A pool of 64 hosts that all miss one another has thousands."""


@dataclass(frozen=True, slots=True)
class Do:
    """Carry out these steps, in any order or at once, and look again."""

    phase: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do but `owed`, which each host does for itself when it can."""

    words: str
    owed: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspended:
    """It can't go on now.  The pool is consistent."""

    phase: str
    reasons: tuple[Reason, ...]
    may_abandon: bool
    words: str


Next: TypeAlias = Do | Done | Suspended


@dataclass(frozen=True, slots=True)
class Operation(Recorded):
    """What is stored of an operation before its first step: its plan, and whether to undo it."""

    plan: Annotated[Plan, fields.nested(Plan)]
    abandoning: fields.Flag = False

    def next(self, picture: Picture) -> Next:
        """What to do now."""
        gone = picture.withdrawn(self.plan.after)
        if over := self._moot(picture, gone):
            return Done(f"{_capital(self.plan.title)} is over: {over}.")
        owed: list[Step] = []
        wrote = self.last_entry(picture)
        for phase in self._open(picture):
            steps = _not_held(phase, picture, gone)
            ready = tuple(step for step in steps if _may_run(step, picture))
            if ready and not (short := short_of(phase, ready, picture)):
                return Do(phase.name, ready)
            if why := short if ready else hindrances(phase, steps, picture, wrote):
                return self._suspended(phase, why, picture)
            owed += steps
        return Done(self._ending(owed, picture), tuple(owed))

    def may_abandon(self, picture: Picture) -> bool:
        """Whether it has not passed its point of no return."""
        if self.abandoning:
            return False
        final = [entry for phase in self.plan.phases if phase.final for entry in phase.entries]
        return not any(entry.holds(picture) for entry in final)

    def last_entry(self, picture: Picture) -> int:
        """The number of its last entry; that of the log's last one if it has written nothing."""
        phases = (*self.plan.phases, *self.plan.undo)
        numbers = [picture.written(entry) for phase in phases for entry in phase.entries]
        return max((n for n in numbers if n is not None), default=picture.log.head_number)

    def progress(self, phase: str) -> float:
        """From 0 to 1, how far it is when this phase begins; 0 for one that it does not have."""
        phases = self.plan.undo if self.abandoning else self.plan.phases
        names = [one.name for one in phases]
        return names.index(phase) / len(names) if phase in names else 0.0

    def may_stop_before(self, phase: str) -> bool:
        """Whether the phase that begins comes before its point of no return."""
        begun = takewhile(lambda one: one.name != phase, self.plan.phases)
        there = any(one.name == phase and not one.final for one in self.plan.phases)
        return not self.abandoning and there and not any(one.final for one in begun)

    def abandoned(self) -> Operation:
        """The operation that takes it back; to be stored before its first step."""
        return replace(self, abandoning=True)

    def to_wire(self) -> bytes:
        """As canonical JSON, to be stored."""
        return canonical.encode(self.record())

    @classmethod
    def from_wire(cls, data: bytes) -> Operation:
        """Read `to_wire()`.  Raises BadPlan, whatever the bytes."""
        try:
            return cls.read(canonical.decode(data, limit=PLAN_LIMIT + 1024))
        except ValueError as why:
            raise BadPlan(str(why)) from why

    def _open(self, picture: Picture) -> Sequence[Phase]:
        """The phases from the last one whose entry is in the log: what came before is history."""
        phases = self.plan.undo if self.abandoning else self.plan.phases
        begun = 0
        for index, phase in enumerate(phases):
            if any(picture.written(entry) is not None for entry in phase.entries):
                begun = index
        return phases[begun:]

    def _moot(self, picture: Picture, gone: frozenset[Thumbprint]) -> str:
        """Why it has no object any more: something that was not part of it came between."""
        roster, subject = picture.roster, self.plan.subject
        coordinator = name(roster, roster.coordinator)
        leaves = False
        for entry in (entry for phase in self.plan.phases for entry in phase.entries):
            match entry.body:
                case HostDismissed(host=host):
                    leaves = leaves or host == subject
                    if host == roster.coordinator:
                        return f"{coordinator} is the coordinator now"
                case TakenOver(replaced=replaced) if not entry.holds(picture):
                    if replaced != roster.coordinator:
                        return f"{coordinator} is the coordinator now"
                case CertificateAccepted(certificate=der, replaces=old) if self.abandoning:
                    if old in gone and Thumbprint.of(der) not in gone:
                        return "another coordinator had finished it by then"
                case CertificateAccepted(certificate=der, replaces=old):
                    if Thumbprint.of(der) in gone:
                        return "its new certificate was withdrawn since"
                    member = roster.members.get(subject)
                    if member and not entry.holds(picture) and member.newest.thumbprint != old:
                        return f"another refresh of {name(roster, subject)} came between"
                case _:
                    pass
        if subject and subject not in roster.members and not leaves:
            return "the host is no member any more"
        return ""

    def _suspended(self, phase: Phase, reasons: tuple[Reason, ...], picture: Picture) -> Suspended:
        plan, may_abandon = self.plan, self.may_abandon(picture)
        what = (
            f"Undoing {plan.title}"
            if self.abandoning
            else f"{plan.title[:1].upper()}{plan.title[1:]}"
        )
        why = _some((reason.words for reason in reasons), "; ")
        cures = _some((reason.cure for reason in reasons if reason.cure), " ")
        resume = f"Resume: xe operation-resume uuid={plan.id}"
        undo = f"Undo: xe operation-abandon uuid={plan.id}" if may_abandon else ""
        lines = (f'{what} stopped at "{phase.name}": {why}.', plan.standing, cures, resume, undo)
        return Suspended(phase.name, reasons, may_abandon, " ".join(line for line in lines if line))

    def _ending(self, owed: Sequence[Step], picture: Picture) -> str:
        done = "was taken back" if self.abandoning else "is done"
        there = picture.reachable()
        away = {host for step in owed for host in step.needs() - there}
        words = [f"{_capital(self.plan.title)} {done}."]
        members = away & picture.roster.members.keys()
        if members:
            later = ", ".join(sorted(name(picture.roster, host) for host in members))
            words.append(f"Left to be done by {later} on return.")
        if away - members:
            words.append("It does not answer, and learns of it when it returns.")
        failed = [step for step in owed if step in picture.failed and step.needs() <= there]
        said = (f"{step.words(picture.roster)}: {picture.failed[step]}" for step in failed)
        if failed:
            words.append(f"Not done: {_some(said, '; ')}.")
        return " ".join(words)


def _not_held(phase: Phase, picture: Picture, gone: frozenset[Thumbprint]) -> tuple[Step, ...]:
    """What is left to do.  A certificate that was withdrawn is never to be served again."""
    return tuple(
        step
        for step in _steps(phase, picture)
        if not step.holds(picture) and not (isinstance(step, Promote) and step.certificate in gone)
    )


def _steps(phase: Phase, picture: Picture) -> Iterator[Step]:
    for wanted in phase.steps:
        yield from single_steps(wanted, picture)


def _may_run(step: Step, picture: Picture) -> bool:
    return step not in picture.failed and step.needs() <= picture.reachable()


def _some(words: Iterable[str], between: str) -> str:
    """These words, each once; of very many the first ones, and how many more there are."""
    every = list(dict.fromkeys(words))
    more = [f"and {len(every) - MOST_REASONS} more"] if len(every) > MOST_REASONS else []
    return between.join([*every[:MOST_REASONS], *more])


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]
