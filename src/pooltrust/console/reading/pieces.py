"""Certificates, keys and lists out of bytes, in whatever form people are given them.

PEM, DER or bare base64; a bundle, PKCS#7, PKCS#12; keys in PKCS#8, PKCS#1 or SEC1.  What is under a
passphrase is opened in sealed.py.  Pure.  Work that a file may ask for is not bounded here: see
apart.py.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from pooltrust.console.reading import sealed
from pooltrust.console.reading.sealed import Key, Sealed, Unfit
from pooltrust.pki import pemtext, revocation
from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.pki.offered import der as asn1

MOST_PIECES = 200
"""So many things are looked at in one file."""

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{64,}")
_PASSED_OVER = ("EC PARAMETERS", "DH PARAMETERS", "DSA PARAMETERS")
_HINTS = {
    "OPENSSH PRIVATE KEY": "That is a key of SSH.  Convert a copy: ssh-keygen -p -m PKCS8 -f COPY",
    "PUBLIC KEY": "That is a public key; the private one that belongs to it is needed.",
    "RSA PUBLIC KEY": "That is a public key; the private one that belongs to it is needed.",
}
_MAGIC = (
    (b"PK\x03\x04", "That is a ZIP archive.  Unpack it and give the files in it."),
    (
        b"\xfe\xed\xfe\xed",
        "That is a Java key store.  Convert it: keytool -importkeystore -deststoretype pkcs12",
    ),
    (b"\xd0\xcf\x11\xe0", "That is an Office document, no certificate."),
    (b"%PDF", "That is a PDF document, no certificate."),
)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list that can be used, in DER."""

    der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A certificate request: the public key (SubjectPublicKeyInfo, DER) that it is for."""

    spki: bytes = field(repr=False)


Piece: TypeAlias = Certificate | Key | RevocationList | Asked | Unfit | Sealed


def pieces(data: bytes, passphrase: str) -> Iterator[Piece]:
    """Everything in these bytes, in its order.  An empty passphrase is none."""
    for magic, words in _MAGIC:
        if data.startswith(magic):
            yield Unfit("certificate", words)
            return
    text = _text(data)
    blocks = _BEGIN.search(text)
    found = (
        _of_text(text, passphrase) if blocks else _of_der(_unwrapped(data, text), "", passphrase)
    )
    for count, piece in enumerate(found):
        if count == MOST_PIECES:
            yield Unfit("certificate", f"It holds more than {MOST_PIECES} things.")
            return
        yield piece


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # what some editors call Unicode
        return data.decode("utf-16", "replace")
    return data.decode("latin-1")


def _unwrapped(data: bytes, text: str) -> bytes:
    """The DER behind base64 without its PEM lines, or the same bytes."""
    if _BASE64.fullmatch(text):
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return data
    return data


def _of_text(text: str, passphrase: str) -> Iterator[Piece]:
    at = 0
    while begin := _BEGIN.search(text, at):
        label = begin[1]
        end = f"-----END {label}-----"
        stop = text.find(end, begin.end())
        if stop < 0:
            yield Unfit(_field(label), f"A block of {label} is cut off: its END line is missing.")
            return
        at = stop + len(end)
        if label in _PASSED_OVER:
            continue
        if label in _HINTS:
            yield Unfit("key", _HINTS[label])
        elif "ENCRYPTED" in (body := text[begin.end() : stop]):
            yield from sealed.pem_key(text[begin.start() : at], passphrase)
        else:
            yield from _of_body(body, label, passphrase)


def _of_body(body: str, label: str, passphrase: str) -> Iterator[Piece]:
    try:
        content = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        yield Unfit(_field(label), f"A block of {label} is damaged: it is no base64.")
        return
    yield from _of_der(content, label, passphrase)


def _of_der(content: bytes, label: str, passphrase: str) -> Iterator[Piece]:
    """By its structure; labels lie: a PKCS#7 bundle is often called a certificate."""
    match _shape(content):
        case (0x30, 0x30, 0x03, *_):
            yield _signed(content)
        case (0x30, 0x04):
            yield from sealed.key(content, passphrase)
        case (0x30, 0x03):
            yield Unfit("key", _HINTS["PUBLIC KEY"])
        case (0x02, 0x30, 0x04, *_):
            yield from sealed.open_key("PRIVATE KEY", content)
        case (0x02, 0x02):
            yield Unfit("key", _HINTS["PUBLIC KEY"])
        case (0x02, 0x02, *_):
            yield from sealed.open_key("RSA PRIVATE KEY", content)
        case (0x02, 0x04, *_):
            yield from sealed.open_key("EC PRIVATE KEY", content)
        case (0x02, 0x30, *_):
            yield from sealed.container(content, passphrase)
        case (0x06, *_):
            yield from _bundle(content)
        case _:
            yield from _indefinite(content, label, passphrase)


def _indefinite(content: bytes, label: str, passphrase: str) -> Iterator[Piece]:
    """BER of indefinite length, as old tools write containers; or nothing at all."""
    if content[:2] == b"\x30\x80":
        if content[2:3] == b"\x02":
            yield from sealed.container(content, passphrase)
        else:
            yield from _bundle(content)
        return
    words = f"A block of {label} can't be read." if label else "There is no certificate in it."
    yield Unfit(_field(label), words)


def _shape(content: bytes) -> tuple[int, ...]:
    """The tags in the outer sequence, four at the most; empty if it is none."""
    try:
        inner, _ = asn1.element(content, asn1.SEQUENCE)
        tags: list[int] = []
        while inner and len(tags) < 4:
            tags.append(inner[0])
            _, inner = asn1.element(inner, inner[0])
    except asn1.BadDer:
        return ()
    return tuple(tags)


def _signed(content: bytes) -> Piece:
    """A certificate, a list or a request: each is what somebody signed."""
    try:
        return read(content)
    except BadCertificate as why:
        words = f"A certificate can't be read: {why}."
    try:
        request = x509.load_der_x509_csr(content).public_key()
        return Asked(request.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:
        x509.load_der_x509_crl(content)
    except (ValueError, UnsupportedAlgorithm):
        return Unfit("certificate", words)
    try:
        return RevocationList(revocation.read_list(content))
    except revocation.BadList as bad:
        return Unfit("certificate", f"A revocation list can't be used: {bad}.")


def _bundle(content: bytes) -> Iterator[Piece]:
    """PKCS#7, which holds certificates and no key."""
    try:
        found = pkcs7.load_der_pkcs7_certificates(content)
    except (ValueError, UnsupportedAlgorithm) as why:
        yield Unfit("certificate", f"A PKCS#7 bundle can't be read ({why}).")
        return
    for one in found:
        yield _signed(one.public_bytes(Encoding.DER))


def _field(label: str) -> str:
    return "key" if "KEY" in label else "certificate"


def pem_of_list(der: bytes) -> str:
    """A revocation list as hosts take it."""
    return pemtext.write("X509 CRL", der)
