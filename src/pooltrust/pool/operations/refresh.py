"""A new pool identity for one host, while nobody is disconnected: make before break.

The host has minted it already and asked for it with both keys; minting, and the turns of a whole
pool, are not here (turns.py).
"""

from __future__ import annotations

from pooltrust.errors import OperationNotAllowed
from pooltrust.pool.operations.asked import NO_CONNECTIONS, Asked, spread, the_member
from pooltrust.pool.plan.everyone import AllProbe
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Kind, Phase, Plan
from pooltrust.pool.plan.steps import Append, Promote, Retire
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import CertificateAccepted, CertificateWithdrawn
from pooltrust.trust.roster import Membership

REFRESHED = "replaced by a newer one"
TAKEN_BACK = "its refresh was abandoned"


def refresh(picture: Picture, request: CertificateAccepted, asked: Asked) -> Plan:
    """The plan that replaces `request.replaces` by `request.certificate`.

    Members that are away do not block it, the host itself does.  Raises OperationNotAllowed.
    """
    member = to_be_refreshed(picture, request.host)
    if request.replaces != member.newest.thumbprint:
        raise OperationNotAllowed(
            f"The request of {member.name} replaces {request.replaces.short}…, "
            f"but the pool accepts {member.newest.thumbprint.short}… from it."
        )
    return plan_refresh(member, request, asked, picture.log.head_number)


def to_be_refreshed(picture: Picture, host: HostId) -> Membership:
    """The member, if it may ask for a new identity.  Raises OperationNotAllowed."""
    member = the_member(picture, host)
    if len(member.certificates) > 1:
        raise OperationNotAllowed(
            f"Two pool certificates of {member.name} are accepted: its last refresh did not end. "
            "It is finished or undone by itself; see xe operation-list."
        )
    return member


def plan_refresh(
    member: Membership, request: CertificateAccepted, asked: Asked, after: int
) -> Plan:
    """The same plan for a request that was checked, or that the log holds already."""
    new, old = Thumbprint.of(request.certificate), request.replaces
    return Plan(
        id=asked.id,
        kind=Kind.CERT_REFRESH,
        subject=member.host,
        after=after,
        phases=_phases(request, new, old, after),
        undo=_undo(member.host, new, old, after),
        by=asked.by,
        call=asked.call,
        title=f"the refresh of {member.name}",
        standing=f"Every member still believes {member.name}.",
        drops=NO_CONNECTIONS,
    )


def _phases(
    request: CertificateAccepted, new: Thumbprint, old: Thumbprint, after: int
) -> tuple[Phase, ...]:
    host = request.host
    withdraw = Append(CertificateWithdrawn(host, old, REFRESHED), after)
    return (
        Phase("accept", (Append(request, after),), Demand.HALF, (host,)),
        spread(Demand.PRESENT, host, commits=True),
        Phase("promote", (Promote(host, new),), Demand.NOBODY, (host,)),
        Phase("probe", (AllProbe(host, new, after),), Demand.PRESENT, (host,)),
        # The coordinator signs with what it serves: by now that is the new key, its own included.
        Phase("withdraw", (withdraw,), Demand.HALF, (host,), final=True),
        spread(Demand.HALF, commits=True, name="settle"),
        Phase("retire", (Retire(host, old),), Demand.NOBODY),
    )


def _undo(host: HostId, new: Thumbprint, old: Thumbprint, after: int) -> tuple[Phase, ...]:
    withdraw = Append(CertificateWithdrawn(host, new, TAKEN_BACK), after)
    return (
        spread(Demand.NOBODY, name="gather"),
        Phase("promote", (Promote(host, old),), Demand.PRESENT),
        # Before the withdrawal: an order to promote it that is still under way finds no key then.
        # A host that is away does both for itself when it has read of the withdrawal.
        Phase("retire", (Retire(host, new),), Demand.PRESENT),
        Phase("withdraw", (withdraw,), Demand.HALF),
        spread(Demand.HALF, commits=True),
    )
