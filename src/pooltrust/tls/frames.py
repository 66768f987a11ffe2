"""The pool wire: frames of JSON over one verified connection.

A frame is a four-byte length (big-endian) and one JSON object in UTF-8.  What the objects say is
not known here.  Frames are bounded in size and time, both ways; a peer that reads slowly makes the
sender wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import orjson

from pooltrust.errors import CannotConnect, CannotVerify, Failure, FrameError, NotAccepted
from pooltrust.pki.certificate import Certificate
from pooltrust.tls.answer import Arrival
from pooltrust.tls.dial import Connection, close_writer, described
from pooltrust.tls.reasons import REFUSED_US, no_connection, refused_by_peer

MOST_BYTES = 4 * 1024 * 1024
"""The largest frame, in bytes of JSON, unless told otherwise."""

SEND_SECONDS = 10.0

_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom the other end is, for messages; `dialled`: this side made the connection."""

    expected: str
    met: Certificate | None
    address: str
    port: int
    dialled: bool
    tls_version: str = ""


class Frames:
    """One framed connection.  Made by `open_frames`, or handed out by `frames_protocol`.

    Several tasks may send at once, each frame is one write; only one may receive.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        peer: Peer,
        *,
        limit: int = MOST_BYTES,
        receive_limit: int | None = None,
    ) -> None:
        """`limit`: bytes of one frame; `receive_limit`: of a received one, if it is less."""
        self.peer = peer
        self._reader = reader
        self._writer = writer
        self._limit = limit
        self._receive_limit = limit if receive_limit is None else receive_limit
        self._answered = False
        self._late = False
        self._loop = asyncio.get_running_loop()

    async def send(self, frame: Mapping[str, Any], *, within: float = SEND_SECONDS) -> None:
        """Send one frame; waits, `within` seconds at most, while the peer does not read.

        Raises FrameError when it is too large or no JSON, CannotConnect when the connection is
        gone or stuck, CannotVerify when the peer has refused us before its first answer.
        """
        data = self._encoded(frame)
        timer = self._cut_after(within)
        try:
            self._writer.write(len(data).to_bytes(_LENGTH) + data)
            await self._writer.drain()
        except (OSError, RuntimeError) as why:  # uvloop: RuntimeError after the connection is lost
            if self._late:
                raise self._gone(f"it took no message for {within:g} s") from why
            raise self._ended(why) from why
        finally:
            timer.cancel()

    async def receive(self, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109
        """Wait for one frame, `timeout` seconds at most.

        Raises FrameError for what is no frame, CannotConnect when the connection ended or nothing
        came, CannotVerify when the peer has refused us.  After any of them it is unusable.
        """
        timer = self._cut_after(timeout)
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH))
            if length > self._receive_limit:
                raise self._misspoke(*_too_long(length))
            data = await self._reader.readexactly(length)
        except (OSError, EOFError) as why:
            if self._late:
                raise self._gone(f"it said nothing for {timeout:g} s") from why
            raise self._ended(why) from why
        finally:
            timer.cancel()
        self._answered = True
        return self._decoded(data)

    async def close(self) -> None:
        """Close the connection; what was sent is still delivered."""
        await close_writer(self._writer)

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    def _cut_after(self, seconds: float) -> asyncio.TimerHandle:
        """Cut the connection then, unless cancelled: one timer costs less than asyncio.timeout."""
        return self._loop.call_later(max(0.0, seconds), self._cut_late)

    def _cut_late(self) -> None:
        self._late = True
        self.abort()

    def _encoded(self, frame: Mapping[str, Any]) -> bytes:
        try:
            data = orjson.dumps(frame)
        except TypeError as why:
            raise FrameError(f"a message that is no JSON ({why})", peer="This host") from why
        if len(data) > self._limit:
            raise FrameError(f"a message of {len(data)} bytes is too long", peer="This host")
        return data

    def _decoded(self, data: bytes) -> dict[str, Any]:
        try:
            frame = orjson.loads(data)
        except orjson.JSONDecodeError as why:
            raise self._misspoke("a message that is no JSON") from why
        if not isinstance(frame, dict):
            raise self._misspoke("a message that is no JSON object")
        return frame

    def _misspoke(self, why: str, remedy: str | None = None) -> FrameError:
        self.abort()
        peer = f"The peer at {self.peer.address}"
        if self.peer.dialled:
            peer = f"Expected {self.peer.expected}, met {described(self.peer.met)}.  {peer}"
        said = FrameError(why, peer=peer)
        return said if remedy is None else replace(said, remedy=remedy)

    def _ended(self, why: Exception) -> Failure:
        """In TLS 1.3 a dialler learns here, not in the handshake, that it is refused."""
        if not self.peer.dialled or self._answered:
            return self._gone(no_connection(why))
        reason = refused_by_peer(why)
        # This alert is the peer's own word; an end of file can be anybody's doing, and dates pass.
        kind = NotAccepted if reason is REFUSED_US else CannotVerify
        return kind(
            reason.words,
            expected=self.peer.expected,
            met=described(self.peer.met),
            remedy=reason.remedy,
            certificate=self.peer.met.thumbprint if self.peer.met else None,
            by=reason.by,
        )

    def _gone(self, why: str) -> CannotConnect:
        return CannotConnect(
            self.peer.address, self.peer.port, expected=self.peer.expected, why=why
        )


Serve: TypeAlias = Callable[[Frames, bytes | None, Arrival], Awaitable[None]]
"""What answers a framed connection: its frames, the certificate shown (DER), how it arrived."""


def open_frames(connection: Connection, *, limit: int = MOST_BYTES) -> Frames:
    """Speak frames on a connection that was dialled.  `limit`: bytes of one frame."""
    peer = Peer(
        expected=str(connection.expected),
        met=connection.met,
        address=connection.address,
        port=connection.port,
        dialled=True,
        tls_version=connection.tls_version,
    )
    return Frames(connection.reader, connection.writer, peer, limit=limit)


def frames_protocol(
    serve: Serve, arrival: Arrival, *, limit: int = MOST_BYTES, receive_limit: int | None = None
) -> asyncio.Protocol:
    """A protocol that serves one arrival by frames, for the listener.

    The connection is closed when `serve` returns or raises.  A declared failure ends the
    connection quietly: it is for `serve` to log; anything else goes to the loop's handler.
    """

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = writer.get_extra_info("ssl_object")
        version = str(tls.version())
        peer = Peer("a peer", None, arrival.address, arrival.port, False, version)
        frames = Frames(reader, writer, peer, limit=limit, receive_limit=receive_limit)
        shown = tls.getpeercert(True)
        # Not left to asyncio, which up to Python 3.12 complains of every cancelled one.
        task = asyncio.get_running_loop().create_task(
            _served(frames, serve(frames, shown, arrival))
        )
        _serving.add(task)
        task.add_done_callback(_serving.discard)

    return asyncio.StreamReaderProtocol(asyncio.StreamReader(), connected)


def _too_long(length: int) -> tuple[str, str | None]:
    if length == int.from_bytes(b"HTTP"):
        return "it answered in HTTP", "Connect under the pool's name; the others are for clients."
    return f"a message of {length} bytes is too long", None


_serving: set[asyncio.Task[None]] = set()
"""A running task needs somebody who knows it."""


async def _served(frames: Frames, work: Awaitable[None]) -> None:
    try:
        await work
        await frames.close()
    except Failure:
        pass
    except Exception as why:  # noqa: BLE001 - a fault of ours, told to whoever logs such things
        words = {"message": "a framed connection ended by a fault", "exception": why}
        asyncio.get_running_loop().call_exception_handler(words)
    finally:
        frames.abort()
