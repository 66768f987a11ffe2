"""A step on its way to a host, and when it came too late.

A connection may break and its request arrive after the operation was abandoned, or another one
begun.  So a host obeys an order only while its own log ends where the order was decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pooltrust.pool.plan.steps import Probe, Promote, Retire
from pooltrust.pool.plan.tagged import tagged
from pooltrust.trust import fields
from pooltrust.trust.fields import Recorded
from pooltrust.trust.roster import Roster

Ordered: TypeAlias = Promote | Probe | Retire
_ORDERED = tagged({step.kind: step for step in (Promote, Probe, Retire)})


@dataclass(frozen=True, slots=True)
class Order(Recorded):
    """Something that a host is to do, and the head of the log it was decided at."""

    step: Annotated[Ordered, _ORDERED]
    number: fields.Number
    head: fields.Hash

    @classmethod
    def at(cls, step: Ordered, roster: Roster) -> Order:
        """The order for this step, decided with this roster."""
        return cls(step, roster.number, roster.head)

    def in_time(self, roster: Roster) -> bool:
        """Whether a host with this roster may obey it; otherwise it answers with its head."""
        return (self.number, self.head) == (roster.number, roster.head)
