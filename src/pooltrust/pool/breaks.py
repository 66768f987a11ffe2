"""The first date at which something in the pool stops working if nobody acts.

A date in a pinned certificate breaks nothing, and pool identities are refreshed by themselves; so
only what is believed by somebody's dates counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pooltrust.pki.certificate import Certificate
from pooltrust.pool.alerts import overdue
from pooltrust.pool.anchors import CA
from pooltrust.terms import Thumbprint
from pooltrust.trust.roster import Membership, Roster


@dataclass(frozen=True, slots=True)
class Break:
    """What stops, when (UTC), by which certificate, and what prevents it."""

    at: datetime
    certificate: Thumbprint
    words: str
    cure: str


def next_break(roster: Roster, now: datetime, *, check_dates: bool) -> Break | None:
    """The earliest; one that lies in the past has happened.

    `check_dates`: an expired pool identity is refused here.
    """
    found = sorted(_breaks(roster, now, check_dates=check_dates), key=lambda one: one.at)
    return found[0] if found else None


def _breaks(roster: Roster, now: datetime, *, check_dates: bool) -> Iterator[Break]:
    for member in roster.members.values():
        yield from _of_clients(member)
        if check_dates and overdue(member.newest, now):
            yield _break(
                member.newest,
                f"other members refuse {member.name}: its pool identity ends and was not refreshed",
                f"xe host-refresh-server-certificate host={member.host}",
            )
    for anchor in roster.anchors.values():
        if anchor.sort == CA:
            named = anchor.name or anchor.certificate.subject
            yield _break(
                anchor.certificate,
                f"whoever is believed through the authority {named} is refused: it ends",
                "Install the authority's next certificate: xe pool-install-ca-certificate",
            )


def _of_clients(member: Membership) -> Iterator[Break]:
    """Of the certificates that clients are shown, the one that ends first."""
    shown = (member.server, *member.chain)
    first = min(shown, key=lambda certificate: certificate.not_after)
    what = "its server certificate" if first is member.server else f"{first.subject}, in its chain,"
    cure = "xe host-reset-server-certificate"
    if not member.server.self_signed:
        cure = "xe host-server-certificate-install"
    yield _break(first, f"clients refuse {member.name}: {what} ends", f"{cure} host={member.host}")


def _break(certificate: Certificate, words: str, cure: str) -> Break:
    return Break(certificate.not_after, certificate.thumbprint, words, cure)
