"""The certificates that the pool knows."""

from __future__ import annotations

from datetime import datetime

from pooltrust.api.classes.fields.choices import CertificatePurpose, CertificateType
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.declare.record import record, ro, static
from pooltrust.api.declare.values import EPOCH, NULL


@record("Certificate")
class Certificate:
    """One certificate: a host's server or pool certificate, or one installed by a user."""

    uuid: str = ro("Follows from the certificate, what it is for and its host")
    name: str = ro("The file name of an authority installed by name; empty for all others", "")
    type: CertificateType = ro("What it is for", CertificateType.HOST)
    host: HostRef = static("The host that proves itself by it; null for installed ones", NULL)
    not_before: datetime = static("It is valid from here", EPOCH)
    not_after: datetime = static("It is valid until here", EPOCH)
    fingerprint: str = static("The same as fingerprint_sha256", "")
    fingerprint_sha256: str = static("The SHA-256 of its DER: 32 pairs of hex digits", "")
    fingerprint_sha1: str = static("The SHA-1 of its DER: 20 pairs of hex digits", "")
    purpose: tuple[CertificatePurpose, ...] = static("What an installed one is trusted for", ())
