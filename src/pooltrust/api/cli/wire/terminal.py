"""The terminal at the other end: told what to print, asked for files and lines.

It reads and writes through two functions, so that it knows no sockets.  Every wait is the caller's
to bound in time; every size is bounded here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pooltrust.api.cli.wire import frames, show
from pooltrust.api.cli.wire.frames import BadFrame, Reply, Tag
from pooltrust.api.cli.wire.words import Fault

Read = Callable[[int], Awaitable[bytes]]
"""Exactly so many bytes; raises EOFError when there are no more."""
Write = Callable[[bytes], Awaitable[None]]
LONGEST_LINE = 64 * 1024
MOST_PIECES = 100_000
"""Pieces of a file, however small."""
UNSEEN = "pooltrust: the next answer is a secret"


class Terminal:
    """One client.  With `minimal` everything printed is one line in the end."""

    def __init__(self, read: Read, write: Write) -> None:
        self._read = read
        self._write = write
        self.minimal = False
        self._items: list[str] = []

    async def greet(self) -> None:
        """Say who we are, and hear it of the client.  Raises BadFrame, EOFError."""
        await self._write(frames.HELLO)
        if not frames.same_protocol(await self._read(len(frames.HELLO))):
            raise BadFrame("another protocol")

    async def print(self, line: str) -> None:
        """Show one line, or several; not with --minimal."""
        if not self.minimal:
            await self._write(frames.command(Tag.PRINT, line))

    async def items(self, items: list[str]) -> None:
        """Show a list: each on its line, or all in the line of --minimal."""
        if self.minimal:
            self._items += items
            return
        for item in items:
            await self._write(frames.command(Tag.PRINT, item))

    async def bare(self, line: str) -> None:
        """Show exactly this, with --minimal as well."""
        await self._write(frames.command(Tag.PRINT, line))

    async def complain(self, text: str) -> None:
        """Write to the standard error, with a newline at the end."""
        await self._write(frames.command(Tag.STDERR, text + "\n"))

    async def error(self, code: str, parameters: list[str]) -> None:
        """Show a failure by its code."""
        await self._write(frames.command(Tag.ERROR, code, parameters))

    async def debug(self, text: str) -> None:
        """Show this if the client was started with --debug."""
        await self._write(frames.command(Tag.DEBUG, text))

    async def exit(self, code: int) -> None:
        """End; the client exits with this code."""
        if self.minimal and code == 0 and self._listed:
            await self._write(frames.command(Tag.PRINT, show.minimal(self._items)))
        await self._write(frames.command(Tag.EXIT, code))

    _listed = False

    def lists(self) -> None:
        """The command answers with a list: with --minimal a line comes, be it empty."""
        self._listed = True

    async def load(self, filename: str, what: str) -> bytes:
        """A file of the client's, 32 MiB at most.  Raises Fault: `what` could not be read."""
        await self._write(frames.command(Tag.LOAD, filename))
        if (await self._reply()).tag != frames.OK:
            raise Fault(f"Failed to read {what}")
        return await self._blob(frames.LONGEST_FILE)

    async def download(self, filename: str, path: str) -> bool:
        """Have the client fetch a path of this host into a new file; whether it did."""
        await self._write(frames.command(Tag.HTTP_GET, filename, path))
        return (await self._reply()).tag == frames.OK

    async def ask(self) -> str:
        """One line that the user types."""
        await self._write(frames.command(Tag.PROMPT))
        return (await self._blob(LONGEST_LINE)).decode("utf-8", "replace").strip("\r\n")

    async def ask_secret(self, name: str) -> str:
        """The same for a secret: our client is told not to show what is typed."""
        await self.debug(UNSEEN)
        await self._write(frames.command(Tag.STDERR, f"{name}: "))
        return await self.ask()

    async def _blob(self, most: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while (reply := await self._reply()).tag != frames.END:
            if reply.chunk is None:
                raise BadFrame("a response in the middle of a blob")
            size += reply.chunk
            if len(pieces) == MOST_PIECES:
                raise BadFrame("a blob of too many pieces")
            if size > most:
                raise Fault(f"The input is over {most} bytes long")
            pieces.append(await self._read(reply.chunk))
        return b"".join(pieces)

    async def _reply(self) -> Reply:
        while True:
            head = await self._read(4)
            reply = frames.reply(await self._read(frames.length(head)))
            if reply.tag != frames.WAIT:
                return reply
