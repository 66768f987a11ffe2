"""Since when a log's coordinator has coordinated: the entry under which its records count."""

from __future__ import annotations

from collections.abc import Iterator

from pooltrust.pki.certificate import Certificate, read
from pooltrust.terms import HostId
from pooltrust.trust.entries import CertificateAccepted, CoordinatorChanged, Founded, TakenOver
from pooltrust.trust.log import Log

_CHANGES = tuple(body.kind.encode() for body in (CoordinatorChanged, TakenOver))
_ACCEPTED = CertificateAccepted.kind.encode()
FOUNDER = 0
"""The change under which the host that founded a pool leads it."""


def led_since(log: Log, *, after: int = 0) -> int:
    """The number of the last entry after `after` that changed the coordinator; FOUNDER if none did.

    A log that begins at a checkpoint may not have it: then FOUNDER as well.
    """
    for signed in reversed(log.tail(after)):
        # Looking at the bytes first: a log may be long, and changes are rare.
        if any(kind in signed.payload for kind in _CHANGES):
            body = signed.entry.body
            if isinstance(body, CoordinatorChanged | TakenOver):
                return signed.entry.number
    return FOUNDER


def leader(log: Log, change: int) -> HostId | None:
    """Who leads since entry `change`; None if that is no change of coordinator of this log."""
    number = change or 1
    if number < log.first:
        return log.base.coordinator if log.base else None
    if number > log.head_number:
        return None
    body = log.at(number).entry.body
    match body:
        case Founded() if change == FOUNDER:
            return body.host
        case CoordinatorChanged() | TakenOver():
            return body.host
        case _:
            return None


def keys_of(log: Log, host: HostId, change: int) -> Iterator[Certificate]:
    """The certificates accepted from this host at entry `change` and at any time since.

    Newest first.  What it signed with one of them stays its word after that one was refreshed.
    """
    number = max(change or 1, log.first)
    certificates = {}
    if (member := log.roster_at(number).members.get(host)) is not None:
        certificates = {one.thumbprint: one for one in member.certificates}
    about = host.encode()
    for signed in log.tail(number):
        if _ACCEPTED in signed.payload and about in signed.payload:
            body = signed.entry.body
            if isinstance(body, CertificateAccepted) and body.host == host:
                one = read(body.certificate)
                certificates[one.thumbprint] = one
    yield from reversed(certificates.values())
