"""What of the log somebody may be told whose certificate is accepted no longer.

Searches entries only; that the key is in his hands, whoever tells him has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from pooltrust.pki.certificate import Certificate
from pooltrust.terms import host_id
from pooltrust.trust.entries import (
    Body,
    CertificateAccepted,
    CertificateWithdrawn,
    Founded,
    HostAdmitted,
    HostDismissed,
)
from pooltrust.trust.entry import SignedEntry


def told(
    entries: Sequence[SignedEntry], length: int, certificate: Certificate, *, accepted: bool
) -> int:
    """How many of the first `length` entries: up to the one that ended it, 0 if it never was.

    `accepted`: whether it was accepted before the first of them.  From the end backwards, and only
    entries about its host are parsed: a stranger who names himself "e" is in every entry.
    """
    try:
        about = host_id(certificate.common_name).encode()
    except ValueError:
        return 0
    end = 0
    for index in range(length - 1, -1, -1):
        if about in entries[index].payload:
            body = entries[index].entry.body
            if _ends(body, certificate):
                end = index + 1
            elif _accepts(body, certificate):
                return end
    return end if accepted else 0


def _accepts(body: Body, certificate: Certificate) -> bool:
    match body:
        case Founded() | HostAdmitted() | CertificateAccepted():
            return body.certificate == certificate.der
        case _:
            return False


def _ends(body: Body, certificate: Certificate) -> bool:
    match body:
        case CertificateWithdrawn():
            return body.thumbprint == certificate.thumbprint
        case HostDismissed():
            return body.host == certificate.common_name
        case _:
            return False
