"""When a certificate ends.  The clock is the caller's."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pooltrust.pki.certificate import Certificate

_DAY = timedelta(days=1)


class Validity(StrEnum):
    """Where a moment lies in a certificate's period of validity (RFC 5280 4.1.2.5)."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"


def validity(certificate: Certificate, now: datetime) -> Validity:
    """Both ends of the period belong to it."""
    if now < certificate.not_before:
        return Validity.NOT_YET_VALID
    return Validity.EXPIRED if now > certificate.not_after else Validity.VALID


def days_left(certificate: Certificate, now: datetime) -> float:
    """Days until it expires; negative once it has."""
    return (certificate.not_after - now) / _DAY
