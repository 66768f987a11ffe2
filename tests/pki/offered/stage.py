"""Keys from files, so that no test waits for one, and certificates made for the moment."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pooltrust.pki.certificate import Certificate

KEYS = Path(__file__).parent / "keys"
FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
NOW = datetime(2020, 2, 1, tzinfo=UTC)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def key_text(name: str) -> str:
    return (KEYS / f"{name}.pem").read_text()


@cache
def private(name: str) -> Any:
    return load_pem_private_key(key_text(name).encode(), None)


@dataclass(frozen=True)
class Maker:
    """Whoever issues: a name and a key."""

    name: str
    key: Any

    @classmethod
    @cache
    def named(cls, name: str) -> Maker:
        return cls(name, ec.generate_private_key(ec.SECP256R1()))


def made(
    subject: str,
    key: Any,
    by: Maker | None = None,
    *,
    ca: bool = False,
    names: Sequence[str] = ("h1.example.org",),
    usages: Sequence[x509.ObjectIdentifier] = (),
    can_sign: bool | None = None,
    hash: hashes.HashAlgorithm | None = None,
    dates: tuple[datetime, datetime] = (FROM, UNTIL),
) -> str:
    """A certificate in PEM; without `by` it is signed by itself."""
    issuer = by or Maker(subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer.name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_san, names))), False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if can_sign is not None:
        builder = builder.add_extension(_usage(digital=can_sign, certificates=ca), critical=True)
    return builder.sign(issuer.key, hash or hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def revocation(
    by: Maker, *gone: Certificate, dates: tuple[datetime, datetime] = (FROM, UNTIL), **more: Any
) -> bytes:
    """A revocation list (DER) of this issuer; `more` are further extensions, all critical."""
    builder = x509.CertificateRevocationListBuilder(_name(by.name), *dates)
    for one in gone:
        entry = x509.RevokedCertificateBuilder(one.serial, dates[0])
        builder = builder.add_revoked_certificate(entry.build())
    for extension in more.values():
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _san(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, digital: bool, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital, content_commitment=False, key_encipherment=not digital,
        data_encipherment=False, key_agreement=False, key_cert_sign=certificates, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
