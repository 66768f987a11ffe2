"""Whose pool identity is refreshed next: in a round of the pool, or by itself when it is due.

One host at a time.  Hosts that are away are passed over; their turn comes when they are back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pooltrust.pki.certificate import Certificate
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import PLAN_LIMIT, BadPlan
from pooltrust.terms import HostId
from pooltrust.trust import canonical, fields
from pooltrust.trust.fields import Recorded
from pooltrust.trust.roster import Roster

TWO_THIRDS = 2 / 3
SPREAD = 1 / 12
"""Over how much of a certificate's lifetime automatic refreshes are spread: a month of a year."""


@dataclass(frozen=True, slots=True)
class Turn(Recorded):
    """One host, and the certificate that it is to be rid of."""

    host: fields.Host
    certificate: fields.Thumbprint


@dataclass(frozen=True, slots=True)
class Round(Recorded):
    """Every host once, the coordinator last.  Stored; where it stands is read from the log."""

    id: Annotated[str, fields.text(64, least=1)]
    turns: Annotated[tuple[Turn, ...], fields.several(fields.nested(Turn), 4096)]
    by: fields.Name
    call: fields.Name

    def left(self, roster: Roster) -> tuple[HostId, ...]:
        """The members that still have the certificate they had when it began, in order."""
        return tuple(
            turn.host for turn in self.turns if roster.host_of(turn.certificate) == turn.host
        )

    def next(self, picture: Picture, resting: Collection[HostId] = ()) -> HostId | None:
        """Whose refresh to begin now; None if it is over but for members that are away or rest."""
        there = picture.reachable() - frozenset(resting)
        return next((host for host in self.left(picture.roster) if host in there), None)

    def to_wire(self) -> bytes:
        """As canonical JSON, to be stored."""
        return canonical.encode(self.record())

    @classmethod
    def from_wire(cls, data: bytes) -> Round:
        """Read `to_wire()`.  Raises BadPlan, whatever the bytes."""
        try:
            return cls.read(canonical.decode(data, limit=PLAN_LIMIT))
        except ValueError as why:
            raise BadPlan(str(why)) from why


def whole_pool(roster: Roster, asked: Asked) -> Round:
    """The round that refreshes every member."""
    members = sorted(roster.members.values(), key=lambda m: (m.host == roster.coordinator, m.host))
    turns = tuple(Turn(member.host, member.newest.thumbprint) for member in members)
    return Round(asked.id, turns, asked.by, asked.call)


def due_at(certificate: Certificate, jitter: float) -> datetime:
    """When its automatic refresh is due; `jitter` from 0 to 1 is fixed for each host."""
    lifetime = certificate.not_after - certificate.not_before
    return certificate.not_before + lifetime * (TWO_THIRDS + SPREAD * min(max(jitter, 0.0), 1.0))


def due(
    roster: Roster,
    now: datetime,
    *,
    jitter: Callable[[HostId], float],
    there: Collection[HostId],
    resting: Collection[HostId] = (),
) -> HostId | None:
    """The one host whose automatic refresh to begin now, if any.

    The one that expires first, but the coordinator after all others.  `there` are the hosts that
    answer, `resting` those whose last attempt failed a short while ago.
    """
    candidates = [
        (member.host == roster.coordinator, member.newest.not_after, member.host)
        for member in roster.members.values()
        if member.host in there
        and member.host not in resting
        and now >= due_at(member.newest, jitter(member.host))
    ]
    return min(candidates)[-1] if candidates else None
