"""Keys and containers, with a passphrase or without: opened here, on the administrator's machine.

A key that comes out is one that hosts accept, in the only form that they take: unencrypted PKCS#8.
Nothing secret is in any text that is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from pooltrust.errors import Refused
from pooltrust.pki import pemtext
from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.pki.offered.key import offered_key

_UNREADABLE = (ValueError, TypeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Key:
    """A private key that a host accepts: in PKCS#8 PEM, secret; and its public half (DER)."""

    pem: str = field(repr=False)
    spki: bytes = field(repr=False)
    kind: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """Something that can't be used: what it was to be (``key``, ``certificate``), and why."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something under a passphrase that is not known, or is another one."""

    what: str
    wrong: bool


def open_key(label: str, content: bytes) -> Iterator[Key | Unfit]:
    """A key in DER that is not encrypted."""
    yield _fit(pemtext.write(label, content))


def key(content: bytes, passphrase: str) -> Iterator[Key | Unfit | Sealed]:
    """An encrypted PKCS#8 key in DER."""
    if not passphrase:
        yield Sealed("The key", wrong=False)
        return
    try:
        yield _written(load_der_private_key(content, passphrase.encode()))
    except UnsupportedAlgorithm as why:
        yield Unfit("key", f"The key is encrypted in a way that is not known here ({why}).")
    except _UNREADABLE:
        yield Sealed("The key", wrong=True)


def pem_key(text: str, passphrase: str) -> Iterator[Key | Unfit | Sealed]:
    """A key in PEM that is encrypted, by whichever of the two ways."""
    if not passphrase:
        yield Sealed("The key", wrong=False)
        return
    try:
        yield _written(load_pem_private_key(text.encode("latin-1", "replace"), passphrase.encode()))
    except UnsupportedAlgorithm as why:
        yield Unfit("key", f"The key is encrypted in a way that is not known here ({why}).")
    except _UNREADABLE:
        yield Sealed("The key", wrong=True)


def container(content: bytes, passphrase: str) -> Iterator[Certificate | Key | Unfit | Sealed]:
    """PKCS#12 (PFX): a key and the certificates that belong to it."""
    found: pkcs12.PKCS12KeyAndCertificates | None = None
    for password in [passphrase.encode()] if passphrase else [None, b""]:
        try:
            found = pkcs12.load_pkcs12(content, password)
            break
        except UnsupportedAlgorithm as why:
            yield Unfit("key", f"The PKCS#12 file is encrypted in an unknown way ({why}).")
            return
        except _UNREADABLE:
            continue
    if found is None:
        yield Sealed("The PKCS#12 file", wrong=bool(passphrase))
        return
    if found.key is not None:
        yield _written(found.key)
    for one in (found.cert, *found.additional_certs):
        if one is not None:
            yield _certificate(one.certificate.public_bytes(Encoding.DER))


def _certificate(der: bytes) -> Certificate | Unfit:
    try:
        return read(der)
    except BadCertificate as why:
        return Unfit("certificate", f"A certificate in the PKCS#12 file can't be read: {why}.")


def _written(private: Any) -> Key | Unfit:
    try:
        content = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, UnsupportedAlgorithm):
        return Unfit("key", "The key is of a kind that no host takes.")
    return _fit(pemtext.write("PRIVATE KEY", content))


def _fit(pem: str) -> Key | Unfit:
    """The key as hosts judge it: what they would refuse is told in their words."""
    try:
        private = offered_key(pem)
    except Refused as why:
        return Unfit("key", str(why))
    content = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    curve = getattr(private, "curve", None)
    kind = f"P-{private.key_size}" if curve else f"RSA-{private.key_size}"
    return Key(pemtext.write("PRIVATE KEY", content), spki, kind)
