"""One POST over a connection that is verified already: a request, and an answer with bounds.

HTTP/1.0, so that the answer comes whole and the connection ends with it.  No redirect is followed:
it would lead to somebody who was not verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pooltrust.tls.dial import Connection

LONGEST_HEAD = 32 * 1024


class Broken(Exception):
    """The other side did not answer as HTTP has it; the words say how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


async def post(
    connection: Connection, path: str, headers: Mapping[str, str], body: bytes, *, most: int
) -> Answer:
    """Send it, and read at most so many bytes.  Raises Broken, and OSError if it is cut."""
    lines = [f"POST {path} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    connection.writer.write("\r\n".join(lines).encode("latin-1", "replace") + body)
    await connection.writer.drain()
    try:
        status, length = _head(await connection.reader.readuntil(b"\r\n\r\n"))
        return Answer(status, await _body(connection.reader, length, most))
    except asyncio.LimitOverrunError:
        raise Broken("the head of its answer is too long") from None
    except asyncio.IncompleteReadError:
        raise Broken("it ended the connection in the middle of its answer") from None


def _head(head: bytes) -> tuple[int, int | None]:
    """Status and length, None if the body ends with the connection."""
    if len(head) > LONGEST_HEAD:
        raise Broken("the head of its answer is too long")
    first, *others = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not _number(words[1], 3):
        raise Broken("its answer is not HTTP/1")
    fields = [line.partition(":") for line in others if line]
    said = {name.strip().lower(): value.strip() for name, _, value in fields}
    if "transfer-encoding" in said:
        raise Broken("its answer comes in pieces, which HTTP/1.0 does not have")
    length = said.get("content-length")
    if length is not None and not _number(length, 12):
        raise Broken("its answer does not say how long it is")
    return int(words[1]), None if length is None else int(length)


def _number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits


async def _body(reader: asyncio.StreamReader, length: int | None, most: int) -> bytes:
    if length is not None and length > most:
        raise Broken(f"its answer is longer than {most} bytes")
    if length is not None:
        return await reader.readexactly(length)
    pieces, size = [], 0
    while piece := await reader.read(64 * 1024):
        size += len(piece)
        if size > most:
            raise Broken(f"its answer is longer than {most} bytes")
        pieces.append(piece)
    return b"".join(pieces)
