"""A server identity that a user offers: key, leaf and chain, judged in XenAPI's order.

What is judged beyond it comes last: that the chain links and is in date, and that the leaf may be
used by a server.  What is worth a warning is said, and installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pooltrust.pki.certificate import BadCertificate, Certificate, read_pem
from pooltrust.pki.identity import Identity
from pooltrust.pki.offered.chain import linked
from pooltrust.pki.offered.coverage import uncovered
from pooltrust.pki.offered.key import offered_key
from pooltrust.pki.offered.refusals import (
    KeyMismatch,
    LeafExpired,
    LeafInvalid,
    LeafNotValidYet,
    SignatureNotSupported,
    instant,
)

HASHES = ("sha256", "sha384", "sha512")
ANY_USAGE = "2.5.29.37.0"


@dataclass(frozen=True, slots=True)
class Installable:
    """An identity that may be installed, and what its user should know."""

    identity: Identity
    warnings: tuple[str, ...]


def server_identity(
    leaf: str, key: str, chain: str, *, now: datetime, names: Iterable[str]
) -> Installable:
    """Judge what `host.install_server_certificate` is given, PEM texts; an empty chain is none.

    `names` are the host's names and addresses, as clients type them.  Raises the refusals of
    refusals.py, the first that applies.
    """
    private = offered_key(key)
    certificate = _leaf(leaf)
    if now < certificate.not_before:
        raise LeafNotValidYet(instant(now), instant(certificate.not_before))
    if now > certificate.not_after:
        raise LeafExpired(instant(now), instant(certificate.not_after))
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public != certificate.spki:
        raise KeyMismatch
    if certificate.signature_hash not in HASHES:
        raise SignatureNotSupported(certificate.signature_hash or certificate.signature_algorithm)
    authorities = linked(certificate, chain, now) if chain else ()
    _may_serve(certificate)
    return Installable(
        Identity(certificate, authorities, private),
        tuple(_warnings(certificate, authorities, names)),
    )


def _leaf(text: str) -> Certificate:
    try:
        return read_pem(text)[0]
    except BadCertificate as why:
        raise LeafInvalid(str(why)) from why


def _may_serve(certificate: Certificate) -> None:
    usages, extended = certificate.usages, certificate.extended_usages
    if extended and not extended & {"server", ANY_USAGE}:
        raise LeafInvalid("its extended key usage does not allow a server")
    if usages and "digitalSignature" not in usages:
        raise LeafInvalid("its key usage does not allow signatures, which TLS 1.3 needs")


def _warnings(
    certificate: Certificate, chain: Sequence[Certificate], names: Iterable[str]
) -> Iterable[str]:
    if missing := uncovered(certificate, names):
        yield (
            f"The certificate does not cover {', '.join(missing)}: clients that connect by these "
            "and check names will refuse it."
        )
    if not certificate.key.startswith("RSA"):
        yield f"The key is {certificate.key}: the original xe connects to RSA keys only."
    if not chain and not certificate.self_signed:
        yield (
            f"No chain was given: clients that trust {certificate.issuer} only through an "
            "authority between will not find it."
        )
