"""Certificates and revocation lists that a pool is to trust: what they may be, and their names."""

from __future__ import annotations

import re
from datetime import datetime

from pooltrust.pki import pemtext, revocation
from pooltrust.pki.certificate import BadCertificate, Certificate, read_pem
from pooltrust.pki.offered.refusals import (
    CaExpired,
    CaInvalid,
    CaNotValidYet,
    CertificateNameInvalid,
    CrlCorrupt,
    CrlNameInvalid,
    TrustedExpired,
    TrustedInvalid,
    TrustedNotValidYet,
    instant,
)

_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,200}\.pem")


def authority(pem: str, now: datetime) -> Certificate:
    """What `pool.install_ca_certificate` is given; the first certificate counts.

    Raises CaInvalid, CaNotValidYet, CaExpired.
    """
    return _judged(pem, now, CaInvalid, CaNotValidYet, CaExpired)


def trusted(pem: str, now: datetime) -> Certificate:
    """What `pool.install_trusted_certificate` is given; the first certificate counts.

    Raises TrustedInvalid, TrustedNotValidYet, TrustedExpired.
    """
    return _judged(pem, now, TrustedInvalid, TrustedNotValidYet, TrustedExpired)


def certificate_name(name: str) -> str:
    """A name under which an authority is installed.  Raises CertificateNameInvalid."""
    if not _NAME.fullmatch(name):
        raise CertificateNameInvalid(name[:256])
    return name


def crl_name(name: str) -> str:
    """A name under which a revocation list is installed.  Raises CrlNameInvalid."""
    if not _NAME.fullmatch(name):
        raise CrlNameInvalid(name[:256])
    return name


def revocation_list(name: str, pem: str) -> bytes:
    """The DER of a revocation list.  Raises CrlCorrupt."""
    try:
        found = pemtext.blocks(pem, "X509 CRL")
        if len(found) != 1:
            raise ValueError(f"there must be one PEM block of a CRL, there are {len(found)}")
        return revocation.read_list(found[0])
    except ValueError as why:
        raise CrlCorrupt(name, str(why)) from why


def _judged(
    pem: str,
    now: datetime,
    invalid: type[CaInvalid] | type[TrustedInvalid],
    not_yet: type[CaNotValidYet] | type[TrustedNotValidYet],
    expired: type[CaExpired] | type[TrustedExpired],
) -> Certificate:
    try:
        certificate = read_pem(pem)[0]
    except BadCertificate as why:
        raise invalid(str(why)) from why
    if now < certificate.not_before:
        raise not_yet(instant(now), instant(certificate.not_before))
    if now > certificate.not_after:
        raise expired(instant(now), instant(certificate.not_after))
    return certificate
