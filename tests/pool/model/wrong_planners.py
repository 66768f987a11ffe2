"""Planners: ours, and others that are each wrong in one way.

The model runs them all with the same machine and the same budget; `CAUGHT_BY` names the invariant
that each of the wrong ones breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pooltrust.errors import OperationNotAllowed
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.eject import eject
from pooltrust.pool.operations.enable import enable
from pooltrust.pool.operations.refresh import refresh
from pooltrust.pool.operations.takeover import take_over
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Phase, Plan
from pooltrust.pool.plan.steps import Adopt, Promote
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import CertificateAccepted
from pooltrust.trust.log import Log

from ..fakes import minted
from ..fakes.planners import Planners


def _added_only(log: Log, host: HostId, met: Thumbprint) -> bool:
    """A bundle that certificates are added to, and that nobody removes any from."""
    return met in minted.ever_accepted(log, host)


def _any_member_s(log: Log, host: HostId, met: Thumbprint) -> bool:
    """A bundle of everybody's certificates proves "a member", not "this member"."""
    return log.roster.host_of(met) is not None


ACCEPT, ADOPT, PROMOTE, PROBE, WITHDRAW, SPREAD, RETIRE = range(7)
"""The phases of a refresh."""


def _refresh(*order: int) -> Callable[[Picture, CertificateAccepted, Asked], Plan]:
    """A refresh with its phases in this order."""

    def plan(picture: Picture, request: CertificateAccepted, asked: Asked) -> Plan:
        right = refresh(picture, request, asked)
        return replace(right, phases=tuple(right.phases[index] for index in order))

    return plan


def _no_barrier(picture: Picture, request: CertificateAccepted, asked: Asked) -> Plan:
    """The subject promotes when it holds the entry itself: whoever is slower is left behind."""
    right = refresh(picture, request, asked)
    accept, adopt, promote, *rest = right.phases
    alone = Phase("alone", (Adopt(request.host),), Demand.NOBODY, (request.host,))
    return replace(right, phases=(accept, alone, promote, adopt, *rest))


def _retire_early(picture: Picture, request: CertificateAccepted, asked: Asked) -> Plan:
    """The old key is gone before the new one is served, so there is no way back."""
    order = _refresh(ACCEPT, ADOPT, RETIRE, PROMOTE, PROBE, WITHDRAW, SPREAD)
    accept, *rest = order(picture, request, asked).phases
    phases = (replace(accept, final=True), *rest)
    return replace(order(picture, request, asked), phases=phases, undo=())


def _one_identity_for_all(picture: Picture, request: CertificateAccepted, asked: Asked) -> Plan:
    """Every member serves the new identity, as where a cluster shares one key."""
    right = refresh(picture, request, asked)
    accept, adopt, promote, _, *rest = right.phases
    (step,) = promote.steps
    assert isinstance(step, Promote)
    # The coordinator keeps its own unless it is its turn: it has to sign.
    hosts = picture.roster.members.keys() - {picture.roster.coordinator} | {request.host}
    all_of_them = tuple(Promote(host, step.certificate) for host in sorted(hosts))
    shared = Phase("promote", all_of_them, Demand.PRESENT, (request.host,))
    return replace(right, phases=(accept, adopt, shared, *rest), undo=())


def _never(picture: Picture, host: HostId, asked: Asked) -> Plan:
    raise OperationNotAllowed("the others have its key")


def _waits_for_all(picture: Picture, request: CertificateAccepted, asked: Asked) -> Plan:
    """After the point of no return every member must be there: one lost host stops it for good."""
    right = refresh(picture, request, asked)
    phases = list(right.phases)
    phases[SPREAD] = replace(phases[SPREAD], demand=Demand.EVERYONE)
    return replace(right, phases=tuple(phases))


def _eject_without_telling(picture: Picture, host: HostId, asked: Asked) -> Plan:
    """It is said to be done when the coordinator has written it."""
    right = eject(picture, host, asked)
    return replace(right, phases=right.phases[:2])


def _take_over_unasked(picture: Picture, asked: Asked, *, alone: bool = False) -> Plan:
    """Whoever misses the coordinator takes its place, without asking the others."""
    return take_over(picture, asked, alone=True)


def _enable_without_telling(picture: Picture, asked: Asked) -> Plan | None:
    """It is said to be done when the coordinator has written it."""
    right = enable(picture, asked)
    return right and replace(right, phases=right.phases[:3])


WRONG = {
    planners.name: planners
    for planners in (
        Planners(
            "promote first",
            refresh=_refresh(PROMOTE, ACCEPT, ADOPT, PROBE, WITHDRAW, SPREAD, RETIRE),
        ),
        Planners(
            "withdraw early",
            refresh=_refresh(ACCEPT, ADOPT, WITHDRAW, SPREAD, PROMOTE, PROBE, RETIRE),
        ),
        Planners("retire early", refresh=_retire_early),
        Planners("no barrier", refresh=_no_barrier),
        Planners(
            "probe early",
            refresh=_refresh(ACCEPT, ADOPT, PROBE, PROMOTE, WITHDRAW, SPREAD, RETIRE),
        ),
        Planners(
            "one identity for all",
            refresh=_one_identity_for_all,
            eject=_never,
            enable=lambda picture, asked: None,
            hand_over=_never,
            mend=lambda picture, asked: None,
        ),
        Planners("any member will do", accepts=_any_member_s),
        Planners("add only", accepts=_added_only),
        Planners("promote in memory", stores=False),
        Planners("wait for all", refresh=_waits_for_all),
        Planners("never mend", mend=lambda picture, asked: None),
        Planners("eject without telling", eject=_eject_without_telling),
        Planners("take over unasked", take_over=_take_over_unasked),
        Planners("enable without telling", enable=_enable_without_telling),
    )
}
