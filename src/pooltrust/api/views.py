"""The records that clients see, from what the host believes.

Pure functions of (roster, rows, liveness).  Who is a member, where it is and what proves it comes
from the roster alone; a row of the database adds what users set and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pooltrust import __version__
from pooltrust.api.classes.access.subject import TABLE as SUBJECTS
from pooltrust.api.classes.access.subject import Subject, subjects
from pooltrust.api.classes.access.user import ACCOUNTS, User, users
from pooltrust.api.classes.certificate import Certificate as CertificateRecord
from pooltrust.api.classes.fields.choices import CertificatePurpose, CertificateType, PoolOperation
from pooltrust.api.classes.fields.host import FROM_THE_ROSTER, Host
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.classes.host_metrics import HostMetrics
from pooltrust.api.classes.secret import Secret
from pooltrust.api.classes.telling.message import Message
from pooltrust.api.declare.record import Class, Kind, class_of
from pooltrust.api.declare.values import (
    EPOCH,
    NULL,
    Ref,
    WrongType,
    compact,
    named_uuid,
    ref_of,
)
from pooltrust.api.messages import ALERTS, messages_of_alerts
from pooltrust.errors import Refused
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import HostId
from pooltrust.trust.roster import Membership, Roster

R = TypeVar("R")

API_VERSION = (2, 23)
"""Major and minor version of the published API whose declarations these are."""

PRODUCT_VERSION = "8.4.0"
"""What clients compare with the versions of other products; dotted numbers."""

SOFTWARE: Mapping[str, str] = {
    "product_brand": "pooltrust",
    "product_version": PRODUCT_VERSION,
    "product_version_text": __version__,
    "platform_name": "pooltrust",
    "platform_version": "3.4.0",
    "build_number": __version__,
    "xapi": "23.0",
    "xapi_build": __version__,
    "db_schema": "5.909",
    "network_backend": "none",
}

Rows = Callable[[str], Mapping[str, Mapping[str, Any]]]
"""By class, then by UUID: the fields that are kept of each object, as `stored` wrote them."""

ACCESS, CERTIFICATE = "access", "client_certificate"
"""Table and key of the one row that says by which name in a certificate a client is let in."""

APPLIANCES, BALANCER = "appliance", "wlb"
"""Table and key of the one row that says where the Workload Balancing appliance is: url, username,
and password, the UUID of a secret."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """What was last heard of one host.  Bytes of memory, 0 if it never said."""

    live: bool
    heard: datetime = EPOCH
    memory_total: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that records are made from."""

    roster: Roster
    rows: Rows = lambda _cls: {}
    liveness: Mapping[HostId, Liveness] = field(default_factory=dict)
    overrides: frozenset[HostId] = frozenset()
    """Hosts that do not verify at present, by their own administrator's order."""
    operations: Mapping[str, str] = field(default_factory=dict)
    """The operations that have not ended, by id, each by its kind."""
    allowed: frozenset[str] = frozenset()
    """The kinds that could begin now."""


def host_ref(host: HostId) -> Ref:
    """The reference of a host."""
    return ref_of("host", host)


def pool_uuid(roster: Roster) -> str:
    """The UUID of a pool, which is named by its founding entry."""
    return named_uuid("pool", roster.pool)


def tables_of(cls: type) -> tuple[str, ...]:
    """The tables from which the objects of a class are made, besides the roster."""
    return class_of(cls).name, *_MORE_TABLES.get(cls, ())


def records(cls: type[R], picture: Picture) -> dict[Ref, R]:
    """Every object of a class by reference.  Raises KeyError for one that is no view."""
    name = class_of(cls).name
    made: Iterator[Any] = _VIEWS[cls](picture)
    return {ref_of(name, record.uuid): record for record in made}


def stored(value: Any) -> Any:
    """A field's value as plain JSON, for a row."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return compact(value)
    if isinstance(value, list | tuple):
        return [stored(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): stored(item) for key, item in value.items()}
    return value


def _set_by_users(cls: type, picture: Picture, uuid: str) -> dict[str, Any]:
    """The fields of a row that its class still has, users may set and the roster does not."""
    declared = class_of(cls)
    row = picture.rows(declared.name).get(uuid, {})
    settable = {name for name, field in declared.fields.items() if field.kind is Kind.RW}
    return _read(declared, row, settable - FROM_THE_ROSTER)


def _read(declared: Class, row: Mapping[str, Any], wanted: Set[str]) -> dict[str, Any]:
    found = {}
    for name in row.keys() & wanted:
        try:
            found[name] = declared.fields[name].type.read(row[name])
        except (WrongType, Refused):
            continue  # Written by another release: the field has its default again.
    return found


def _kept(cls: type[R]) -> Callable[[Picture], Iterator[R]]:
    """The view of a class whose objects are rows and nothing else."""

    python: Any = cls

    def kept(picture: Picture) -> Iterator[R]:
        declared = class_of(cls)
        for uuid, row in picture.rows(declared.name).items():
            yield python(uuid=uuid, **_read(declared, row, declared.fields.keys() - {"uuid"}))

    return kept


def _pool(picture: Picture) -> Iterator[Pool]:
    roster = picture.roster
    uuid = pool_uuid(roster)
    accepted = picture.rows(ACCESS).get(CERTIFICATE, {}).get("name")
    balancer = picture.rows(APPLIANCES).get(BALANCER, {})
    known: dict[str, Any] = {
        "master": host_ref(roster.coordinator),
        "default_SR": NULL,
        "tls_verification_enabled": roster.verification,
        "wlb_url": balancer.get("url", ""),
        "wlb_username": balancer.get("username", ""),
        "wlb_password": ref_of("secret", balancer["password"]) if balancer else NULL,
        "wlb_verify_cert": roster.verification,
        "ext_auth_cache_enabled": False,
        "client_certificate_auth_enabled": accepted is not None,
        "client_certificate_auth_name": accepted or "",
        "allowed_operations": tuple(one for one in PoolOperation if one in picture.allowed),
        "current_operations": {
            reference: PoolOperation(kind)
            for reference, kind in picture.operations.items()
            if kind in PoolOperation.__members__.values()
        },
    }
    yield Pool(uuid=uuid, **known | _set_by_users(Pool, picture, uuid))


def _hosts(picture: Picture) -> Iterator[Host]:
    for member in picture.roster.members.values():
        yield _host(picture, member)


def _host(picture: Picture, member: Membership) -> Host:
    uuid = member.host
    live = _liveness(picture, uuid).live
    known: dict[str, Any] = {
        "name_label": member.name,
        "API_version_major": API_VERSION[0],
        "API_version_minor": API_VERSION[1],
        "API_version_vendor": "XenSource",
        "API_version_vendor_implementation": {"pooltrust": __version__},
        "enabled": live,
        "software_version": {**SOFTWARE, "hostname": member.name},
        "sched_policy": "credit",
        "supported_bootloaders": ("pygrub", "eliloader"),
        "hostname": member.name,
        "address": member.address,
        "metrics": ref_of("host_metrics", _metrics_uuid(uuid)),
        "ssl_legacy": False,
        "ssh_enabled": False,
        "https_only": True,
        "certificates": tuple(
            ref_of("Certificate", record.uuid) for record in _certificates_of(member)
        ),
        "tls_verification_enabled": picture.roster.verification and uuid not in picture.overrides,
    }
    return Host(uuid=uuid, **known | _set_by_users(Host, picture, uuid))


def _metrics(picture: Picture) -> Iterator[HostMetrics]:
    for host in picture.roster.members:
        heard = _liveness(picture, host)
        uuid = _metrics_uuid(host)
        known: dict[str, Any] = {
            "memory_total": heard.memory_total,
            "live": heard.live,
            "last_updated": heard.heard,
        }
        yield HostMetrics(uuid=uuid, **known | _set_by_users(HostMetrics, picture, uuid))


def _liveness(picture: Picture, host: HostId) -> Liveness:
    return picture.liveness.get(host) or Liveness(live=False)


def _metrics_uuid(host: HostId) -> str:
    return named_uuid("host_metrics", host)


_messages_kept = _kept(Message)


def _messages(picture: Picture) -> Iterator[Message]:
    yield from _messages_kept(picture)
    yield from messages_of_alerts(picture)


def _users(picture: Picture) -> Iterator[User]:
    return users(picture.rows(ACCOUNTS), lambda uuid: _set_by_users(User, picture, uuid))


def _certificates(picture: Picture) -> Iterator[CertificateRecord]:
    for member in picture.roster.members.values():
        yield from _certificates_of(member)
    for anchor in picture.roster.anchors.values():
        known = CertificatePurpose.__members__.values()
        yield _certificate(
            anchor.certificate,
            CertificateType(anchor.sort),
            name=anchor.name,
            purpose=tuple(purpose for purpose in known if purpose in anchor.purposes),
        )


def _certificates_of(member: Membership) -> Iterator[CertificateRecord]:
    yield _certificate(member.server, CertificateType.HOST, member.host)
    for certificate in member.certificates:
        yield _certificate(certificate, CertificateType.HOST_INTERNAL, member.host)


def _certificate(
    certificate: Certificate,
    of_type: CertificateType,
    host: HostId | None = None,
    *,
    name: str = "",
    purpose: tuple[CertificatePurpose, ...] = (),
) -> CertificateRecord:
    thumbprint = str(certificate.thumbprint)
    return CertificateRecord(
        uuid=named_uuid("Certificate", of_type.value, host or "", thumbprint),
        name=name,
        type=of_type,
        host=host_ref(host) if host else NULL,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        fingerprint=thumbprint,
        fingerprint_sha256=thumbprint,
        fingerprint_sha1=certificate.sha1,
        purpose=purpose,
    )


_MORE_TABLES: Mapping[type, tuple[str, ...]] = {
    Pool: (ACCESS, APPLIANCES),
    User: (ACCOUNTS,),
    Message: (ALERTS,),
}

_VIEWS: Mapping[type, Callable[[Picture], Iterator[Any]]] = {
    Pool: _pool,
    Host: _hosts,
    HostMetrics: _metrics,
    CertificateRecord: _certificates,
    Message: _messages,
    Secret: _kept(Secret),
    Subject: lambda picture: subjects(picture.rows(SUBJECTS)),
    User: _users,
}
