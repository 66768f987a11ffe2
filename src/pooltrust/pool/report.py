"""Every certificate that the pool knows, with all that an administrator may ask of it.

More than the API's records have: what it says, how long it lasts from now, by whom it is believed,
and for which of its host's names and addresses a client would refuse it.  Values for JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pooltrust.pki.certificate import Certificate
from pooltrust.pki.expiry import days_left, validity
from pooltrust.pki.offered.coverage import uncovered
from pooltrust.pool import anchors
from pooltrust.pool.breaks import Break
from pooltrust.terms import HostId
from pooltrust.trust.roster import Anchor, Membership, Roster

Entry = dict[str, Any]

OWN_WORDS = frozenset((anchors.APPLIANCE, anchors.CLIENT, anchors.GENERAL))


def report(
    roster: Roster, now: datetime, *, names: Mapping[HostId, Sequence[str]], next: Break | None
) -> Entry:
    """The whole report; `now`: UTC.  `names`: further names of hosts, as far as they are known."""
    return {
        "pool": roster.pool,
        "at": _date(now),
        "verification": roster.verification,
        "next_break": _break(next) if next else None,
        "certificates": list(_entries(roster, now, names)),
    }


def _entries(
    roster: Roster, now: datetime, names: Mapping[HostId, Sequence[str]]
) -> Iterator[Entry]:
    for member in sorted(roster.members.values(), key=lambda one: one.name):
        yield _server(member, now, names.get(member.host, ()))
        for certificate in member.certificates:
            yield _of_host(certificate, "host_internal", member, now)
    for anchor in sorted(roster.anchors.values(), key=lambda one: (one.sort, one.name)):
        yield _anchor(anchor, now)


def _server(member: Membership, now: datetime, more: Sequence[str]) -> Entry:
    asked_by = dict.fromkeys((member.name, *more, member.address))
    return {
        **_of_host(member.server, "host", member, now),
        "chain": [_link(one, now) for one in member.chain],
        "not_covered": list(uncovered(member.server, asked_by)),
    }


def _of_host(certificate: Certificate, sort: str, member: Membership, now: datetime) -> Entry:
    return {
        "type": sort,
        "host": member.host,
        "host_name": member.name,
        **_facts(certificate, now),
    }


def _anchor(anchor: Anchor, now: datetime) -> Entry:
    return {
        "type": anchor.sort,
        "name": anchor.name,
        "purposes": [one for one in anchor.purposes if one not in OWN_WORDS],
        "trusted_for": list(anchor.purposes),
        **_facts(anchor.certificate, now),
    }


def _facts(certificate: Certificate, now: datetime) -> Entry:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "self_signed": certificate.self_signed,
        "names": list(certificate.names),
        "addresses": list(certificate.addresses),
        "key": certificate.key,
        "signature": certificate.signature_algorithm,
        "serial": f"{certificate.serial:X}",
        "not_before": _date(certificate.not_before),
        "not_after": _date(certificate.not_after),
        "days_left": _days(certificate, now),
        "validity": str(validity(certificate, now)),
        "sha256": str(certificate.thumbprint),
        "sha1": certificate.sha1,
    }


def _link(certificate: Certificate, now: datetime) -> Entry:
    """One authority between a server certificate and its root."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "not_after": _date(certificate.not_after),
        "days_left": _days(certificate, now),
        "sha256": str(certificate.thumbprint),
    }


def _break(one: Break) -> Entry:
    return {
        "at": _date(one.at),
        "certificate": str(one.certificate),
        "words": one.words,
        "cure": one.cure,
    }


def _days(certificate: Certificate, now: datetime) -> float:
    return round(days_left(certificate, now), 2)


def _date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
