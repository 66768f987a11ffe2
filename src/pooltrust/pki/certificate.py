"""A certificate as a value: what it says of itself, and whether its key signed something.

Knows no clock, file or roster: whether a certificate is trusted is decided in trust, whether it
has expired in expiry.  Every fact is parsed in `read`, so that no later use of the value raises.
The parser's objects are not kept: they take several times the memory of all that is said here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from pooltrust.pki import facts, pemtext, signatures
from pooltrust.terms import Thumbprint

T = TypeVar("T")

MAX_DER = 64 * 1024
"""The largest certificate that is read, in bytes of DER."""

MOST_RSA_BITS = 16384
"""OpenSSL refuses to use larger keys; smaller ones are verified in a bounded time."""


class BadCertificate(ValueError):
    """These bytes are no certificate that can be read; the words say why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate.  Made by `read` and `read_pem` only; equal to another with the same DER.

    Text that the certificate's maker chose is printable: control characters are escaped, so it can
    be shown and logged.  All times are UTC.
    """

    der: bytes = field(repr=False)
    thumbprint: Thumbprint = field(compare=False)
    subject: str = field(compare=False)
    """RFC 4514 text."""
    plain_subject: bool = field(compare=False, repr=False)
    """Spelled in the usual string types, which everybody can read."""
    issuer: str = field(compare=False, repr=False)
    common_name: str = field(compare=False, repr=False)
    """The subject's common name; empty if there is none, or more than one."""
    not_before: datetime = field(compare=False, repr=False)
    not_after: datetime = field(compare=False, repr=False)
    names: tuple[str, ...] = field(compare=False, repr=False)
    """The DNS names in its subjectAltName."""
    addresses: tuple[str, ...] = field(compare=False, repr=False)
    """The IP addresses in its subjectAltName."""
    key: str = field(compare=False, repr=False)
    """``P-256``, ``RSA-2048``, ``Ed25519`` …"""
    is_ca: bool = field(compare=False, repr=False)
    extensions: frozenset[str] = field(compare=False, repr=False)
    """``basicConstraints``, ``keyUsage`` … as RFC 5280 names them, else the dotted identifier."""
    usages: frozenset[str] = field(compare=False, repr=False)
    """``digitalSignature``, ``keyCertSign`` …; empty means that it does not say."""
    extended_usages: frozenset[str] = field(compare=False, repr=False)
    """``server``, ``client``, or the dotted identifier; empty means that it does not say."""
    serial: int = field(compare=False, repr=False)
    signature_algorithm: str = field(compare=False, repr=False)
    """``ecdsa-with-SHA256``, ``sha256WithRSAEncryption`` …, or the dotted identifier."""
    spki: bytes = field(compare=False, repr=False)
    """The SubjectPublicKeyInfo in DER: two certificates with the same one share a key."""

    @property
    def sha1(self) -> str:
        """``AA:BB:…``: shown to people and clients, never compared to decide anything."""
        return hashlib.sha1(self.der, usedforsecurity=False).digest().hex(":").upper()

    @property
    def self_signed(self) -> bool:
        """Subject and issuer are one, and its own key signed it."""
        return self.issued_by(self)

    @property
    def signature_hash(self) -> str:
        """The hash that its issuer signed, ``sha256`` …; empty if there is none that is known."""
        try:
            used = self._parsed().signature_hash_algorithm
        except (ValueError, UnsupportedAlgorithm):
            return ""
        return used.name if used else ""

    def issued_by(self, other: Certificate) -> bool:
        """Whether that certificate's subject is this one's issuer, and its key signed this one."""
        try:
            self._parsed().verify_directly_issued_by(other._parsed())
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def pem(self) -> str:
        """The PEM text, with a newline at the end."""
        return pemtext.write("CERTIFICATE", self.der)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this certificate's key signed `message`.

        ECDSA with SHA-256 under a P-256 key, ECDSA with SHA-384 under P-384, RSA PKCS#1 v1.5 with
        SHA-256 under RSA of 2048 to 8192 bits; false for any other key.
        """
        return signatures.verify(_public_key(self.spki), signature, message)

    def _parsed(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)


def read(der: bytes) -> Certificate:
    """Read one certificate in DER.  Raises BadCertificate."""
    if len(der) > MAX_DER:
        raise BadCertificate(f"{len(der)} bytes are too many: at most {MAX_DER} are read")
    try:
        return _read(bytes(der))
    except BadCertificate:
        raise
    except UnsupportedAlgorithm as why:
        raise BadCertificate(f"its key is of an unknown kind ({why})") from why
    except (ValueError, TypeError, OverflowError, *facts.PARSE_ERRORS) as why:
        raise BadCertificate(f"it can't be read ({why})") from why


def read_pem(text: str | bytes) -> list[Certificate]:
    """All certificates of a PEM text, in its order; other blocks and comments are passed over.

    Raises BadCertificate if there is none, if one can't be read, or if the text is over 1 MiB.
    """
    try:
        blocks = pemtext.blocks(text, "CERTIFICATE")
    except pemtext.BadPem as why:
        raise BadCertificate(str(why)) from why
    if not blocks:
        raise BadCertificate("there is no certificate in this text")
    return [read(der) for der in blocks]


def _read(der: bytes) -> Certificate:
    parsed = x509.load_der_x509_certificate(der)
    public = parsed.public_key()
    bits = getattr(public, "key_size", 0)
    if bits > MOST_RSA_BITS:
        raise BadCertificate(f"its key has {bits} bits, at most {MOST_RSA_BITS} are read")
    extensions = parsed.extensions
    subject, issuer = facts.text(parsed.subject), facts.text(parsed.issuer)
    return Certificate(
        der=der,
        thumbprint=Thumbprint.of(der),
        subject=subject,
        plain_subject=facts.is_plain(parsed.subject),
        issuer=subject if issuer == subject else issuer,
        common_name=facts.common_name(parsed.subject),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        names=facts.names(extensions),
        addresses=facts.addresses(extensions),
        key=_alike(facts.key_kind(public)),
        is_ca=facts.is_ca(extensions),
        extensions=_alike(facts.kinds(extensions)),
        usages=_alike(facts.usages(extensions)),
        extended_usages=_alike(facts.extended_usages(extensions)),
        serial=parsed.serial_number,
        signature_algorithm=facts.signature_algorithm(parsed.signature_algorithm_oid),
        spki=public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


@lru_cache(maxsize=256)
def _alike(said: T) -> T:
    """The same value as in the certificates before, if one of them said the same."""
    return said


@lru_cache(maxsize=1024)
def _public_key(spki: bytes) -> CertificatePublicKeyTypes:
    return load_der_public_key(spki)  # type: ignore[return-value]  # it was in a certificate
