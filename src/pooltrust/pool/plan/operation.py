"""An operation: a state machine without IO.

Given its plan and a picture it says what to do next, that it is done, or why it can't go on and
what would help.  It keeps no place in its plan: every answer is computed from the picture anew, so
going on after a restart is the same function, and doing a step twice is once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from pooltrust.pool.plan.demands import Reason, hindrances, short_of
from pooltrust.pool.plan.everyone import single_steps
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import PLAN_LIMIT, BadPlan, Phase, Plan
from pooltrust.pool.plan.steps import Step, name
from pooltrust.trust import canonical, fields
from pooltrust.trust.entries import HostDismissed
from pooltrust.trust.fields import Recorded
from pooltrust.trust.roster import Roster


@dataclass(frozen=True, slots=True)
class Do:
    """Carry out these steps, in any order or at once, and look again."""

    phase: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do but `owed`, which each host does for itself when it returns."""

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
        if self._is_moot(picture):
            subject = name(picture.roster, self.plan.subject)
            return Done(f"{self.plan.title} is over: {subject} is no member any more.")
        owed: list[Step] = []
        wrote = self._wrote(picture)
        for phase in self._open(picture):
            steps = _not_held(phase, picture)
            ready = tuple(step for step in steps if _may_run(step, picture))
            if ready and not (short := short_of(phase, ready, picture)):
                return Do(phase.name, ready)
            if why := short if ready else hindrances(phase, steps, picture, wrote):
                return self._suspended(phase, why, picture)
            owed += steps
        return Done(self._ending(owed, picture.roster), tuple(owed))

    def may_abandon(self, picture: Picture) -> bool:
        """Whether it has not passed its point of no return."""
        if self.abandoning:
            return False
        final = [entry for phase in self.plan.phases if phase.final for entry in phase.entries]
        return not any(entry.holds(picture) for entry in final)

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

    def _wrote(self, picture: Picture) -> int:
        """The number of its last entry; that of the log's last one if it has written nothing."""
        phases = (*self.plan.phases, *self.plan.undo)
        numbers = [picture.written(entry) for phase in phases for entry in phase.entries]
        return max((n for n in numbers if n is not None), default=picture.log.head_number)

    def _open(self, picture: Picture) -> Sequence[Phase]:
        """The phases from the last one whose entry is in the log: what came before is history."""
        phases = self.plan.undo if self.abandoning else self.plan.phases
        begun = 0
        for index, phase in enumerate(phases):
            if any(picture.written(entry) is not None for entry in phase.entries):
                begun = index
        return phases[begun:]

    def _is_moot(self, picture: Picture) -> bool:
        """Its subject left the pool, and not by this operation."""
        subject = self.plan.subject
        entries = [entry.body for phase in self.plan.phases for entry in phase.entries]
        leaves = any(isinstance(body, HostDismissed) and body.host == subject for body in entries)
        return bool(subject) and subject not in picture.roster.members and not leaves

    def _suspended(self, phase: Phase, reasons: tuple[Reason, ...], picture: Picture) -> Suspended:
        plan, may_abandon = self.plan, self.may_abandon(picture)
        what = (
            f"Undoing {plan.title}"
            if self.abandoning
            else f"{plan.title[:1].upper()}{plan.title[1:]}"
        )
        why = "; ".join(dict.fromkeys(reason.words for reason in reasons))
        cures = " ".join(dict.fromkeys(reason.cure for reason in reasons if reason.cure))
        resume = f"Resume: xe operation-resume uuid={plan.id}"
        undo = f"Undo: xe operation-abandon uuid={plan.id}" if may_abandon else ""
        lines = (f'{what} stopped at "{phase.name}": {why}.', plan.standing, cures, resume, undo)
        return Suspended(phase.name, reasons, may_abandon, " ".join(line for line in lines if line))

    def _ending(self, owed: Sequence[Step], roster: Roster) -> str:
        done = "was taken back" if self.abandoning else "is done"
        later = sorted({name(roster, host) for step in owed for host in step.needs()})
        rest = f"  When it returns, the rest is done by {', '.join(later)}." if later else ""
        return f"{self.plan.title[:1].upper()}{self.plan.title[1:]} {done}.{rest}"


def _not_held(phase: Phase, picture: Picture) -> tuple[Step, ...]:
    return tuple(step for step in _steps(phase, picture) if not step.holds(picture))


def _steps(phase: Phase, picture: Picture) -> Iterator[Step]:
    for wanted in phase.steps:
        yield from single_steps(wanted, picture)


def _may_run(step: Step, picture: Picture) -> bool:
    return step not in picture.failed and step.needs() <= picture.reachable()
