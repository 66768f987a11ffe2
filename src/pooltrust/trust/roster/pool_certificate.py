"""What a pool certificate must be before the log takes it, whoever asks.

Every member puts it among the anchors of its TLS contexts, where OpenSSL has an opinion of its own:
without basic constraints a certificate that may sign others *is* an authority there, and a name or
an extension that OpenSSL can't read spoils the whole load.  So it must be as plain as those that
this project mints, which is all that anybody needs.  Knows no roster and no time.
"""

from __future__ import annotations

import re

from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.pki.mint import KeyKind
from pooltrust.terms import HostId
from pooltrust.trust.roster.breach import Breach, require

MOST_BYTES = 4 * 1024
"""A minted one has about 500 bytes, with an RSA-3072 key 1200; each handshake carries it."""

_KEYS = frozenset(kind.upper() for kind in KeyKind)
_SERIAL_NUMBER = re.compile(r"serialNumber=[0-9A-Za-z]{1,64},")
_IDENTIFIERS = ("subjectKeyIdentifier", "authorityKeyIdentifier")
_EXTENSIONS = frozenset({"basicConstraints", "keyUsage", "extendedKeyUsage", *_IDENTIFIERS})
_AUTHORITY = frozenset({"keyCertSign", "cRLSign"})


def pool_certificate(host: HostId, der: bytes) -> Certificate:
    """Read the pool certificate of `host`.  Raises Breach."""
    size = f"it has {len(der)} bytes, and a pool certificate at most {MOST_BYTES}"
    require(len(der) <= MOST_BYTES, "size", size)
    certificate = readable(der)
    _is_of(host, certificate)
    _is_no_authority(certificate)
    _is_plain(certificate)
    require(certificate.self_signed, "self-signed", "it is not self-signed")
    return certificate


def readable(der: bytes) -> Certificate:
    """Read any certificate.  Raises Breach."""
    try:
        return read(der)
    except BadCertificate as why:
        raise Breach("certificate", str(why)) from why


def _is_of(host: HostId, certificate: Certificate) -> None:
    require(certificate.common_name == host, "subject", "its subject is not the host's UUID")
    number = certificate.subject.removesuffix(f"CN={host}")
    alone = _SERIAL_NUMBER.fullmatch(number) is not None
    require(alone, "subject", "its subject is not a serial number and the host's UUID alone")
    plain = certificate.plain_subject
    require(plain, "subject", "its subject is not spelled in the usual string types")


def _is_no_authority(certificate: Certificate) -> None:
    require(not certificate.is_ca, "ca", "it is that of a certificate authority (CA:TRUE)")
    says = "basicConstraints" in certificate.extensions
    require(says, "ca", "it does not say that it is no certificate authority (CA:FALSE)")
    signs = ", ".join(sorted(certificate.usages & _AUTHORITY))
    require(not signs, "ca", f"its key may sign for an authority ({signs})")


def _is_plain(certificate: Certificate) -> None:
    signs = "digitalSignature" in certificate.usages
    require(signs, "usage", "its key usage does not say digitalSignature")
    both = certificate.extended_usages >= {"server", "client"}
    require(both, "usage", "it is not for servers and clients alike")
    other = ", ".join(sorted(certificate.extensions - _EXTENSIONS))
    require(not other, "extension", f"it has an extension that no pool certificate needs ({other})")
    known = certificate.key in _KEYS
    require(known, "key", f"its key is {certificate.key}, not one of {', '.join(sorted(_KEYS))}")
