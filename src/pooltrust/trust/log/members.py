"""What a log tells of hosts that came and went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pooltrust.terms import HostId
from pooltrust.trust.entries import AddressChanged, HostAdmitted, HostDismissed
from pooltrust.trust.log.chain import Log


@dataclass(frozen=True, slots=True)
class Left:
    """Where a host was when it was ejected, and when that was (UTC, by its coordinator)."""

    address: str
    at: datetime


def were_members(log: Log) -> dict[HostId, Left]:
    """Those who were members at some time of this log and are none now."""
    known: dict[HostId, str] = {}
    found: dict[HostId, Left] = {}
    if log.base is not None:
        known = {host: member.address for host, member in log.base.members.items()}
    kinds = [body.kind.encode() for body in (HostAdmitted, AddressChanged, HostDismissed)]
    for signed in log.tail(0):
        if any(kind in signed.payload for kind in kinds):
            match signed.entry.body:
                case HostAdmitted(host=host, address=address) | AddressChanged(host, address):
                    known[host] = address
                case HostDismissed(host=host):
                    found[host] = Left(known.get(host, ""), signed.entry.at)
    return {host: left for host, left in found.items() if host not in log.roster.members}


def admission(log: Log, host: HostId, by: HostId) -> datetime | None:
    """When this coordinator admitted a member; None if another did, or the log has it no more."""
    kind, about = HostAdmitted.kind.encode(), host.encode()
    for signed in reversed(log.tail(0)):
        if kind in signed.payload and about in signed.payload:
            entry = signed.entry
            if isinstance(entry.body, HostAdmitted) and entry.body.host == host:
                admitted_by = log.roster_at(entry.number).coordinator
                return entry.at if admitted_by == by else None
    return None
