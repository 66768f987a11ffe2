"""What a certificate says of itself, and whose signatures it accepts."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

from pooltrust.pki.certificate import BadCertificate, Certificate, read, read_pem
from pooltrust.pki.mint import KeyKind, mint_server_identity

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
MINTED = mint_server_identity(["h1.example"], ["192.0.2.1"], NOW, kind=KeyKind.P256)


def issued(
    key,
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = ((NameOID.COMMON_NAME, "somebody"),),
    *,
    signer=None,
    issuer: str | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
) -> Certificate:
    """A certificate that this project would not mint."""
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in subject])
    signed_by = name if issuer is None else x509.Name.from_rfc4514_string(f"CN={issuer}")
    builder = x509.CertificateBuilder(
        signed_by, name, key.public_key(), 77, NOW, NOW + timedelta(days=1)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = signer or key
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    return read(builder.sign(signer, digest).public_bytes(Encoding.DER))


def test_every_fact_of_a_certificate_is_what_was_put_into_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    met = issued(
        key,
        ((NameOID.ORGANIZATION_NAME, "A, B"), (NameOID.COMMON_NAME, "h7")),
        issuer="an authority",
        extensions=[
            x509.BasicConstraints(ca=True, path_length=None),
            x509.ExtendedKeyUsage([Usage.SERVER_AUTH, Usage.CLIENT_AUTH, Usage.OCSP_SIGNING]),
            x509.KeyUsage(True, False, False, False, False, True, True, False, False),
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"),
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("h7.example"),
                    x509.IPAddress(ipaddress.ip_address("192.0.2.7")),
                    x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
                    x509.RFC822Name("root@h7.example"),
                ]
            ),
        ],
    )
    assert (met.subject, met.issuer) == ("CN=h7,O=A\\, B", "CN=an authority")
    assert met.common_name == "h7"
    assert (met.not_before, met.not_after) == (NOW, NOW + timedelta(days=1))
    assert met.names == ("h7.example",)
    assert met.addresses == ("192.0.2.7", "2001:db8::7")
    assert met.is_ca
    assert met.usages == {"digitalSignature", "keyCertSign", "cRLSign"}
    named = {"basicConstraints", "extendedKeyUsage", "keyUsage", "subjectAltName", "1.2.3.4"}
    assert met.extensions == named
    assert met.extended_usages == {"server", "client", "1.3.6.1.5.5.7.3.9"}
    assert (met.serial, met.key, met.signature_algorithm) == (77, "P-256", "ecdsa-with-SHA256")
    assert met.spki == key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert not met.self_signed


def test_what_a_certificate_does_not_say_is_empty() -> None:
    met = issued(ed25519.Ed25519PrivateKey.generate(), ())
    assert (met.subject, met.common_name, met.names, met.addresses) == ("", "", (), ())
    assert not met.is_ca
    assert met.extended_usages == met.usages == met.extensions == frozenset()
    assert (met.key, met.signature_algorithm) == ("Ed25519", "Ed25519")


def test_thumbprints_are_hashes_of_the_der() -> None:
    met = MINTED.certificate
    assert met.thumbprint.digest == hashlib.sha256(met.der).digest()
    assert met.sha1 == hashlib.sha1(met.der).digest().hex(":").upper()


def test_certificates_are_equal_by_their_der_alone() -> None:
    again = read(bytearray(MINTED.certificate.der))
    assert again == MINTED.certificate
    assert hash(again) == hash(MINTED.certificate)
    assert MINTED.certificate not in {mint_server_identity(["h1"], [], NOW, kind=KeyKind.P256)}


def test_two_common_names_are_none() -> None:
    twice = ((NameOID.COMMON_NAME, "one"), (NameOID.COMMON_NAME, "other"))
    assert issued(ec.generate_private_key(ec.SECP256R1()), twice).common_name == ""


@pytest.mark.parametrize("kind", [None, *_ASN1Type])
def test_a_name_in_an_unusual_string_type_is_known(kind) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = b"\x01" if kind is _ASN1Type.BitString else "h1"
    oid = NameOID.X500_UNIQUE_IDENTIFIER if isinstance(text, bytes) else NameOID.COMMON_NAME
    name = x509.Name([x509.NameAttribute(oid, text, kind)])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    try:
        met = read(made.sign(key, SHA256()).public_bytes(Encoding.DER))
    except BadCertificate:
        return  # of those that can't be read at all
    assert met.plain_subject is (kind in (None, _ASN1Type.UTF8String))


def test_a_stranger_cannot_write_control_characters_into_our_logs() -> None:
    name = ((NameOID.COMMON_NAME, "h1\r\n\x1b[2Jok\u202e"),)
    met = issued(ec.generate_private_key(ec.SECP256R1()), name)
    assert met.common_name == r"h1\0D\0A\1B[2Jok\E2\80\AE"
    assert met.subject.isprintable()
    assert met.issuer.isprintable()


def test_a_certificate_that_only_claims_its_own_issuer_is_not_self_signed() -> None:
    mine, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    assert issued(mine).self_signed
    assert not issued(mine, signer=other).self_signed


@pytest.mark.parametrize("curve, digest", [(ec.SECP256R1, SHA256), (ec.SECP384R1, SHA384)])
def test_an_ecdsa_signature_is_good_with_the_hash_of_its_curve_only(curve, digest) -> None:
    key = ec.generate_private_key(curve())
    met = issued(key)
    assert met.verify(key.sign(b"words", ec.ECDSA(digest())), b"words")
    assert not met.verify(key.sign(b"words", ec.ECDSA(SHA512())), b"words")
    assert not met.verify(key.sign(b"words", ec.ECDSA(digest())), b"other words")


def test_an_rsa_signature_is_good_with_pkcs1_and_sha256_only() -> None:
    key = rsa.generate_private_key(65537, 2048)
    met = issued(key)
    assert met.verify(key.sign(b"words", padding.PKCS1v15(), SHA256()), b"words")
    assert not met.verify(key.sign(b"words", padding.PKCS1v15(), SHA1()), b"words")
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)
    assert not met.verify(key.sign(b"words", pss, SHA256()), b"words")


@pytest.mark.parametrize(
    "key, sign",
    [
        (ed25519.Ed25519PrivateKey.generate(), lambda key: key.sign(b"words")),
        (
            ec.generate_private_key(ec.SECP521R1()),
            lambda key: key.sign(b"words", ec.ECDSA(SHA512())),
        ),
        (
            rsa.generate_private_key(65537, 1024),
            lambda key: key.sign(b"words", padding.PKCS1v15(), SHA256()),
        ),
    ],
    ids=["Ed25519", "P-521", "RSA-1024"],
)
def test_keys_that_this_project_does_not_sign_with_verify_nothing(key, sign) -> None:
    assert not issued(key).verify(sign(key), b"words")


def test_pem_comes_back_as_the_same_certificates_in_their_order() -> None:
    other = mint_server_identity(["h2"], [], NOW, kind=KeyKind.P256).certificate
    text = f"a comment é\n{other.pem()}between\r\n{MINTED.certificate.pem()}"
    assert [other, MINTED.certificate] == read_pem(text)
    assert [other, MINTED.certificate] == read_pem(text.encode("latin-1"))
    assert [other] == read_pem(other.pem().replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "no certificate"),
        (MINTED.certificate.pem().replace("-----BEGIN", "----BEGIN"), "no certificate"),
        (MINTED.certificate.pem() + MINTED.certificate.pem()[:200], "damaged or has no end"),
        (MINTED.certificate.pem().replace("\nMII", "\nMI*I"), "damaged or has no end"),
        (MINTED.certificate.pem().replace("\nMII", "\nMI"), "damaged"),
        (" " * (1024 * 1024 + 1), "over 1048576"),
        (MINTED.pem().decode().split("-----BEGIN CERT")[0], "no certificate"),
    ],
)
def test_a_pem_text_without_sound_certificates_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(BadCertificate, match=said):
        read_pem(text)


@pytest.mark.parametrize(
    "der, said",
    [
        (b"", "can't be read"),
        (MINTED.certificate.der + b"\0", "can't be read"),
        (MINTED.certificate.der[:-1], "can't be read"),
        (bytes(64 * 1024 + 1), "65537 bytes are too many"),
    ],
)
def test_der_that_is_no_certificate_is_refused_in_words(der: bytes, said: str) -> None:
    with pytest.raises(BadCertificate, match=said):
        read(der)


def test_a_malformed_extension_is_found_when_the_certificate_is_read() -> None:
    oid = x509.SubjectAlternativeName.oid
    with pytest.raises(BadCertificate, match="can't be read"):
        issued(
            ec.generate_private_key(ec.SECP256R1()),
            extensions=[x509.UnrecognizedExtension(oid, b"\x30\x03\x82\x05a")],
        )
