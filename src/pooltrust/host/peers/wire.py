"""The pool wire's frames as values: reading fields out of a peer's JSON, and refusals both ways.

Nothing here waits or opens a connection.  Every field of a peer is checked before it is used.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from pooltrust.errors import Failure, Repeated, Untrusted, failure
from pooltrust.pki.certificate import MAX_DER
from pooltrust.terms import HostId, host_id
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.heads import SignedHead

Frame = dict[str, Any]

NONCE_BYTES = 32
MAX_TEXT = 4096
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@failure("PEER_PROTOCOL_ERROR", cure="Check that both hosts run the same version of pooltrust.")
class PeerMisspoke(Untrusted):
    """The peer sent something that the pool's protocol does not have: {what}."""

    what: str


class PeerRefused(Repeated):
    """A failure that a peer reported."""


def refusal(why: Failure) -> Frame:
    """A failure as a frame's content.  Words that are too long for the peer are cut."""
    words = str(why)
    if len(words) > MAX_TEXT:
        words = words[: MAX_TEXT - 1] + "…"
    return {"code": why.code, "parameters": why.parameters(), "words": words}


def refused(content: object) -> Failure:
    """Read a peer's refusal.  A code that this release does not know is kept as it is."""
    if not isinstance(content, dict):
        return PeerMisspoke("a refusal that is no object")
    code, words = text(content, "code"), text(content, "words")
    parameters = content.get("parameters")
    if not isinstance(parameters, list) or not all(isinstance(p, str) for p in parameters):
        return PeerMisspoke("a refusal without parameters")
    if not _CODE.fullmatch(code):
        return PeerMisspoke("a refusal whose code is none")
    return PeerRefused(code, parameters, words)


def text(frame: Frame, field: str, *, limit: int = MAX_TEXT) -> str:
    """A text field.  Raises PeerMisspoke."""
    value = frame.get(field)
    if not isinstance(value, str) or len(value) > limit:
        raise PeerMisspoke(f"{field!r} is no text of at most {limit} characters")
    return value


def number(frame: Frame, field: str) -> int:
    """A whole number from 0 to 2^53.  Raises PeerMisspoke."""
    value = frame.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**53:
        raise PeerMisspoke(f"{field!r} is no whole number")
    return value


def flag(frame: Frame, field: str) -> bool:
    """A truth value.  Raises PeerMisspoke."""
    value = frame.get(field)
    if not isinstance(value, bool):
        raise PeerMisspoke(f"{field!r} is neither true nor false")
    return value


def host(frame: Frame, field: str) -> HostId:
    """A host's UUID.  Raises PeerMisspoke."""
    try:
        return host_id(text(frame, field))
    except ValueError as why:
        raise PeerMisspoke(f"{field!r} is no UUID") from why


def raw(frame: Frame, field: str, *, limit: int = MAX_DER) -> bytes:
    """Bytes in base64.  Raises PeerMisspoke."""
    value = text(frame, field, limit=limit * 4 // 3 + 4)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as why:
        raise PeerMisspoke(f"{field!r} is no base64") from why


def nonce(frame: Frame) -> bytes:
    """A nonce of 32 bytes.  Raises PeerMisspoke."""
    value = raw(frame, "nonce", limit=NONCE_BYTES)
    if len(value) != NONCE_BYTES:
        raise PeerMisspoke("a nonce has 32 bytes")
    return value


def texts(frame: Frame, field: str, *, most: int = 100) -> tuple[str, ...]:
    """A list of texts.  Raises PeerMisspoke."""
    value = frame.get(field)
    if not isinstance(value, list) or len(value) > most:
        raise PeerMisspoke(f"{field!r} is no list of at most {most}")
    return tuple(text({"": item}, "") for item in value)


def objects(frame: Frame, field: str, *, most: int) -> list[Frame]:
    """A list of JSON objects.  Raises PeerMisspoke."""
    value = frame.get(field)
    if not isinstance(value, list) or len(value) > most:
        raise PeerMisspoke(f"{field!r} is no list of at most {most}")
    if not all(isinstance(one, dict) for one in value):
        raise PeerMisspoke(f"{field!r} holds something else than objects")
    return value


def b64(data: bytes) -> str:
    """Bytes as base64 text."""
    return base64.b64encode(data).decode("ascii")


def head_content(head: SignedHead) -> Frame:
    """A signed head as a frame's content."""
    return {"payload": head.payload.decode(), "signature": b64(head.signature)}


def head(frame: Frame, field: str = "head") -> SignedHead:
    """Read a signed head; its signature is still to be checked.  Raises PeerMisspoke."""
    content = frame.get(field)
    if not isinstance(content, dict):
        raise PeerMisspoke(f"{field!r} is no signed head")
    return SignedHead(text(content, "payload").encode(), raw(content, "signature", limit=1024))


def entry_lines(entries: tuple[SignedEntry, ...]) -> list[str]:
    """Log entries as the texts of their log lines."""
    return [entry.line().decode() for entry in entries]


def entries(frame: Frame, *, most: int = 1000) -> list[SignedEntry]:
    """Read log entries; their signatures are still to be checked.  Raises PeerMisspoke."""
    lines = frame.get("entries")
    if not isinstance(lines, list) or len(lines) > most:
        raise PeerMisspoke("no list of log entries")
    try:
        return [SignedEntry.from_line(text({"": line}, "", limit=2**20).encode()) for line in lines]
    except (ValueError, Failure) as why:
        raise PeerMisspoke(f"a log entry that can't be read: {why}") from why
