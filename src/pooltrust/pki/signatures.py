"""Which signature goes with which key: the algorithm follows from the key, never from a message.

Knows keys only; who holds them, and what is signed, is said elsewhere.
"""

from __future__ import annotations

from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

SigningKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""A private key that this project signs with; `signing_key` proves it."""

LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192

_HASHES: dict[str, HashAlgorithm] = {"secp256r1": SHA256(), "secp384r1": SHA384()}


def verify(key: CertificatePublicKeyTypes, signature: bytes, message: bytes) -> bool:
    """Whether `key` signed `message`; false for a key that this project does not sign with."""
    if not _usable(key):
        return False
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_HASHES[key.curve.name]))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def sign(key: SigningKey, message: bytes) -> bytes:
    """Sign `message` as `verify` expects it."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(_HASHES[key.curve.name]))
    return key.sign(message, padding.PKCS1v15(), SHA256())


def signing_key(key: PrivateKeyTypes) -> SigningKey | None:
    """The same key, if it is of a kind that this project signs with."""
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key if _usable(key.public_key()) else None
    return None


def _usable(key: CertificatePublicKeyTypes) -> bool:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _HASHES
    return isinstance(key, rsa.RSAPublicKey) and LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS
