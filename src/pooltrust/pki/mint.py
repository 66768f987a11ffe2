"""Making identities: a new key and the self-signed certificate for it.

Slow for RSA (about 40 ms for RSA-2048, 200 ms for RSA-3072), so never called on an event loop.
Randomness is the cryptography package's; the time comes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pooltrust.pki.certificate import Certificate, read
from pooltrust.pki.identity import Identity
from pooltrust.pki.names import BadName, dns_names, ip_addresses
from pooltrust.pki.signatures import SigningKey
from pooltrust.terms import HostId, host_id

BACK_DATING = timedelta(hours=1)
"""How long before now a certificate begins, because clocks differ."""

POOL_LIFETIME = timedelta(days=365)
SERVER_LIFETIME = timedelta(days=3650)

LONGEST_COMMON_NAME = 64
"""RFC 5280, appendix A, ub-common-name."""


class KeyKind(StrEnum):
    """The keys that an identity can be minted with."""

    P256 = "p-256"
    P384 = "p-384"
    RSA2048 = "rsa-2048"
    RSA3072 = "rsa-3072"


def mint_pool_identity(
    host: HostId, now: datetime, *, lifetime: timedelta = POOL_LIFETIME
) -> Identity:
    """A new pool identity of `host`; `lifetime` counts from now.  Raises ValueError for a bad UUID.

    It carries no names and no addresses, so a host that is renamed or moves stays trusted.
    """
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    key = new_key(KeyKind.P256)
    return _self_signed(key, host_id(host), now, lifetime, [(x509.ExtendedKeyUsage(usages), False)])


def mint_server_identity(
    names: Sequence[str],
    addresses: Sequence[str],
    now: datetime,
    *,
    kind: KeyKind = KeyKind.RSA2048,
    lifetime: timedelta = SERVER_LIFETIME,
) -> Identity:
    """A new server identity for these DNS names and IP addresses; `lifetime` counts from now.

    Raises BadName, also if there is neither a name nor an address.
    """
    dns, ips = dns_names(names), ip_addresses(addresses)
    if not dns and not ips:
        raise BadName("a server identity needs a name or an address")
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in dns]
    alternatives += [x509.IPAddress(ip) for ip in ips]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(alternatives), False),
    ]
    return _self_signed(new_key(kind), _common_name(dns, ips), now, lifetime, extensions)


def pool_host(certificate: Certificate) -> HostId:
    """The host that a pool identity names.  Raises ValueError if it names none."""
    return host_id(certificate.common_name)


def _common_name(
    names: Sequence[str], addresses: Sequence[IPv4Address | IPv6Address]
) -> str | None:
    """The first name or address that fits.

    None if only longer names were given: half a name would name somebody else, and clients go by
    the subjectAltName.
    """
    candidates = [*names, *(str(ip) for ip in addresses)]
    return next((name for name in candidates if len(name) <= LONGEST_COMMON_NAME), None)


def new_key(kind: KeyKind) -> SigningKey:
    """A key without a certificate yet, to ask an authority for one."""
    match kind:
        case KeyKind.P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyKind.RSA2048:
            return rsa.generate_private_key(65537, 2048)
        case KeyKind.RSA3072:
            return rsa.generate_private_key(65537, 3072)


def _self_signed(
    key: SigningKey,
    common_name: str | None,
    now: datetime,
    lifetime: timedelta,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> Identity:
    serial = x509.random_serial_number()
    name = _name(common_name, serial)
    start = now.replace(microsecond=0)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), serial)
        .not_valid_before(start - BACK_DATING)
        .not_valid_after(start + lifetime)
    )
    for extension, critical in [*_extensions(key), *extensions]:
        builder = builder.add_extension(extension, critical)
    p384 = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size == 384
    signed = builder.sign(key, SHA384() if p384 else SHA256())
    return Identity(read(signed.public_bytes(Encoding.DER)), (), key)


def _name(common_name: str | None, serial: int) -> x509.Name:
    # OpenSSL picks an anchor by subject name, so two identities of one host must not share one:
    # the serialNumber is what lets the old and the new one be trusted side by side.
    unique = x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{serial:040X}")
    if common_name is None:
        return x509.Name([unique])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name), unique])


def _extensions(key: SigningKey) -> list[tuple[x509.ExtensionType, bool]]:
    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(encipherment=isinstance(key, rsa.RSAPrivateKey)), True),
        (subject, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject), False),
    ]


def _usage(*, encipherment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=encipherment,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
