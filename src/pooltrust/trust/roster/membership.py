"""What the roster says of one host, one anchor and a takeover under way.

Values only; how they come about is in fold.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pooltrust.pki.certificate import Certificate, read
from pooltrust.terms import EntryHash, HostId, Thumbprint
from pooltrust.trust import fields
from pooltrust.trust.fields import Form, Recorded


def _check(value: object) -> None:
    if not isinstance(value, Certificate):
        raise ValueError("not a certificate")


def _write(value: Certificate) -> str:
    return fields.write_base64(value.der)


def _read(value: object) -> Certificate:
    return read(fields.read_base64(value))


_CERTIFICATE: Form[Certificate] = Form(_check, _write, _read)
_PAST = fields.several(fields.THUMBPRINT, 10**6)


@dataclass(frozen=True, slots=True)
class Membership(Recorded):
    """One member as the log has it."""

    host: fields.Host
    name: fields.Name
    address: fields.Address
    """A hint where to find it, never authority."""
    certificates: Annotated[tuple[Certificate, ...], fields.several(_CERTIFICATE, 2)]
    """The pool certificates accepted from it: one, or the older and the newer during a refresh."""
    server: Annotated[Certificate, _CERTIFICATE]
    """What clients meet."""
    chain: Annotated[tuple[Certificate, ...], fields.several(_CERTIFICATE, 8)]
    kinds: fields.Kinds
    """The kinds of entries it understands."""
    changes: fields.Count = 0
    """How often its server certificate was changed since it was admitted."""
    abandoned: Annotated[tuple[Thumbprint, ...], _PAST] = ()
    """Withdrawn while the certificate that they were to replace stays: never accepted again."""

    @property
    def newest(self) -> Certificate:
        """What it serves to other members, or is about to."""
        return self.certificates[-1]

    def accepts(self, thumbprint: Thumbprint) -> Certificate | None:
        """The accepted certificate of this thumbprint."""
        return next((c for c in self.certificates if c.thumbprint == thumbprint), None)

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether one of its accepted keys signed `message`."""
        return any(c.verify(signature, message) for c in self.certificates)


@dataclass(frozen=True, slots=True)
class Anchor(Recorded):
    """A certificate authority, or a pinned certificate, that the pool trusts for these purposes."""

    name: fields.Name
    sort: Annotated[str, fields.matching("ca|pinned")]
    certificate: Annotated[Certificate, _CERTIFICATE]
    purposes: Annotated[tuple[str, ...], fields.sorted_texts(fields.text(64, least=1), 16)]


@dataclass(frozen=True, slots=True)
class Pending:
    """A takeover whose endorsement must be the next entry."""

    entry: EntryHash
    taker: HostId
    replaced: HostId
