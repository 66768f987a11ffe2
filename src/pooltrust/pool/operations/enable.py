"""Requiring verification in the whole pool: everybody is there and meets everybody first."""

from __future__ import annotations

from pooltrust.pool.operations.asked import NO_CONNECTIONS, Asked, spread
from pooltrust.pool.plan.everyone import PairsProbe
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Kind, Phase, Plan
from pooltrust.pool.plan.steps import Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import VerificationRequired


def enable(picture: Picture, asked: Asked) -> Plan | None:
    """The plan that requires verification; None if it is required already."""
    if picture.roster.verification:
        return None
    after = picture.log.head_number
    require = Append(VerificationRequired(), after)
    return Plan(
        id=asked.id,
        kind=Kind.TLS_VERIFICATION_ENABLE,
        subject=HostId(""),
        after=after,
        phases=(
            spread(Demand.EVERYONE, name="gather"),
            Phase("probe", (PairsProbe(after),), Demand.EVERYONE),
            Phase("require", (require,), Demand.EVERYONE, final=True),
            # Whoever is there must have taken it in before anybody is told that it is required.
            spread(Demand.PRESENT, commits=True),
        ),
        undo=(),
        by=asked.by,
        call=asked.call,
        title="enabling verification",
        standing="Verification is as it was.",
        drops=NO_CONNECTIONS,
    )
