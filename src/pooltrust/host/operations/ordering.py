"""The orders of administrators: which planner each call means.

Values only; they are carried out, or shown beforehand, at the desk.
"""

from __future__ import annotations

from collections.abc import Callable

from pooltrust.host.operations.order import Order, Prepare
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.eject import eject
from pooltrust.pool.operations.enable import enable
from pooltrust.pool.operations.handover import hand_over
from pooltrust.pool.operations.takeover import recover, take_over
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Kind, Plan
from pooltrust.terms import HostId


def ejecting(host: HostId, *, by: str) -> Order:
    """Dismiss this host."""
    plan = _planned(lambda picture, asked: eject(picture, host, asked))
    return Order(Kind.EJECT, plan, by, "pool.eject")


def enabling(*, by: str) -> Order:
    """Require verification."""
    call = "pool.enable_tls_verification"
    return Order(Kind.TLS_VERIFICATION_ENABLE, _planned(enable), by, call)


def handing_over(host: HostId, *, by: str) -> Order:
    """Let this host coordinate."""
    plan = _planned(lambda picture, asked: hand_over(picture, host, asked))
    return Order(Kind.DESIGNATE_NEW_MASTER, plan, by, "pool.designate_new_master")


def taking_over(*, alone: bool, by: str) -> Order:
    """Take over from a lost coordinator.

    `alone`: without the others.  In a pool of two it always is: nobody else could endorse it.
    """

    def plan(picture: Picture, asked: Asked) -> Plan:
        return take_over(picture, asked, alone=alone or len(picture.roster.members) <= 2)

    call = "pool.emergency_transition_to_master"
    return Order(Kind.EMERGENCY_TRANSITION, _planned(plan), by, call)


def recovering(*, by: str) -> Order:
    """Bring the log to whoever is there."""
    return Order(Kind.RECOVER, _planned(recover), by, "pool.recover_slaves")


def _planned(plan: Callable[[Picture, Asked], Plan | None]) -> Prepare:
    async def prepare(picture: Picture, asked: Asked) -> Plan | None:
        return plan(picture, asked)

    return prepare
