"""A server identity that a user offers: key, leaf and chain, judged in XenAPI's order.

What is judged beyond it comes last: that the chain links and is in date, and that the leaf may be
used by a server.  What is worth a warning is said, and installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pooltrust.errors import Refused
from pooltrust.pki.certificate import BadCertificate, Certificate, read_pem
from pooltrust.pki.identity import Identity
from pooltrust.pki.offered.chain import linked
from pooltrust.pki.offered.coverage import uncovered
from pooltrust.pki.offered.key import offered_key
from pooltrust.pki.offered.refusals import (
    ChainInvalid,
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
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for first in faults(certificate, public, chain, now):
        raise first
    authorities = linked(certificate, chain, now) if chain else ()
    return Installable(
        Identity(certificate, authorities, private),
        tuple(words for _, words in warnings(certificate, authorities, names)),
    )


def faults(
    certificate: Certificate, spki: bytes | None, chain: str, now: datetime
) -> Iterator[Refused]:
    """Everything for which this leaf is refused, in XenAPI's order; made by who asks for the next.

    `spki`: the public half of the private key (DER), if that is known.
    """
    if now < certificate.not_before:
        yield LeafNotValidYet(instant(now), instant(certificate.not_before))
    if now > certificate.not_after:
        yield LeafExpired(instant(now), instant(certificate.not_after))
    if spki is not None and spki != certificate.spki:
        yield KeyMismatch()
    if certificate.signature_hash not in HASHES:
        yield SignatureNotSupported(certificate.signature_hash or certificate.signature_algorithm)
    try:
        if chain:
            linked(certificate, chain, now)
    except ChainInvalid as why:
        yield why
    yield from _may_not_serve(certificate)


def _leaf(text: str) -> Certificate:
    try:
        return read_pem(text)[0]
    except BadCertificate as why:
        raise LeafInvalid(str(why)) from why


def _may_not_serve(certificate: Certificate) -> Iterator[LeafInvalid]:
    usages, extended = certificate.usages, certificate.extended_usages
    if extended and not extended & {"server", ANY_USAGE}:
        yield LeafInvalid("its extended key usage does not allow a server")
    if usages and "digitalSignature" not in usages:
        yield LeafInvalid("its key usage does not allow signatures, which TLS 1.3 needs")


def warnings(
    certificate: Certificate, chain: Sequence[Certificate], names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """What its user should know although it can be installed: about what, and the words.

    About ``names``, ``key`` or ``chain``.
    """
    if missing := uncovered(certificate, names):
        yield (
            "names",
            f"The certificate does not cover {', '.join(missing)}: clients that connect by these "
            "and check names will refuse it.",
        )
    if not certificate.key.startswith("RSA"):
        words = f"The key is {certificate.key}: the original xe connects to RSA keys only."
        yield "key", words
    if not chain and not certificate.self_signed:
        yield (
            "chain",
            f"No chain was given: clients that trust {certificate.issuer} only through an "
            "authority between will not find it.",
        )
