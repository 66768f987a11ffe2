"""How this host is, as a value that people and programs are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pooltrust.host.belief import Belief
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.expiry import days_left
from pooltrust.trust.roster import Membership


def status(belief: Belief, now: datetime, *, current: bool) -> dict[str, Any]:
    """This host's account of itself and its pool at this moment (UTC)."""
    roster = belief.roster
    me = roster.members.get(belief.me)
    coordinator = roster.members[roster.coordinator]
    return {
        "host": belief.me,
        "name": me.name if me else "",
        "role": _role(belief),
        "pool": roster.pool,
        "coordinator": f"{coordinator.name} at {coordinator.address}",
        "entries": str(roster.number),
        "head": roster.head,
        "current": "yes" if current else "no",
        "verification": _verification(belief),
        "members": [_member(one, belief, now) for one in roster.members.values()],
    }


def _role(belief: Belief) -> str:
    if belief.me not in belief.roster.members:
        return "no member any more"
    return "coordinator" if belief.is_coordinator else "supporter"


def _verification(belief: Belief) -> str:
    if belief.override:
        return "switched off on this host (emergency)"
    return "on" if belief.roster.verification else "off"


def _member(member: Membership, belief: Belief, now: datetime) -> dict[str, Any]:
    newest = member.certificates[-1]
    return {
        "host": member.host,
        "name": member.name,
        "role": "coordinator" if member.host == belief.roster.coordinator else "supporter",
        "address": member.address,
        "pool": _certificate(newest, now),
        "server": _certificate(member.server, now),
    }


def _certificate(certificate: Certificate, now: datetime) -> dict[str, Any]:
    return {
        "thumbprint": str(certificate.thumbprint),
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "days_left": int(days_left(certificate, now)),
    }
