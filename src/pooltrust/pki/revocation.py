"""Certificate revocation lists (RFC 5280 5): which may be installed, and whom one revokes.

A list that its issuer has not renewed in time still revokes whom it names: nobody is let in again
because a list is old, and nobody is kept out for that alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from pooltrust.pki import facts
from pooltrust.pki.certificate import Certificate

MOST_BYTES = 512 * 1024
"""The largest list that is read, in bytes of DER; some 14,000 revoked certificates."""

_KNOWN = (
    x509.AuthorityKeyIdentifier,
    x509.CRLNumber,
    x509.FreshestCRL,
    x509.AuthorityInformationAccess,
    x509.IssuerAlternativeName,
    x509.IssuingDistributionPoint,
)


class BadList(ValueError):
    """These bytes are no revocation list that can be used; the words say why."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that its issuer took back: whose, when (UTC), and why if it says."""

    subject: str
    since: datetime
    reason: str


def read_list(der: bytes) -> bytes:
    """The DER of a list that can be used.

    One that only names changes of another list, or certificates of other issuers, is none: it
    would revoke whom it does not mean.  Raises BadList.
    """
    if len(der) > MOST_BYTES:
        raise BadList(f"it has over {MOST_BYTES} bytes")
    try:
        parsed = _parsed(bytes(der))
        _check(parsed.extensions)
        _check_signed(parsed)
        return parsed.public_bytes(Encoding.DER)
    except BadList:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm, *facts.PARSE_ERRORS) as why:
        raise BadList("it can't be read") from why


def renewal(der: bytes) -> datetime | None:
    """When the issuer of a list promises the next one, UTC; None if it does not say."""
    return _parsed(der).next_update_utc


def issuer(der: bytes) -> str:
    """Who issued a list, as RFC 4514 text."""
    return facts.text(_parsed(der).issuer)


def revoked(
    chain: Sequence[Certificate], anchors: Iterable[Certificate], lists: Iterable[bytes]
) -> Revoked | None:
    """Whom these lists (DER) revoke of a verified chain, the leaf first.

    A list counts if the key of a certificate in the chain, or of an anchor, signed it.
    """
    parsed = [_parsed(der) for der in lists]
    issuers = (*chain, *anchors)
    for certificate in chain:
        for one in parsed:
            found = _named(certificate, one)
            if found is not None and any(_signed(one, by) for by in issuers):
                return Revoked(certificate.subject, found.revocation_date_utc, _reason(found))
    return None


def _check(extensions: x509.Extensions) -> None:
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            raise BadList("it names only what changed since another list: give the whole one")
        if isinstance(value, x509.IssuingDistributionPoint) and value.indirect_crl:
            raise BadList("it names certificates of other issuers than its own")
        if extension.critical and not isinstance(value, _KNOWN):
            raise BadList(
                f"it has a critical extension of an unknown kind, {extension.oid.dotted_string}"
            )


def _check_signed(parsed: x509.CertificateRevocationList) -> None:
    """One whose signature nobody here can check would be installed, and revoke nobody."""
    try:
        _ = parsed.signature_hash_algorithm
    except UnsupportedAlgorithm as why:
        oid = parsed.signature_algorithm_oid.dotted_string
        raise BadList(f"it is signed in a way that is not known here, {oid}") from why


def _named(certificate: Certificate, of: x509.CertificateRevocationList) -> _Entry | None:
    if x509.load_der_x509_certificate(certificate.der).issuer != of.issuer:
        return None
    return of.get_revoked_certificate_by_serial_number(certificate.serial)


def _signed(one: x509.CertificateRevocationList, by: Certificate) -> bool:
    parsed = x509.load_der_x509_certificate(by.der)
    if parsed.subject != one.issuer:
        return False
    try:
        return one.is_signature_valid(parsed.public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _reason(entry: _Entry) -> str:
    try:
        said = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except (x509.ExtensionNotFound, ValueError, *facts.PARSE_ERRORS):
        return ""  # it is taken back, whatever is unreadable beside that
    return "" if said == "unspecified" else said


# All lists of a pool at once: each connection with a client certificate goes through them.
@lru_cache(maxsize=128)
def _parsed(der: bytes) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(der)


_Entry = x509.RevokedCertificate
