"""`POST /cli`: the connection that stops being HTTP after the request's body.

It reads the request itself, bounded in size and time, hands the stream to the command line's server
side, and closes it.  No byte of HTTP is ever answered here: a client would show it as garbage.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass

from pooltrust.api.cli.wire.frames import BadFrame
from pooltrust.api.cli.wire.terminal import Read, Write
from pooltrust.api.cli.wire.words import LONGEST_BODY
from pooltrust.api.context import Context
from pooltrust.api.sessions import Origin
from pooltrust.host.serving.guard import Identify
from pooltrust.host.serving.thin.progress import Progress
from pooltrust.host.telling.journal import Journal

START = b"POST /cli "
WANTS_PROGRESS = b"\r\nx-pooltrust-progress: true"
"""What our own client sends when somebody looks; the original one shows nothing meanwhile."""
HEAD_SECONDS = 20.0
IDLE_SECONDS = 300.0
"""How long a client may take to answer a frame: somebody may be typing."""
LONGEST_HEAD = 16 * 1024
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,7})[ \t]*\r?$")


Run = Callable[[Context, Origin, bytes, Read, Write], Awaitable[None]]


class CommandLine:
    """Serves command lines: one connection is one command."""

    def __init__(self, context: Context, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()

    def protocol(self, identify: Identify) -> asyncio.StreamReaderProtocol:
        """The protocol of one such connection, which has sent `START` already."""
        reader = asyncio.StreamReader(limit=LONGEST_HEAD)

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            here = identify(writer.transport)
            task = asyncio.create_task(self._serve(reader, writer, here), name="command-line")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return asyncio.StreamReaderProtocol(reader, connected)

    async def close(self) -> None:
        """End every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, origin: Origin | None
    ) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                asked = await _asked(reader)
            if asked is None or origin is None:
                return
            write, run = _writing(writer), await asyncio.to_thread(_commands)
            async with Progress(self._context, write) if asked.progress else nullcontext():
                await run(self._context, origin, asked.body, _reading(reader), write)
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


def _reading(reader: asyncio.StreamReader) -> Read:
    async def read(count: int) -> bytes:
        async with asyncio.timeout(IDLE_SECONDS):
            return await reader.readexactly(count)

    return read


def _writing(writer: asyncio.StreamWriter) -> Write:
    async def write(data: bytes) -> None:
        writer.write(data)
        async with asyncio.timeout(HEAD_SECONDS):
            await writer.drain()

    return write
