"""What is ordered at the desk, and what whoever ordered it hears of it.  Values only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Kind, Plan

Prepare = Callable[[Picture, Asked], Awaitable[Plan | None]]
"""Plans an operation; None if everything is as it should be already."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How far an operation is: the part that is done, and whether it may still be given up."""

    id: str
    progress: float
    may_stop: bool

    @classmethod
    def of(cls, operation: Operation, phase: str) -> Moment:
        """The moment at which this phase begins."""
        may_stop = operation.may_stop_before(phase)
        return cls(operation.plan.id, operation.progress(phase), may_stop)


@dataclass(frozen=True, slots=True)
class Order:
    """What is ordered, by whom (the user's name) and by which call.

    `told` hears how far it is, at the beginning of each phase.
    """

    kind: Kind
    prepare: Prepare
    by: str
    call: str
    told: Callable[[Moment], None] = lambda _: None
