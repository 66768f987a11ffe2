"""Alerts: what an administrator should know now, as values.

A pure function from the log, what hosts noticed, and the time.  An alert whose cause is gone is
simply not among them; storing, showing and taking back is the caller's.  The names of certificates
and of the emergency switch, and their priorities, are those of XenAPI messages.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pooltrust.pki.certificate import Certificate
from pooltrust.pki.expiry import days_left
from pooltrust.pool.operations.turns import due_at
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.roster import Membership, Roster

OVERDUE = 0.8
"""The part of a lifetime after which an automatic refresh, due long before, did not happen."""
GHOST = timedelta(hours=1)
"""How long a host that was admitted may stay silent."""
KNOCKING = timedelta(days=1)
"""How long an ejected host's last attempt is worth knowing."""

EXPIRY = ((0.0, "EXPIRED", 1), (7.0, "EXPIRING_07", 1), (14.0, "EXPIRING_14", 2))
EXPIRY_LAST = (30.0, "EXPIRING_30", 3)


class About(StrEnum):
    """What an alert is about; the class of `object`."""

    HOST = "Host"
    POOL = "Pool"
    CERTIFICATE = "Certificate"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.  `date`, UTC, is the one it speaks of, if there is one."""

    name: str
    about: About
    object: str
    """A host's UUID, the pool, or an anchor's thumbprint."""
    priority: int
    """1 is the most urgent, 5 the least."""
    words: str
    date: datetime | None = None
    body: str = ""
    """What published clients are sent; empty where there is no published form."""


@dataclass(frozen=True, slots=True)
class Forked:
    """Another host holds another entry with this number."""

    host: HostId
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Copied:
    """A host with this certificate was restored from a copy, or is one."""

    host: HostId
    certificate: Thumbprint
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Knocked:
    """A host that was ejected tried to connect."""

    host: HostId
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Noticed:
    """What is no part of the log.  Times are UTC."""

    overrides: frozenset[HostId] = frozenset()
    """Hosts whose emergency switch is on."""
    forks: tuple[Forked, ...] = ()
    """Those that stand: not yet decided by a takeover or an order."""
    copies: tuple[Copied, ...] = ()
    knocks: tuple[Knocked, ...] = ()
    """The last one of each host."""
    admitted: Mapping[HostId, datetime] = field(default_factory=dict)
    """When members were admitted that have not been heard of since."""


def alerts(roster: Roster, noticed: Noticed, now: datetime) -> frozenset[Alert]:
    """Every alert that has a cause now."""
    return frozenset(_alerts(roster, noticed, now))


def _alerts(roster: Roster, noticed: Noticed, now: datetime) -> Iterator[Alert]:
    for member in roster.members.values():
        yield from _of_member(member, now)
    for thumbprint, anchor in roster.anchors.items():
        family, noun = _ANCHORS[anchor.sort]
        certificate = anchor.certificate
        name = anchor.name or certificate.subject
        yield from _expiry(family, noun, About.CERTIFICATE, str(thumbprint), name, certificate, now)
    yield from _verification(roster, noticed)
    yield from _forked(roster, noticed)
    yield from _strangers(roster, noticed, now)


_ANCHORS = {
    "ca": ("POOL_CA_CERTIFICATE", "The pool-wide trusted root CA certificate"),
    "pinned": ("POOL_PINNED_CERTIFICATE", "The pool-wide trusted pinned leaf certificate"),
}


def _of_member(member: Membership, now: datetime) -> Iterator[Alert]:
    internal, server = "The internal TLS server certificate", "The TLS server certificate"
    host, newest = member.host, member.newest
    yield from _expiry(
        "HOST_INTERNAL_CERTIFICATE", internal, About.HOST, host, member.name, newest, now
    )
    yield from _expiry(
        "HOST_SERVER_CERTIFICATE", server, About.HOST, host, member.name, member.server, now
    )
    if overdue(newest, now):
        since = due_at(newest, 1.0)
        yield Alert(
            "HOST_INTERNAL_CERTIFICATE_REFRESH_OVERDUE",
            About.HOST,
            host,
            2,
            f"The pool identity of {member.name} should have been refreshed by itself by "
            f"{since:%Y-%m-%d}.  See why not: xe operation-list.  Or do it now: "
            "xe host-refresh-server-certificate",
            since,
        )


def overdue(certificate: Certificate, now: datetime) -> bool:
    """Whether the refresh of a pool identity was due long ago."""
    lifetime = certificate.not_after - certificate.not_before
    return certificate.not_before + lifetime * OVERDUE <= now


def _expiry(
    family: str,
    noun: str,
    about: About,
    object: str,
    name: str,
    certificate: Certificate,
    now: datetime,
) -> Iterator[Alert]:
    left = days_left(certificate, now)
    for days, name_end, priority in (*EXPIRY, EXPIRY_LAST):
        if left < days:
            message = f"{noun} {'has expired' if left < 0 else 'is expiring soon'}."
            date = certificate.not_after.astimezone(UTC)
            yield Alert(
                f"{family}_{name_end}",
                about,
                object,
                priority,
                f"{name}: {message[0].lower()}{message[1:-1]} ({date:%Y-%m-%d %H:%M:%SZ}).",
                date,
                f"<body><message>{message}</message><date>{date:%Y%m%dT%H:%M:%SZ}</date></body>",
            )
            return


def _verification(roster: Roster, noticed: Noticed) -> Iterator[Alert]:
    if not roster.verification:
        yield Alert(
            "POOL_TLS_VERIFICATION_DISABLED",
            About.POOL,
            roster.pool,
            3,
            "Hosts of this pool do not refuse a peer that can't prove itself.  Require it: "
            "xe pool-enable-tls-verification",
        )
    for host in sorted(noticed.overrides & roster.members.keys() if roster.verification else ()):
        name = roster.members[host].name
        yield Alert(
            "TLS_VERIFICATION_EMERGENCY_DISABLED",
            About.HOST,
            host,
            3,
            f"{name} does not verify whom it connects to: its emergency switch is on.  Switch it "
            "off there: xe host-emergency-reenable-tls-verification",
            None,
            f"<body><host>{html.escape(name, quote=False)}</host></body>",
        )


def _forked(roster: Roster, noticed: Noticed) -> Iterator[Alert]:
    for fork in noticed.forks:
        if fork.host in roster.members and fork.number <= roster.number:
            yield Alert(
                "TRUST_LOG_FORKED",
                About.HOST,
                fork.host,
                1,
                f"{roster.members[fork.host].name} holds another entry {fork.number} of the trust "
                "log.  Decide which one is right, and order the other host to follow: "
                "xe pool-emergency-reset-master",
                fork.at,
            )
    for copy in noticed.copies:
        if roster.host_of(copy.certificate) == copy.host:
            yield Alert(
                "HOST_RESTORED_OR_CLONED",
                About.HOST,
                copy.host,
                1,
                f"{roster.members[copy.host].name} was restored from a copy, or two hosts use its "
                f"keys: {copy.why}.  Stop the copy; then refresh the host's identity, or eject it.",
                copy.at,
            )


def _strangers(roster: Roster, noticed: Noticed, now: datetime) -> Iterator[Alert]:
    for knock in noticed.knocks:
        if knock.host not in roster.members and now - knock.at < KNOCKING:
            yield Alert(
                "EJECTED_HOST_KNOCKING",
                About.HOST,
                knock.host,
                3,
                f"A host that was ejected from this pool tried to connect from {knock.address}. "
                "It does not know of its ejection, or was taken over.",
                knock.at,
            )
    for host, at in sorted(noticed.admitted.items()):
        if host in roster.members and now - at >= GHOST:
            yield Alert(
                "HOST_NEVER_HEARD",
                About.HOST,
                host,
                3,
                f"{roster.members[host].name} was admitted and has not been heard of since: its "
                f"join may not have ended.  If it is gone: xe pool-eject host-uuid={host}",
                at,
            )
