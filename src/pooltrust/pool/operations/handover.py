"""A planned change of coordinator: signed by the old one, followed at once."""

from __future__ import annotations

from pooltrust.pool.operations.asked import NO_CONNECTIONS, Asked, spread, the_member
from pooltrust.pool.plan.everyone import OneProbes
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Kind, Phase, Plan
from pooltrust.pool.plan.steps import Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import CoordinatorChanged


def hand_over(picture: Picture, host: HostId, asked: Asked) -> Plan | None:
    """The plan after which this host coordinates; None if it does already.

    It must be there, up to date, and meet every member that is there.  Raises OperationNotAllowed.
    """
    member, after = the_member(picture, host), picture.log.head_number
    if host == picture.roster.coordinator:
        return None
    change = Append(CoordinatorChanged(host), after)
    return Plan(
        id=asked.id,
        kind=Kind.DESIGNATE_NEW_MASTER,
        subject=host,
        after=after,
        phases=(
            # The new one takes the old one's word for it that all of the log is committed.
            spread(Demand.PRESENT, host, commits=True, name="gather"),
            Phase("probe", (OneProbes(host, after),), Demand.PRESENT, (host,)),
            Phase("hand over", (change,), Demand.HALF, (host,), final=True),
            spread(Demand.HALF, commits=True),
        ),
        undo=(),
        by=asked.by,
        call=asked.call,
        title=f"the change of coordinator to {member.name}",
        standing="There is one coordinator, the one that the trust log names.",
        drops=NO_CONNECTIONS,
    )
