"""An identity: a private key together with the certificate that names its holder.

Knows no files: reading and writing them is done by the trust store.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from pooltrust.pki import certificate as certificates
from pooltrust.pki import pemtext, signatures
from pooltrust.pki.certificate import BadCertificate, Certificate

MOST_KEY_BYTES = 8 * 1024
"""The largest private key that is read (RSA-8192 has 5 KiB): checking larger ones takes seconds."""


class BadIdentity(ValueError):
    """This is no key with its certificate; the words say why and never show the key."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate, the chain sent with it, and the key.  Equal to another with the same chain."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    _key: signatures.SigningKey = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises BadIdentity if the key is not the certificate's."""
        public = self._key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        if public != self.certificate.spki:
            raise BadIdentity("the private key is not that of the certificate")

    @classmethod
    def read(cls, pem: bytes) -> Identity:
        """Read what `pem` wrote: one unencrypted PKCS#8 key, the certificate, then its chain.

        Raises BadIdentity, also if key and certificate do not belong together.
        """
        try:
            keys = pemtext.blocks(pem, "PRIVATE KEY")
            leaf, *chain = certificates.read_pem(pem)
        except (pemtext.BadPem, BadCertificate) as why:
            raise BadIdentity(str(why)) from why
        if len(keys) != 1:
            raise BadIdentity(f"there must be one PKCS#8 private key, there are {len(keys)}")
        return cls(leaf, tuple(chain), _read_key(keys[0]))

    def sign(self, message: bytes) -> bytes:
        """Sign `message`, to be checked by `Certificate.verify`, which names the algorithms."""
        return signatures.sign(self._key, message)

    def pem(self) -> bytes:
        """The key in PKCS#8, the certificate and its chain: one text, secret."""
        key = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        shown = "".join(each.pem() for each in (self.certificate, *self.chain))
        return (pemtext.write("PRIVATE KEY", key) + shown).encode("ascii")


def _read_key(der: bytes) -> signatures.SigningKey:
    if len(der) > MOST_KEY_BYTES:
        raise BadIdentity(f"the private key has over {MOST_KEY_BYTES} bytes")
    try:
        key = signatures.signing_key(load_der_private_key(der, password=None))
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm) as why:
        raise BadIdentity("the private key can't be read") from why
    if key is None:
        raise BadIdentity("the private key must be P-256, P-384 or RSA of 2048 to 8192 bits")
    return key
