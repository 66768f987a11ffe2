"""The published refusals of what a user wants to install.

Codes and parameters are XenAPI's; `why` is ours and goes into the words only.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pooltrust.errors import Refused, aside, failure

_KEY = "Make an RSA key of 2048 to 4096 bits, or a P-256 or P-384 one, in unencrypted PKCS#8."
_NEW = "Have the authority issue a certificate for the host's present key and dates."


def instant(moment: datetime) -> str:
    """As these codes carry it: ``YYYY-MM-DDTHH:MM:SSZ``."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@failure("SERVER_CERTIFICATE_KEY_INVALID", cure=_KEY)
class KeyInvalid(Refused):
    """The private key can't be read: {why}."""

    why: str = aside()


@failure("SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED", cure=_KEY)
class KeyAlgorithmNotSupported(Refused):
    """A private key of algorithm {algorithm_oid} can't be used here."""

    algorithm_oid: str


@failure("SERVER_CERTIFICATE_KEY_RSA_LENGTH_NOT_SUPPORTED", cure=_KEY)
class KeyLengthNotSupported(Refused):
    """The RSA key has {length} bits; 2048 to 4096 are supported."""

    length: str


@failure("SERVER_CERTIFICATE_KEY_RSA_MULTI_NOT_SUPPORTED", cure=_KEY)
class KeyMultiNotSupported(Refused):
    """The RSA key has more than two primes."""


@failure("SERVER_CERTIFICATE_INVALID", cure=_NEW)
class LeafInvalid(Refused):
    """The certificate can't be used for a server: {why}."""

    why: str = aside()


@failure("SERVER_CERTIFICATE_NOT_VALID_YET", cure="Compare the clocks, or wait until then.")
class LeafNotValidYet(Refused):
    """The certificate is valid from {not_before} on, and it is {now}."""

    now: str
    not_before: str


@failure("SERVER_CERTIFICATE_EXPIRED", cure=_NEW)
class LeafExpired(Refused):
    """The certificate was valid until {not_after}, and it is {now}."""

    now: str
    not_after: str


@failure("SERVER_CERTIFICATE_KEY_MISMATCH", cure="Give the key that the certificate was made for.")
class KeyMismatch(Refused):
    """The certificate was issued for another key{why}."""

    why: str = aside()


@failure("SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED", cure=_NEW)
class SignatureNotSupported(Refused):
    """The certificate is signed with {algorithm}; SHA-256, SHA-384 and SHA-512 are supported."""

    algorithm: str = aside("an unknown hash")


@failure(
    "SERVER_CERTIFICATE_CHAIN_INVALID",
    cure="Give the certificates of the authorities between the leaf and the root, and no others.",
)
class ChainInvalid(Refused):
    """The chain can't be used: {why}."""

    why: str = aside()


@failure("CA_CERTIFICATE_INVALID", cure="Give one certificate in PEM.")
class CaInvalid(Refused):
    """The authority's certificate can't be read: {why}."""

    why: str = aside()


@failure("CA_CERTIFICATE_NOT_VALID_YET", cure="Compare the clocks, or wait until then.")
class CaNotValidYet(Refused):
    """The authority's certificate is valid from {not_before} on, and it is {now}."""

    now: str
    not_before: str


@failure("CA_CERTIFICATE_EXPIRED", cure="Ask the authority for its present certificate.")
class CaExpired(Refused):
    """The authority's certificate was valid until {not_after}, and it is {now}."""

    now: str
    not_after: str


@failure("TRUSTED_CERTIFICATE_INVALID", cure="Give one certificate in PEM.")
class TrustedInvalid(Refused):
    """The certificate can't be read: {why}."""

    why: str = aside()


@failure("TRUSTED_CERTIFICATE_NOT_VALID_YET", cure="Compare the clocks, or wait until then.")
class TrustedNotValidYet(Refused):
    """The certificate is valid from {not_before} on, and it is {now}."""

    now: str
    not_before: str


@failure("TRUSTED_CERTIFICATE_EXPIRED", cure="Ask for the certificate that is in use now.")
class TrustedExpired(Refused):
    """The certificate was valid until {not_after}, and it is {now}."""

    now: str
    not_after: str


_FILE = "A name ends in .pem, does not begin with a dot, and has only letters, digits, . _ and -."


@failure("CERTIFICATE_NAME_INVALID", cure=_FILE)
class CertificateNameInvalid(Refused):
    """{name} is no name for a certificate."""

    name: str


@failure("CRL_NAME_INVALID", cure=_FILE)
class CrlNameInvalid(Refused):
    """{name} is no name for a revocation list."""

    name: str


@failure("CRL_CORRUPT", cure="Give one certificate revocation list (X509 CRL) in PEM.")
class CrlCorrupt(Refused):
    """The revocation list {name} can't be used: {why}."""

    name: str
    why: str = aside("it can't be read")
