"""One entry of the trust log: signed bytes, and what they say.

The payload is signed and hashed as it was received and never written anew.  Whether its signer
may write it is the fold's business.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, TypeAlias

from pooltrust.pki.identity import Identity
from pooltrust.terms import EntryHash
from pooltrust.trust import canonical, fields
from pooltrust.trust.canonical import NotCanonical
from pooltrust.trust.entries import BODIES, Body
from pooltrust.trust.fields import Form, Recorded

PAYLOAD_TYPE = "application/vnd.pooltrust.entry+json"
FORMAT = 1
PAYLOAD_LIMIT = 256 * 1024
SIGNATURE_LIMIT = 1024
LINE_LIMIT = PAYLOAD_LIMIT + 2 * SIGNATURE_LIMIT


class NotAnEntry(ValueError):
    """These bytes can't be read as an entry; the words say why."""


class UnknownKind(NotAnEntry):
    """An entry of a kind, or in a format, that this release does not know."""


def _check_time(value: Any) -> None:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise ValueError("not a time with its zone")


def _write_time(value: datetime) -> str:
    plain = value.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="microseconds") + "Z"


def _read_time(value: Any) -> datetime:
    # UTC first: a time near year 1 or 9999 in another zone has no spelling in UTC at all.
    if type(value) is not str or not value.endswith("Z"):
        raise ValueError("not a time in UTC")
    time = datetime.fromisoformat(value)
    if _write_time(time) != value:
        raise ValueError("not the one spelling of this time")
    return time


Time: TypeAlias = Annotated[datetime, Form(_check_time, _write_time, _read_time)]


@dataclass(frozen=True, slots=True)
class Envelope(Recorded):
    """What an entry of *any* format says: enough to check its place and its signature."""

    format: fields.Number
    kind: fields.Kind
    number: fields.Number
    pool: fields.Pool
    previous: fields.Link
    signer: fields.Thumbprint


@dataclass(frozen=True, slots=True)
class Entry(Recorded):
    """What one entry says.  The founding entry has number 1, no pool and no previous entry."""

    number: fields.Number
    pool: fields.Pool
    previous: fields.Link
    at: Time
    """For people; nothing is ever decided by it."""
    by: fields.Name
    """Who ordered it."""
    call: fields.Name
    """By which call."""
    signer: fields.Thumbprint
    body: Body
    alone: fields.Flag = False
    """Written on an administrator's order with fewer than half of the members: may be lost."""

    @property
    def kind(self) -> str:
        """The body's kind."""
        return self.body.kind

    def payload(self) -> bytes:
        """The canonical bytes."""
        said = self.record() | {"format": FORMAT, "kind": self.kind, "body": self.body.record()}
        return canonical.encode(said)


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """The bytes of an entry and one signature over them.

    Equal to another with the same bytes, whatever the signature: anybody can turn an ECDSA
    signature (r, s) into (r, n - s), which verifies as well.  Raises NotAnEntry if it is too large.
    """

    payload: bytes
    signature: bytes = field(compare=False, repr=False)
    hash: EntryHash = field(init=False, compare=False)
    """SHA-256 of the pre-authentication encoding of the payload, never of the signature."""

    def __post_init__(self) -> None:
        if len(self.payload) > PAYLOAD_LIMIT or not 0 < len(self.signature) <= SIGNATURE_LIMIT:
            raise NotAnEntry("its payload or its signature has a size that is not allowed")
        digest = hashlib.sha256(self.message).hexdigest()
        object.__setattr__(self, "hash", EntryHash(digest))

    @property
    def message(self) -> bytes:
        """What the signature covers."""
        return canonical.pae(PAYLOAD_TYPE, self.payload)

    @property
    def envelope(self) -> Envelope:
        """Its place in the log.  Raises NotAnEntry."""
        return _envelope(self.payload)

    @property
    def entry(self) -> Entry:
        """What it says, parsed strictly.  Raises UnknownKind, or another NotAnEntry."""
        return _entry(self.payload)

    def line(self) -> bytes:
        """One line of a log file: payload, tab, signature in base64, newline.

        Canonical JSON has no raw control characters, so tab and newline are not in the payload.
        """
        return b"%s\t%s\n" % (self.payload, fields.write_base64(self.signature).encode())

    @classmethod
    def from_line(cls, line: bytes) -> SignedEntry:
        """Read `line()`, the newline included.  Raises NotAnEntry."""
        payload, tab, signature = line.removesuffix(b"\n").partition(b"\t")
        if len(line) > LINE_LIMIT or not tab or not line.endswith(b"\n"):
            raise NotAnEntry("not payload, tab, signature, newline")
        try:
            signed = cls(payload, fields.read_base64(signature.decode("ascii")))
        except ValueError as why:
            raise NotAnEntry(str(why)) from why
        _ = signed.envelope
        return signed


def sign_entry(entry: Entry, identity: Identity) -> SignedEntry:
    """Sign an entry with the identity that it names as its signer.  Raises ValueError otherwise."""
    if identity.certificate.thumbprint != entry.signer:
        raise ValueError("the entry names another signer")
    payload = entry.payload()
    return SignedEntry(payload, identity.sign(canonical.pae(PAYLOAD_TYPE, payload)))


@lru_cache(maxsize=16)
def _read(payload: bytes) -> tuple[Envelope, dict[str, Any]]:
    try:
        said = canonical.decode(payload, limit=PAYLOAD_LIMIT)
        if type(said) is not dict:
            raise NotAnEntry("not an object")
        names = ("format", "kind", "number", "pool", "previous", "signer")
        return Envelope.read({name: said[name] for name in names if name in said}), said
    except (NotCanonical, ValueError) as why:
        raise NotAnEntry(str(why)) from why


def _envelope(payload: bytes) -> Envelope:
    return _read(payload)[0]


@lru_cache(maxsize=16)
def _entry(payload: bytes) -> Entry:
    envelope, said = _read(payload)
    if envelope.format != FORMAT:
        raise UnknownKind(f"an entry in format {envelope.format}")
    if envelope.kind not in BODIES:
        raise UnknownKind(f"an entry of the kind {envelope.kind}")
    rest = {name: value for name, value in said.items() if name not in ("format", "kind", "body")}
    try:
        if "body" not in said:
            raise NotAnEntry("it has no body")
        body = BODIES[envelope.kind].read(said["body"])
        return Entry(**fields.read_values(Entry, rest), body=body)
    except ValueError as why:
        raise NotAnEntry(str(why)) from why
