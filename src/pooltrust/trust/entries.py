"""What can be written into the trust log: a closed, typed set.

Values and their bounds only; who may write which, and when, is the fold's business.  Certificates
are DER; every class docstring says what becomes true when the entry is folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeAlias, get_args

from pooltrust.trust import fields
from pooltrust.trust.fields import Recorded

Reason: TypeAlias = Annotated[str, fields.text(1000)]
Met: TypeAlias = Annotated[str, fields.matching("code|password|thumbprint")]
Sort: TypeAlias = Annotated[str, fields.matching("ca|pinned")]
Purposes: TypeAlias = Annotated[tuple[str, ...], fields.sorted_texts(fields.text(64, least=1), 16)]


@dataclass(frozen=True, slots=True)
class Founded(Recorded):
    """The pool exists, with this host as its coordinator; the port is the pool's for good."""

    kind: ClassVar[str] = "founded"
    host: fields.Host
    name: fields.Name
    address: fields.Address
    port: fields.Port
    certificate: fields.Der
    server: fields.Der
    verification: fields.Flag
    kinds: fields.Kinds


@dataclass(frozen=True, slots=True)
class HostAdmitted(Recorded):
    """This host is a member.  `signature` is its own, over the transcript of its first meeting."""

    kind: ClassVar[str] = "host-admitted"
    host: fields.Host
    name: fields.Name
    address: fields.Address
    certificate: fields.Der
    server: fields.Der
    kinds: fields.Kinds
    met: Met
    coordinator_nonce: fields.Nonce
    joiner_nonce: fields.Nonce
    signature: fields.Signature


@dataclass(frozen=True, slots=True)
class CertificateAccepted(Recorded):
    """A second pool certificate is accepted from the host, asked for by both of its keys."""

    kind: ClassVar[str] = "certificate-accepted"
    host: fields.Host
    certificate: fields.Der
    replaces: fields.Thumbprint
    old_signature: fields.Signature
    new_signature: fields.Signature


@dataclass(frozen=True, slots=True)
class CertificateWithdrawn(Recorded):
    """One of the host's two pool certificates is accepted no longer."""

    kind: ClassVar[str] = "certificate-withdrawn"
    host: fields.Host
    thumbprint: fields.Thumbprint
    reason: Reason


@dataclass(frozen=True, slots=True)
class ServerIdentityChanged(Recorded):
    """Clients meet another server certificate at the host, which signed that with its pool key."""

    kind: ClassVar[str] = "server-identity-changed"
    host: fields.Host
    server: fields.Der
    chain: fields.Chain
    signature: fields.Signature


@dataclass(frozen=True, slots=True)
class AnchorInstalled(Recorded):
    """The pool trusts a certificate authority, or one pinned certificate, for these purposes.

    Written again for the same certificate it gives it a name, or further purposes, or both.
    """

    kind: ClassVar[str] = "anchor-installed"
    name: fields.Name
    sort: Sort
    certificate: fields.Der
    purposes: Purposes


@dataclass(frozen=True, slots=True)
class AnchorRemoved(Recorded):
    """The pool no longer trusts this anchor."""

    kind: ClassVar[str] = "anchor-removed"
    thumbprint: fields.Thumbprint


@dataclass(frozen=True, slots=True)
class AddressChanged(Recorded):
    """The host is more likely found at another address: a hint, never authority."""

    kind: ClassVar[str] = "address-changed"
    host: fields.Host
    address: fields.Address


@dataclass(frozen=True, slots=True)
class KindsDeclared(Recorded):
    """The host understands these kinds of entries, as a rule after an upgrade."""

    kind: ClassVar[str] = "kinds-declared"
    host: fields.Host
    kinds: fields.Kinds


@dataclass(frozen=True, slots=True)
class VerificationRequired(Recorded):
    """Every host verifies whom it dials."""

    kind: ClassVar[str] = "verification-required"


@dataclass(frozen=True, slots=True)
class CoordinatorChanged(Recorded):
    """The coordinator hands over to this member, as planned."""

    kind: ClassVar[str] = "coordinator-changed"
    host: fields.Host


@dataclass(frozen=True, slots=True)
class TakenOver(Recorded):
    """This member takes over from a lost coordinator.

    It counts when `TakeoverEndorsed` follows at once.  Written *alone* it can't be endorsed and is
    followed only by hosts whose administrator orders it.
    """

    kind: ClassVar[str] = "taken-over"
    host: fields.Host
    replaced: fields.Host


@dataclass(frozen=True, slots=True)
class Endorsement(Recorded):
    """One member's signature for one takeover."""

    host: fields.Host
    signature: fields.Signature


Endorsements: TypeAlias = Annotated[
    tuple[Endorsement, ...], fields.several(fields.nested(Endorsement), 1024)
]


@dataclass(frozen=True, slots=True)
class TakeoverEndorsed(Recorded):
    """The takeover just before this entry has more than half of the members behind it."""

    kind: ClassVar[str] = "takeover-endorsed"
    taken_over: fields.Hash
    endorsements: Endorsements


@dataclass(frozen=True, slots=True)
class HostDismissed(Recorded):
    """The host is no member any more; nothing of it is accepted."""

    kind: ClassVar[str] = "host-dismissed"
    host: fields.Host
    reason: Reason


@dataclass(frozen=True, slots=True)
class Checkpoint(Recorded):
    """The roster before this entry has this fingerprint; older entries may be archived."""

    kind: ClassVar[str] = "checkpoint"
    roster: fields.Hash


Body: TypeAlias = (
    Founded
    | HostAdmitted
    | CertificateAccepted
    | CertificateWithdrawn
    | ServerIdentityChanged
    | AnchorInstalled
    | AnchorRemoved
    | AddressChanged
    | KindsDeclared
    | VerificationRequired
    | CoordinatorChanged
    | TakenOver
    | TakeoverEndorsed
    | HostDismissed
    | Checkpoint
)

BODIES: Mapping[str, type[Body]] = {body.kind: body for body in get_args(Body)}
"""Every entry this release understands, by its kind."""

KINDS: tuple[str, ...] = tuple(sorted(BODIES))
"""What a host of this release declares, and the least that any member must."""
