"""One HTTP/1.1 exchange over a connection that is already verified.

As much of HTTP as hosts' APIs answer with: a length, chunks, or the end of the connection.  Sizes
are bounded.  Which connection it is, and whom it met, is decided in trusting/trust.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pooltrust.tls.dial import Connection

ASK_COORDINATOR = "X-XenAPI-Request-Host-Certificate-Thumbprint: sha-256:master"
TELL_COORDINATOR = "x-xenapi-response-host-certificate-thumbprint"
"""Whom one meets where a supporter sends one on, as the supporter tells it with that."""

LONGEST_LINE = 16 * 1024
MOST_HEADERS = 100
LONGEST_ANSWER = 64 * 1024 * 1024


class BrokenAnswer(Exception):
    """The other side does not speak HTTP, or said too much; the words say which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.  `keeps`: the connection can be used again."""

    status: int
    body: bytes
    keeps: bool
    coordinator: str = ""
    """The thumbprint of the coordinator to which the answer sends one on, if it is told."""


async def post(connection: Connection, path: str, body: bytes) -> Answer:
    """POST JSON and read the answer.  Raises BrokenAnswer, OSError, EOFError."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {_host(connection)}\r\nUser-Agent: pooltrust-console\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\n"
        f"{ASK_COORDINATOR}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.writer.write(head.encode("ascii") + body)
    await connection.writer.drain()
    return await read_answer(connection.reader)


def _host(connection: Connection) -> str:
    address = connection.address
    if not address.isascii():  # as it is asked of the resolver
        address = address.encode("idna").decode("ascii")
    address = f"[{address}]" if ":" in address else address
    return f"{address}:{connection.port}"


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer.  Raises BrokenAnswer, OSError; EOFError if there is none, or half of one."""
    version, status = _status(await _line(reader))
    headers = await _headers(reader)
    closes = "close" in headers.get("connection", "").lower() or version == "HTTP/1.0"
    told = headers.get(TELL_COORDINATOR, "")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return Answer(status, await _chunks(reader), not closes, told)
    if "content-length" in headers:
        length = _number(headers["content-length"], 10)
        return Answer(status, await reader.readexactly(length), not closes, told)
    body = await reader.read(LONGEST_ANSWER + 1)
    if len(body) > LONGEST_ANSWER:
        raise BrokenAnswer("the answer is too long")
    return Answer(status, body, False, told)


def _status(line: str) -> tuple[str, int]:
    version, _, rest = line.partition(" ")
    number = rest[:3]
    if not version.startswith("HTTP/1.") or not number.isascii() or not number.isdigit():
        raise BrokenAnswer("it does not speak HTTP")
    return version, int(number)


async def _headers(reader: asyncio.StreamReader) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for _ in range(MOST_HEADERS):
        line = await _line(reader)
        if not line:
            return found
        name, _, value = line.partition(":")
        found[name.strip().lower()] = value.strip()
    raise BrokenAnswer("the answer has too many headers")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()  # a list of pieces of one byte each would take forty times as much
    while size := _number((await _line(reader)).partition(";")[0], 16):
        if len(body) + size > LONGEST_ANSWER:
            raise BrokenAnswer("the answer is too long")
        body += await reader.readexactly(size)
        await _line(reader)
    await _headers(reader)
    return bytes(body)


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as why:
        raise BrokenAnswer("a line of the answer is too long") from why
    if len(line) > LONGEST_LINE:
        raise BrokenAnswer("a line of the answer is too long")
    return line.rstrip(b"\r\n").decode("latin-1")


def _number(text: str, base: int) -> int:
    try:
        number = int(text.strip(), base)
    except ValueError as why:
        raise BrokenAnswer("a length in the answer is no number") from why
    if not 0 <= number <= LONGEST_ANSWER:
        raise BrokenAnswer("the answer is too long")
    return number
