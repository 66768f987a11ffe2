"""A certificate signing request (PKCS#10, RFC 2986): a key of this host, and what is asked for it.

The authority's answer is judged like any identity that a user offers; only the key is here already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pooltrust.pki import pemtext
from pooltrust.pki.names import BadName, dns_names, ip_addresses
from pooltrust.pki.offered.key import offered_key
from pooltrust.pki.offered.refusals import KeyInvalid
from pooltrust.pki.signatures import SigningKey

LABEL = "CERTIFICATE REQUEST"
LONGEST_COMMON_NAME = 64
"""RFC 5280, appendix A, ub-common-name."""


class BadRequest(ValueError):
    """These bytes are not what `Request.pem` writes; the words show nothing of the key."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request (DER) and the key that it is for."""

    der: bytes
    _key: SigningKey = field(repr=False, compare=False)

    @classmethod
    def made(cls, key: SigningKey, names: Sequence[str], addresses: Sequence[str]) -> Request:
        """Ask for a server certificate for these names and addresses, which this key signs.

        Raises BadName, also if there is neither.
        """
        dns, ips = dns_names(names), ip_addresses(addresses)
        if not dns and not ips:
            raise BadName("a server certificate needs a name or an address")
        texts = [*dns, *map(str, ips)]
        common = next((one for one in texts if len(one) <= LONGEST_COMMON_NAME), None)
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else []
        others: list[x509.GeneralName] = [x509.DNSName(one) for one in dns]
        others += [x509.IPAddress(one) for one in ips]
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        p384 = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 384
        signed = (
            x509.CertificateSigningRequestBuilder(x509.Name(subject))
            .add_extension(x509.SubjectAlternativeName(others), critical=False)
            .add_extension(usage, critical=False)
            .sign(key, SHA384() if p384 else SHA256())
        )
        return cls(signed.public_bytes(Encoding.DER), key)

    @classmethod
    def read(cls, pem: str) -> Request:
        """Read what `pem` wrote.  Raises BadRequest, also if the two do not belong together."""
        try:
            (der,) = pemtext.blocks(pem, LABEL)
            request = cls(der, offered_key(pem))
            parsed = x509.load_der_x509_csr(der)
        except (ValueError, KeyInvalid, UnsupportedAlgorithm) as why:
            raise BadRequest("it holds no key and request that can be read") from why
        if _public(parsed.public_key()) != request.spki:
            raise BadRequest("its key and its request do not belong together")
        return request

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo (DER) that a certificate for it has."""
        return _public(self._key.public_key())

    def text(self) -> str:
        """The request in PEM, for the authority: nothing secret."""
        return pemtext.write(LABEL, self.der)

    def key(self) -> str:
        """The key in PKCS#8 PEM: secret."""
        key = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return pemtext.write("PRIVATE KEY", key)

    def pem(self) -> str:
        """Key and request in one text, secret."""
        return self.key() + self.text()


def _public(key: object) -> bytes:
    public: bytes = key.public_bytes(  # type: ignore[attr-defined]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return public
