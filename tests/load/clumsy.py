"""Clumsy and hostile bytes: what cuts a ClientHello, speaks no TLS, or asks where it may not.

Scenes as in scenes.py, each on a pool of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from daemons import running, until
from pooltrust.errors import Failure
from pooltrust.host.peers.greeting import greet
from pooltrust.terms import JOIN_NAME, POOL_NAME
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import open_frames
from tls.stage import in_records

from .listening import ListeningHost
from .scenes import Outcome, Scene, Stage, quiet


def cut(how: Callable[[bytes], list[bytes]]) -> Scene:
    """h2 dials h1 through somebody who cuts its ClientHello in pieces."""

    async def scene(stage: Stage) -> Outcome:
        async with running(stage.h1, stage.h2), _cutter(stage.h1, how) as port:
            await quiet(stage.h1, stage.h2)
            said = ""
            try:
                connection = await dial(
                    "127.0.0.1",
                    port,
                    expect=stage.expected("h1"),
                    name=POOL_NAME,
                    identity=stage.file("h2"),
                )
                frames = open_frames(connection)
                belief = stage.h2.daemon.belief
                met = await greet(frames, belief, stage.h1.me, secrets.token_bytes(32))
                assert met.host == stage.h1.me
                await connection.close()
            except Failure as why:
                said = str(why)
            return Outcome(said, stage.h1.journal, bytes(stage.h1.heard["127.0.0.9"]))

    return scene


def in_packets(flight: bytes) -> list[bytes]:
    """A few bytes at a time where it hurts, then the rest."""
    return [flight[:1], flight[1:5], flight[5:6], flight[6:200], flight[200:-1], flight[-1:]]


def in_records_and_packets(flight: bytes) -> list[bytes]:
    """Records of 100 bytes, each in two packets."""
    data = in_records(flight, 100)
    return [data[at : at + 60] for at in range(0, len(data), 60)]


@asynccontextmanager
async def _cutter(to: ListeningHost, how: Callable[[bytes], list[bytes]]) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, on = await asyncio.open_connection(
            to.config.address, to.config.port, local_addr=("127.0.0.9", 0)
        )
        for piece in how(await reader.read(65536)):
            on.write(piece)
            await asyncio.sleep(0.005)
        await asyncio.gather(_pump(reader, on), _pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def sending(data: bytes, megabytes: int = 0) -> Scene:
    """Somebody without TLS sends this to h1, and so many megabytes of noise after it."""
    noise = bytes(range(1, 256)) * 257

    async def scene(stage: Stage) -> Outcome:
        async with running(stage.h1):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", stage.h1.config.port, local_addr=("127.0.0.9", 0)
            )
            answer = b""
            with suppress(OSError, RuntimeError):
                writer.write(data)
                for _ in range(megabytes * 16):
                    writer.write(noise)
                    await writer.drain()
                async with asyncio.timeout(3):
                    answer = await reader.read()
            writer.close()
            await until(lambda: stage.h1.lines("connection-refused"))
            heard = bytes(stage.h1.heard["127.0.0.9"])
            return Outcome(answer.decode(errors="replace"), stage.h1.journal, heard)

    return scene


def asking_under_the_join_name(call: str) -> Scene:
    """A member with its certificate asks for this under the name of first meetings."""

    async def scene(stage: Stage) -> Outcome:
        async with running(stage.h1):
            frames = open_frames(
                await dial(
                    "127.0.0.1",
                    stage.h1.config.port,
                    expect=stage.expected("h1"),
                    name=JOIN_NAME,
                    identity=stage.file("h2"),
                )
            )
            await frames.send({"call": call, "after": 0, "entries": []})
            refused = (await frames.receive(3))["refused"]
            await frames.close()
            return Outcome(refused["words"], stage.h1.journal)

    return scene
