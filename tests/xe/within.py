"""Commands within the test's process: the daemon is not there, the client is a few lines."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from api.fake import LOCAL, FakeContext
from pooltrust.api.cli.run import run
from pooltrust.api.cli.seat import Around, Seat
from pooltrust.api.cli.wire import frames
from pooltrust.api.cli.wire.terminal import Terminal
from pooltrust.api.sessions import Origin

from .stage import Ran

OK = struct.pack("<iii", 8, 10, 5)
FAILED = struct.pack("<iii", 8, 10, 6)
PRINT, LOAD, PROMPT, EXIT, HTTP_GET, STDERR = 0, 1, 3, 4, 12, 16


@dataclass
class Client:
    """Obeys, and keeps what it was told; `files` are what it can read."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    typed: bytes = b"yes\n"
    out: str = ""
    err: str = ""
    code: int = -1
    saved: dict[str, str] = field(default_factory=dict)
    waiting: bytes = frames.HELLO

    async def read(self, count: int) -> bytes:
        if len(self.waiting) < count:
            raise EOFError
        data, self.waiting = self.waiting[:count], self.waiting[count:]
        return data

    async def write(self, data: bytes) -> None:
        if data == frames.HELLO:
            return
        _, kind, tag = struct.unpack_from("<iii", data)
        assert kind == 9
        if tag == EXIT:
            (self.code,) = struct.unpack_from("<i", data, 12)
        elif tag in (PRINT, STDERR):
            text = data[16:].decode()
            self.out += f"{text}\n" if tag == PRINT else ""
            self.err += text if tag == STDERR else ""
        elif tag == PROMPT:
            self.waiting += blob(self.typed)
        elif tag == LOAD:
            content = self.files.get(data[16:].decode())
            self.waiting += FAILED if content is None else OK + blob(content)
        elif tag == HTTP_GET:
            (size,) = struct.unpack_from("<i", data, 12)
            self.saved[data[16 : 16 + size].decode()] = data[20 + size :].decode()
            self.waiting += OK


def blob(data: bytes) -> bytes:
    chunk = struct.pack("<iiii", 12, 11, 7, len(data)) + data
    return chunk + struct.pack("<iii", 8, 11, 8)


class Nothing:
    """Nobody watches, and what is offered is not fetched."""

    def watching(self, seat: Seat) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def gone(self) -> bool:
        return False

    @contextmanager
    def offering(self, data: bytes) -> Iterator[str]:
        yield f"/cli/{len(data)}"


def carried_out(
    context: FakeContext,
    *words: str,
    origin: Origin = LOCAL,
    client: Client | None = None,
    around: Around | None = None,
    user: str = "root",
    password: str = "right",
) -> Ran:
    """Carry a command out, as local root."""
    client = client or Client()
    body = "\n".join([*words, f"username={user}", f"password={password}"]).encode()
    terminal = Terminal(client.read, client.write)
    asyncio.run(run(context, origin, body, terminal, around or Nothing()))
    return Ran(client.code, client.out, client.err)
