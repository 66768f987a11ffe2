"""Identities that are the same in every run, and so is whatever they sign.

Which of two takeovers yields is decided by their hashes: with other keys it is another story.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pooltrust.pki.certificate import read
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import _extensions
from trust.pools import NOW


class Fixed(Identity):
    """Signs the same message in the same way each time."""

    def sign(self, message: bytes) -> bytes:
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        return self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


def fixed_identity(name: str, number: int) -> Fixed:
    """The self-signed identity of that number."""
    secret = int.from_bytes(sha256(b"%d" % number).digest()[1:])  # smaller than the curve's order
    key = ec.derive_private_key(secret, ec.SECP256R1())
    serial = x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{number:040X}")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), serial])
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), number)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=365))
    )
    for extension, critical in [*_extensions(key), (x509.ExtendedKeyUsage(usages), False)]:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(key, SHA256(), ecdsa_deterministic=True)
    return Fixed(read(certificate.public_bytes(Encoding.DER)), (), key)
