"""One plan of each kind for a pool of three, whose coordinator is h1."""

from __future__ import annotations

from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.eject import eject
from pooltrust.pool.operations.enable import enable
from pooltrust.pool.operations.handover import hand_over
from pooltrust.pool.operations.refresh import refresh
from pooltrust.pool.operations.takeover import recover, take_over
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Plan
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import Body, CertificateAccepted
from pooltrust.trust.log import Log

from ..fakes import minted
from ..fakes.minted import HOSTS

H1, H2, H3, H4, H5 = HOSTS
ID = "00000000-0000-4000-8000-000000000001"
ASKED = Asked(ID, "root", "test")
LOG = minted.founded(3)
UNVERIFIED = minted.founded(3, verification=False)
THERE = Picture.whole(LOG, H1)
OLD, NEW = (minted.thumbprint(H2, generation) for generation in (1, 2))


def with_entries(log: Log, *bodies: Body) -> Log:
    """The log with these after it, each written by the coordinator of the moment."""
    for body in bodies:
        key = log.roster.members[log.roster.coordinator].newest.thumbprint
        log = minted.grown(log, minted.signed(log, body, key))
    return log


def request(host: HostId = H2, old: Thumbprint = OLD, new: Thumbprint = NEW) -> CertificateAccepted:
    return minted.request(LOG.pool, host, old, new)


def missing(me: HostId, *away: HostId, log: Log = LOG) -> Picture:
    return Picture.whole(log, me, away=away)


def _planned(plan: Plan | None) -> Plan:
    assert plan is not None
    return plan


PLANS = {
    "refresh": refresh(THERE, request(), ASKED),
    "eject": eject(THERE, H3, ASKED),
    "enable": _planned(enable(Picture.whole(UNVERIFIED, H1), ASKED)),
    "hand over": _planned(hand_over(THERE, H2, ASKED)),
    "take over": take_over(missing(H2, H1), ASKED),
    "take over alone": take_over(missing(H2, H1, H3), ASKED, alone=True),
    "recover": recover(THERE, ASKED),
}
