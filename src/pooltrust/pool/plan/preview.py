"""What an administrator is shown of an operation before it begins.

Words only, made from a plan and a picture; nothing in it is secret.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pooltrust.pool.plan.demands import Reason, hindrances, short_of
from pooltrust.pool.plan.everyone import single_steps
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Phase, Plan
from pooltrust.pool.plan.steps import Append, Step
from pooltrust.terms import HostId


@dataclass(frozen=True, slots=True)
class Line:
    """One phase, in order."""

    name: str
    steps: tuple[str, ...]
    final: bool
    """After it there is no way back."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The whole of it."""

    operation: str
    title: str
    hosts: tuple[str, ...]
    """Whom it touches."""
    order: tuple[Line, ...]
    drops: str
    blockers: tuple[Reason, ...]
    """Who stops it, all at once, each with the cure."""
    later: tuple[str, ...]
    """Who is away and does its part when it returns."""
    undo: tuple[str, ...]
    standing: str

    def replacing(self, words: str, others: str) -> Preview:
        """The same with these words said differently, wherever they are."""

        def said(lines: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(line.replace(words, others) for line in lines)

        order = tuple(replace(line, steps=said(line.steps)) for line in self.order)
        return replace(self, order=order, undo=said(self.undo))

    def to_wire(self) -> dict[str, Any]:
        """As a JSON object of texts and lists."""
        return {
            "operation": self.operation,
            "title": self.title,
            "hosts": list(self.hosts),
            "order": [
                {"name": line.name, "steps": list(line.steps), "final": line.final}
                for line in self.order
            ],
            "drops": self.drops,
            "blockers": [
                {"host": reason.host, "words": reason.words, "cure": reason.cure}
                for reason in self.blockers
            ],
            "later": list(self.later),
            "undo": list(self.undo),
            "standing": self.standing,
        }


def preview(plan: Plan, picture: Picture) -> Preview:
    """What this plan would do to the pool in this picture."""
    roster = picture.roster
    blockers = dict.fromkeys(reason for phase in plan.phases for reason in _blocked(phase, picture))
    touched = {
        host for phase in plan.phases for step in _steps(phase, picture) for host in step.needs()
    }
    blocking = {reason.host for reason in blockers}
    away = touched - picture.reachable() - blocking
    return Preview(
        plan.kind,
        plan.title,
        _names(touched, picture),
        tuple(_line(phase, picture) for phase in plan.phases),
        plan.drops,
        tuple(blockers),
        _names(away, picture),
        tuple(wanted.words(roster) for phase in plan.undo for wanted in phase.steps),
        plan.standing,
    )


def _blocked(phase: Phase, picture: Picture) -> tuple[Reason, ...]:
    steps = _steps(phase, picture)
    there = picture.reachable()
    waiting = [step for step in steps if not step.needs() <= there or step in picture.failed]
    entries = [step for step in steps if isinstance(step, Append)]
    # Whether it commits can only be asked once something is written.
    asked, head = replace(phase, commits=False), picture.log.head_number
    return (*short_of(asked, entries, picture), *hindrances(asked, waiting, picture, head))


def _steps(phase: Phase, picture: Picture) -> tuple[Step, ...]:
    return tuple(step for wanted in phase.steps for step in single_steps(wanted, picture))


def _line(phase: Phase, picture: Picture) -> Line:
    words = tuple(wanted.words(picture.roster) for wanted in phase.steps)
    return Line(phase.name, words, phase.final)


def _names(hosts: set[HostId], picture: Picture) -> tuple[str, ...]:
    return tuple(sorted(picture.roster.expect(host).name for host in hosts))
