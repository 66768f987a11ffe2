"""Those who hold a host up: each scene is one of them, and all of them play on one pool at once.

Each calls from an address of its own, so that what the host says of it can be told apart.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from pooltrust.terms import POOL_NAME
from pooltrust.tls.dial import dial
from tls.stage import client_hello, lax_client

from .scenes import Outcome, Stage, recorder, told

Scene = Callable[[Stage, str], Awaitable[Outcome]]

DRIP_SECONDS = 0.25
"""Between two bytes of somebody slow."""


async def no_hello(stage: Stage, address: str) -> Outcome:
    """A member with its own certificate, verified, that never says its hello."""
    connection = await dial(
        "127.0.0.1",
        stage.h1.config.port,
        expect=stage.expected("h1"),
        name=POOL_NAME,
        identity=stage.file("h2"),
        source=address,
    )
    return await _cut_off(stage, address, connection.reader, connection.writer)


async def no_answer_to_hello(stage: Stage, address: str) -> Outcome:
    """h1 dials h3, meets it, and gets no answer to its hello."""
    async with recorder(stage, "127.0.0.3", "h3", mute=True) as spot:
        began = time.monotonic()
        said = await told(stage.h1, stage.expected("h3").host)
        took = time.monotonic() - began
        await stage.h1.daemon.peers.look(stage.expected("h3").host)
        return Outcome(said, stage.h1.journal, _first_half(bytes(spot.decrypted)), took)


def _first_half(twice: bytes) -> bytes:
    """One of two hellos of equal length, with two nonces."""
    half = twice[: len(twice) // 2]
    assert len(half) == len(twice) - len(half)
    return half


async def half_a_client_hello(stage: Stage, address: str) -> Outcome:
    """Half a ClientHello, and then nothing; forty times at once."""
    hello = client_hello(POOL_NAME)
    streams = [await _connected(stage, address) for _ in range(40)]
    for _, writer in streams:
        writer.write(hello[: len(hello) // 2])
    ends = [await _cut_off(stage, address, *each) for each in streams]
    return max(ends, key=lambda end: end.seconds)


async def a_client_hello_by_drips(stage: Stage, address: str) -> Outcome:
    """A ClientHello, byte by byte."""
    reader, writer = await _connected(stage, address)
    async with _dripping(writer, client_hello(POOL_NAME)):
        return await _cut_off(stage, address, reader, writer)


async def half_a_handshake(stage: Stage, address: str) -> Outcome:
    """A whole ClientHello, and then nothing."""
    reader, writer = await _connected(stage, address)
    writer.write(client_hello(POOL_NAME))
    began = time.monotonic()
    answer = bytearray()
    with suppress(OSError):
        while more := await reader.read(65536):
            answer += more
    assert answer[0] in (0x16, 0x14), "the handshake's next flight"
    writer.close()
    took = time.monotonic() - began
    return Outcome("", stage.h1.journal, bytes(stage.h1.heard[address]), took)


async def a_head_by_drips(stage: Stage, address: str) -> Outcome:
    """An HTTP request whose head never ends."""
    head = b"POST /jsonrpc HTTP/1.1\r\nHost: h1\r\nX-Slow: " + b"x" * 4000
    return await _over_tls(stage, address, b"", head)


async def a_body_by_drips(stage: Stage, address: str) -> Outcome:
    """An HTTP request whose body never ends."""
    head = b"POST /jsonrpc HTTP/1.1\r\nHost: h1\r\nContent-Length: 4000\r\n\r\n"
    return await _over_tls(stage, address, head, b" " * 4000)


async def _over_tls(stage: Stage, address: str, at_once: bytes, drips: bytes) -> Outcome:
    reader, writer = await _connected(stage, address, lax_client())
    writer.write(at_once)
    async with _dripping(writer, drips):
        return await _cut_off(stage, address, reader, writer)


async def _connected(
    stage: Stage, address: str, tls: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(
        "127.0.0.1", stage.h1.config.port, local_addr=(address, 0), ssl=tls
    )


@asynccontextmanager
async def _dripping(writer: asyncio.StreamWriter, data: bytes) -> AsyncIterator[None]:
    async def drip() -> None:
        for byte in data:
            writer.write(bytes([byte]))
            await asyncio.sleep(DRIP_SECONDS)

    task = asyncio.ensure_future(drip())
    try:
        yield
    finally:
        task.cancel()


async def _cut_off(
    stage: Stage, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Outcome:
    """Wait until the host has enough of it, and note how long that took."""
    began, answer = time.monotonic(), b""
    with suppress(OSError):
        answer = await reader.read()
    took = time.monotonic() - began
    writer.transport.abort()
    await asyncio.sleep(0.05)  # what the host says of it comes a little later
    heard = bytes(stage.h1.heard[address])
    return Outcome(answer.decode(), stage.h1.journal, heard, took)
