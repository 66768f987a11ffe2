"""A key with its certificate."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.pki.mint import KeyKind, mint_server_identity

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
IDENTITIES = {kind: mint_server_identity(["h1"], [], NOW, kind=kind) for kind in KeyKind}
P256 = IDENTITIES[KeyKind.P256]
CERTIFICATE = P256.certificate.pem().encode()


def pkcs8(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("kind", KeyKind)
def test_what_an_identity_signs_its_certificate_verifies(kind: KeyKind) -> None:
    identity = IDENTITIES[kind]
    signature = identity.sign(b"words")
    assert identity.certificate.verify(signature, b"words")
    assert not identity.certificate.verify(signature, b"other words")
    others = [other for other in IDENTITIES.values() if other is not identity]
    assert not any(other.certificate.verify(signature, b"words") for other in others)


@pytest.mark.parametrize("kind", KeyKind)
def test_an_identity_comes_back_from_its_pem_with_key_and_chain(kind: KeyKind) -> None:
    written = Identity(IDENTITIES[kind].certificate, (P256.certificate,), IDENTITIES[kind]._key)
    read = Identity.read(written.pem())
    assert read == written
    assert read.chain == (P256.certificate,)
    assert written.certificate.verify(read.sign(b"words"), b"words")


def test_the_pem_begins_with_a_pkcs8_key_that_others_can_read() -> None:
    assert P256.pem().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert load_pem_private_key(P256.pem(), None).public_key() == P256._key.public_key()


def test_an_identity_never_shows_its_key() -> None:
    shown = f"{P256!r} {P256}"
    assert str(P256.certificate.thumbprint)[:11] in shown
    assert "PrivateKey" not in shown
    assert str(P256._key.private_numbers().private_value) not in shown
    assert P256.pem().decode().split("\n")[1] not in shown


def test_a_key_of_another_certificate_is_refused() -> None:
    other = mint_server_identity(["h1"], [], NOW, kind=KeyKind.P256)
    with pytest.raises(BadIdentity, match="not that of the certificate"):
        Identity(P256.certificate, (), other._key)
    with pytest.raises(BadIdentity, match="not that of the certificate"):
        Identity.read(other.pem().split(b"-----BEGIN CERT")[0] + CERTIFICATE)


@pytest.mark.parametrize(
    "pem, said",
    [
        (b"", "no certificate"),
        (CERTIFICATE, "there are 0"),
        (P256.pem() + P256.pem(), "there are 2"),
        (P256.pem().split(b"-----BEGIN CERT")[0], "no certificate"),
        (pkcs8(ed25519.Ed25519PrivateKey.generate()) + CERTIFICATE, "must be P-256"),
        (pkcs8(ec.generate_private_key(ec.SECP521R1())) + CERTIFICATE, "must be P-256"),
        (pkcs8(rsa.generate_private_key(65537, 1024)) + CERTIFICATE, "must be P-256"),
        (
            b"-----BEGIN PRIVATE KEY-----\n"
            + base64.b64encode(bytes(8 * 1024 + 1))
            + b"\n-----END PRIVATE KEY-----\n"
            + CERTIFICATE,
            "over 8192 bytes",
        ),
        (
            b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n" + CERTIFICATE,
            "can't be read",
        ),
        (
            P256._key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
            )
            + CERTIFICATE,
            "there are 0",
        ),
    ],
)
def test_what_is_no_identity_is_refused_in_words(pem: bytes, said: str) -> None:
    with pytest.raises(BadIdentity, match=said):
        Identity.read(pem)
