"""What the parts of a parsed certificate say, in this project's words.

Reads the cryptography package's objects; everything here may raise what that package raises, which
`certificate.read` translates.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import (
    ExtendedKeyUsageOID,
    ExtensionOID,
    NameOID,
    SignatureAlgorithmOID,
)

PARSE_ERRORS = (
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)
"""What the parser raises besides ValueError; the warning if Python makes errors of warnings."""

_LABELS = {NameOID.SERIAL_NUMBER: "serialNumber", NameOID.EMAIL_ADDRESS: "emailAddress"}

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}

_USAGES = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}

_EXTENSIONS = {
    ExtensionOID.BASIC_CONSTRAINTS: "basicConstraints",
    ExtensionOID.KEY_USAGE: "keyUsage",
    ExtensionOID.EXTENDED_KEY_USAGE: "extendedKeyUsage",
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME: "subjectAltName",
    ExtensionOID.NAME_CONSTRAINTS: "nameConstraints",
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
}

_ALGORITHMS = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ecdsa-with-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ecdsa-with-SHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ecdsa-with-SHA512",
    SignatureAlgorithmOID.RSA_WITH_SHA1: "sha1WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "sha256WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "sha384WithRSAEncryption",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "sha512WithRSAEncryption",
    SignatureAlgorithmOID.RSASSA_PSS: "RSASSA-PSS",
    SignatureAlgorithmOID.ED25519: "Ed25519",
    SignatureAlgorithmOID.ED448: "Ed448",
}


def text(name: x509.Name) -> str:
    """A distinguished name as RFC 4514 text, printable."""
    return _printable(name.rfc4514_string(_LABELS))


def common_name(name: x509.Name) -> str:
    """The one common name; empty if there is none, or several, of which none may be chosen."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return _printable(str(found[0].value)) if len(found) == 1 else ""


def is_plain(name: x509.Name) -> bool:
    """Whether it is spelled as the cryptography package would spell it by itself.

    That package reads more spellings than OpenSSL: an OCTET STRING, half of a UTF-16 pair.
    """
    try:
        again = x509.Name([x509.NameAttribute(each.oid, each.value) for each in name])
    except (ValueError, TypeError):
        return False
    return again.public_bytes() == name.public_bytes()


def names(extensions: x509.Extensions) -> tuple[str, ...]:
    """The DNS names of the subjectAltName."""
    found = _alternative(extensions)
    return tuple(map(_printable, found.get_values_for_type(x509.DNSName))) if found else ()


def addresses(extensions: x509.Extensions) -> tuple[str, ...]:
    """The IP addresses of the subjectAltName."""
    found = _alternative(extensions)
    return tuple(str(ip) for ip in found.get_values_for_type(x509.IPAddress)) if found else ()


def is_ca(extensions: x509.Extensions) -> bool:
    """Whether the basic constraints say CA; without any it is none."""
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def kinds(extensions: x509.Extensions) -> frozenset[str]:
    """Its extensions, by RFC 5280 name or dotted identifier."""
    return frozenset(_EXTENSIONS.get(each.oid, each.oid.dotted_string) for each in extensions)


def usages(extensions: x509.Extensions) -> frozenset[str]:
    """What its key may be used for, in the words of RFC 5280; empty if it does not say."""
    try:
        found = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    said = {
        "digitalSignature": found.digital_signature,
        "nonRepudiation": found.content_commitment,
        "keyEncipherment": found.key_encipherment,
        "dataEncipherment": found.data_encipherment,
        "keyAgreement": found.key_agreement,
        "keyCertSign": found.key_cert_sign,
        "cRLSign": found.crl_sign,
    }
    return frozenset(usage for usage, may in said.items() if may)


def extended_usages(extensions: x509.Extensions) -> frozenset[str]:
    """``server``, ``client`` or the dotted identifier of each; empty if it does not say."""
    try:
        found = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_USAGES.get(usage, usage.dotted_string) for usage in found)


def key_kind(key: CertificatePublicKeyTypes) -> str:
    """``P-256``, ``RSA-2048``, ``Ed25519`` …"""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


def signature_algorithm(oid: x509.ObjectIdentifier) -> str:
    """The usual name of a signature algorithm, or its dotted identifier."""
    return _ALGORITHMS.get(oid, oid.dotted_string)


def _alternative(extensions: x509.Extensions) -> x509.SubjectAlternativeName | None:
    try:
        return extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _printable(text: str) -> str:
    """`text` with RFC 4514 escapes, a backslash and two hex digits a byte, for what is unprintable.

    A stranger chose this text, and it goes into logs and terminals.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "backslashreplace"))
