"""`POST /cli`: the connection that stops being HTTP after the request's body.

It reads the request itself, bounded in size and time, hands the stream to the command line's server
side, and closes it.  No byte of HTTP is ever answered here: a client would show it as garbage.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pooltrust.api.cli.wire.frames import BadFrame
from pooltrust.api.cli.wire.terminal import Terminal
from pooltrust.api.cli.wire.words import LONGEST_BODY
from pooltrust.api.context import Context
from pooltrust.api.sessions import Origin
from pooltrust.host.serving.guard import Identify
from pooltrust.host.serving.thin.offers import Offers
from pooltrust.host.serving.thin.progress import Progress
from pooltrust.host.telling.journal import Journal

if TYPE_CHECKING:
    from pooltrust.api.cli.seat import Around, Seat

START = b"POST /cli "
WANTS_PROGRESS = b"\r\nx-pooltrust-progress: true"
"""What our own client sends when somebody looks; the original one shows nothing meanwhile."""
HEAD_SECONDS = 20.0
IDLE_SECONDS = 300.0
"""How long a client that has logged in may take to answer a frame, or to read one: somebody may be
typing, or looking at a page of it."""
LONGEST_HEAD = 16 * 1024
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,7})[ \t]*\r?$")


class Run(Protocol):
    """See api/cli/run.py."""

    def __call__(
        self, context: Context, origin: Origin, body: bytes, terminal: Terminal, around: Around
    ) -> Awaitable[None]: ...


class CommandLine:
    """Serves command lines: one connection is one command."""

    def __init__(self, context: Context, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self._streams: dict[asyncio.Task[None], _Stream] = {}
        self.offers = Offers()
        """The files that commands have for their clients."""

    def protocol(self, identify: Identify) -> asyncio.StreamReaderProtocol:
        """The protocol of one such connection, which has sent `START` already."""
        reader = asyncio.StreamReader(limit=LONGEST_HEAD)

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # From the moment that it is known who comes: what ends them must find them.
            stream = _Stream(reader, writer, identify(writer.transport))
            task = asyncio.create_task(self._serve(stream), name="command-line")
            self._streams[task] = stream
            task.add_done_callback(self._streams.pop)

        return asyncio.StreamReaderProtocol(reader, connected)

    def end(self, which: Callable[[Origin], bool]) -> None:
        """Hear no more of these clients: what they have ordered is carried out and answered, but
        nothing more is taken from them, and nothing is waited for on their behalf."""
        for stream in self._streams.values():
            if stream.origin is not None and which(stream.origin):
                stream.end()

    async def close(self) -> None:
        """End every connection."""
        for task in self._streams:
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)

    async def _serve(self, stream: _Stream) -> None:
        origin, writer = stream.origin, stream.writer
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                asked = await _asked(stream.reader)
            if asked is None or origin is None:
                return
            run = await asyncio.to_thread(_commands)
            if stream.ended:
                return
            around = _Around(stream, self.offers, asked.progress)
            terminal = Terminal(stream.read, stream.write)
            await run(self._context, origin, asked.body, terminal, around)
        except (EOFError, ConnectionError, TimeoutError):
            return  # it is gone, or as good as gone
        except BadFrame as why:
            where = origin.address if origin else "the Unix socket"
            self._journal.damped("command-line", peer=where, reason="frame", words=str(why))
        except Exception as why:  # noqa: BLE001 - one client must not end the daemon
            self._journal.defect("command-line-defect", why)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(HEAD_SECONDS):
                    await writer.wait_closed()


@dataclass(slots=True)
class _Stream:
    """A connection, and who is at its other end; `seconds` is how long that may take."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    origin: Origin | None
    seconds: float = HEAD_SECONDS
    ended: bool = False

    async def read(self, count: int) -> bytes:
        """Exactly so many bytes.  Raises EOFError once it was ended, whatever has come before."""
        async with asyncio.timeout(self.seconds):
            data = await self.reader.readexactly(count)
        if self.ended:
            raise EOFError
        return data

    def end(self) -> None:
        """Hear no more of the client."""
        self.ended = True
        if not self.reader.at_eof() and not self.writer.transport.is_closing():
            self.writer.transport.pause_reading()  # type: ignore[attr-defined]
            self.reader.feed_eof()

    @property
    def gone(self) -> bool:
        """Whether nothing comes any more."""
        return self.ended or self.reader.at_eof()

    async def write(self, data: bytes) -> None:
        """All of them, once there is room."""
        self.writer.write(data)
        async with asyncio.timeout(self.seconds):
            await self.writer.drain()


@dataclass(frozen=True, slots=True)
class _Around:
    """What this host does for a command beside its calls."""

    stream: _Stream
    offers: Offers
    progress: bool

    def watching(self, seat: Seat) -> AbstractAsyncContextManager[None]:
        """Its user has logged in: be patient, and say how far what they wait for is."""
        self.stream.seconds = IDLE_SECONDS
        return Progress(seat, self.stream.write) if self.progress else nullcontext()

    def gone(self) -> bool:
        """Whether its client is."""
        return self.stream.gone

    def offering(self, data: bytes) -> AbstractContextManager[str]:
        """A file for its client, which is fetched from this path."""
        return self.offers.offering(data)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request: its body, and whether its client wants to be shown what goes on."""

    body: bytes
    progress: bool


def _commands() -> Run:
    """The commands, which are loaded when somebody types one: most hosts never hear any."""
    from pooltrust.api.cli.run import run

    return run


async def _asked(reader: asyncio.StreamReader) -> _Asked | None:
    """Read the request; None for one that is none, or too long."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        return None
    found = _LENGTH.search(head)
    if found is None or int(found[1]) > LONGEST_BODY:
        return None
    body = await reader.readexactly(int(found[1]))
    return _Asked(body, WANTS_PROGRESS in head.lower())
