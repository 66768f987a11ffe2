"""The thin CLI protocol, byte by byte.  Source: XenAPI's command line, protocol 0.2.

After `POST /cli` both sides say who they are, then the server sends frames and the client answers
some of them.  Integers are of 4 bytes, the lowest first; a text is its length in bytes, then UTF-8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

GREETING = b"XenSource thin CLI protocol"
MAJOR, MINOR = 0, 2
HELLO = GREETING + struct.pack("<ii", MAJOR, MINOR)
LONGEST_FRAME = 64 * 1024
"""Bytes of a frame that a client may send, the raw bytes of a chunk apart."""
LONGEST_FILE = 32 * 1024 * 1024
COMMAND, RESPONSE, BLOB = 9, 10, 11
OK, FAILED, WAIT = 5, 6, 18
CHUNK, END = 7, 8


class Tag(IntEnum):
    """What a command tells the client to do."""

    PRINT = 0
    LOAD = 1
    PROMPT = 3
    EXIT = 4
    HTTP_GET = 12
    HTTP_PUT = 13
    ERROR = 14
    DEBUG = 15
    STDERR = 16


class BadFrame(ValueError):
    """The client does not speak the protocol; the words say how."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client sent: a response's tag, or a piece of a blob (None at its end)."""

    tag: int
    chunk: int | None = None
    """Bytes that follow, unframed."""


def command(tag: Tag, *fields: str | int | list[str]) -> bytes:
    """One command frame."""
    return frame(COMMAND, tag, *fields)


def frame(kind: int, tag: int, *fields: str | int | list[str]) -> bytes:
    """One frame of any kind."""
    payload = struct.pack("<ii", kind, tag) + b"".join(map(_field, fields))
    return struct.pack("<i", len(payload)) + payload


def length(head: bytes) -> int:
    """The length of the frame that begins with these four bytes.  Raises BadFrame."""
    (size,) = struct.unpack("<i", head)
    if not 8 <= size <= LONGEST_FRAME:
        raise BadFrame(f"a frame of {size} bytes")
    return int(size)


def reply(payload: bytes) -> Reply:
    """Read a frame that a client sent.  Raises BadFrame."""
    kind, tag = struct.unpack_from("<ii", payload)
    if kind == RESPONSE and tag in (OK, FAILED, WAIT) and len(payload) == 8:
        return Reply(tag)
    if kind == BLOB and tag == END and len(payload) == 8:
        return Reply(END)
    if kind == BLOB and tag == CHUNK and len(payload) == 12:
        (size,) = struct.unpack_from("<i", payload, 8)
        if not 0 <= size <= LONGEST_FILE:
            raise BadFrame(f"a chunk of {size} bytes")
        return Reply(CHUNK, size)
    raise BadFrame(f"no answer of kind {kind} with tag {tag}")


def same_protocol(hello: bytes) -> bool:
    """Whether a client's greeting is of this protocol and major version."""
    if len(hello) != len(HELLO) or not hello.startswith(GREETING):
        return False
    (major,) = struct.unpack_from("<i", hello, len(GREETING))
    return bool(major == MAJOR)


def _field(value: str | int | list[str]) -> bytes:
    if isinstance(value, int):
        return struct.pack("<i", value)
    if isinstance(value, list):
        return struct.pack("<i", len(value)) + b"".join(map(_field, value))
    text = value.encode("utf-8", "replace")
    return struct.pack("<i", len(text)) + text
