"""Dismissing a host, there or lost, and what it does afterwards.

Its live connections are closed by the entry itself, at every host that takes it in.
"""

from __future__ import annotations

from dataclasses import dataclass

from pooltrust.errors import OperationNotAllowed
from pooltrust.pool.operations.asked import Asked, spread, the_member
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Kind, Phase, Plan
from pooltrust.pool.plan.steps import Adopt, Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import HostDismissed
from pooltrust.trust.roster import Roster


def eject(picture: Picture, host: HostId, asked: Asked, *, reason: str = "ejected") -> Plan:
    """The plan that dismisses this host; it is told last, if it is there.

    Raises OperationNotAllowed for the coordinator and for a host that is no member.
    """
    member, after = the_member(picture, host), picture.log.head_number
    if host == picture.roster.coordinator:
        raise OperationNotAllowed(
            f"{member.name} is the coordinator.  Let another member coordinate first: "
            "xe pool-designate-new-master"
        )
    dismiss = Append(HostDismissed(host, reason), after)
    return Plan(
        id=asked.id,
        kind=Kind.EJECT,
        subject=host,
        after=after,
        phases=(
            # It may be needed as a witness of what is under way; afterwards it is none.
            spread(Demand.NOBODY, name="gather"),
            Phase("dismiss", (dismiss,), Demand.HALF, final=True),
            spread(Demand.HALF, commits=True),
            Phase("tell", (Adopt(host),), Demand.NOBODY),
        ),
        undo=(),
        by=asked.by,
        call=asked.call,
        title=f"the ejection of {member.name}",
        standing=f"A host that knows of it no longer believes {member.name}; no other is touched.",
        drops=f"Every connection between {member.name} and another member is closed.",
    )


@dataclass(frozen=True, slots=True)
class OwnPool:
    """What an ejected host founds for itself, always with a newly minted pool identity."""

    port: int
    verification: bool
    keeps_server_identity: bool
    """Only one that its user installed: a self-signed one was known to the pool's clients."""


def own_pool(before: Roster, *, installed: bool) -> OwnPool:
    """The pool of a host that was ejected.

    `before` is the roster that it held, `installed` whether its user installed its server identity.
    """
    return OwnPool(before.port, before.verification, keeps_server_identity=installed)
