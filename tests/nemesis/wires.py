"""The wires between hosts, in the hands of the tests: a TCP proxy that can cut and delay each pair.

The proxy answers at the address that a host's pool has for it, while its daemon listens elsewhere.
A host dials from where it listens, so each connection says whose it is.  Bytes are not looked at.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

T = TypeVar("T")
Pair = tuple[str, str]
"""Who dials, and who is dialled."""

CHUNK = 65536
CONTROL_SECONDS = 10.0


class Cut(Enum):
    """How a cut wire behaves."""

    REFUSING = "refusing"
    """Connections are reset, new ones at once."""
    SILENT = "silent"
    """Nothing arrives any more, and nobody says so; what was on its way comes when it is mended."""


@dataclass(frozen=True)
class Plug:
    """One host's end: where its pool has it, and where its daemon listens and dials from."""

    name: str
    address: str
    listen: str


@dataclass(eq=False)
class _Call:
    """One connection through the proxy."""

    pair: Pair
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def reset(self) -> None:
        for writer in self.writers:
            _reset(writer)


class Wires:
    """The proxy of one pool, in a thread of its own; closed by leaving the context.

    Whoever dials from an address that is no host's is called by that address, and never cut.
    """

    def __init__(self, plugs: Iterable[Plug], port: int) -> None:
        self._plugs = {plug.name: plug for plug in plugs}
        self._by_source = {plug.listen: plug.name for plug in self._plugs.values()}
        self._port = port
        self._cut: dict[Pair, Cut] = {}
        self._delay: dict[Pair, float] = {}
        self._calls: set[_Call] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._mended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._servers: list[asyncio.Server] = []
        self.carried: Counter[Pair] = Counter()
        """How many connections of each pair were let through."""

    def __enter__(self) -> Wires:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(CONTROL_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(CONTROL_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONTROL_SECONDS)
        self._loop.close()

    def cut(self, pairs: Iterable[Pair], how: Cut = Cut.REFUSING) -> None:
        """Cut these, each from who dials to who is dialled: both ways are two pairs."""
        given = dict.fromkeys(pairs, how)

        def act() -> None:
            self._cut |= given
            for call in [one for one in self._calls if given.get(one.pair) is Cut.REFUSING]:
                call.reset()

        self._control(act)

    def delay(self, delays: Mapping[Pair, float]) -> None:
        """Have every piece between these wait so many seconds, on its way there and back."""
        self._control(lambda: self._delay.update(delays))

    def mend(self) -> None:
        """Everything as it was: no cut and no delay."""

        def act() -> None:
            self._cut.clear()
            self._delay.clear()
            self._mended.set()
            self._mended = asyncio.Event()

        self._control(act)

    def _control(self, act: Callable[[], None]) -> None:
        """Do this in the loop, and wait until it is done."""

        async def acting() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acting(), self._loop).result(CONTROL_SECONDS)

    async def _open(self) -> None:
        for plug in self._plugs.values():
            self._servers.append(
                await asyncio.start_server(self._taker(plug), plug.address, self._port)
            )

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for call in list(self._calls):
            call.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _taker(self, plug: Plug) -> Callable[..., None]:
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            source = writer.get_extra_info("peername")[0]
            call = _Call((self._by_source.get(source, source), plug.name), [writer])
            task = self._loop.create_task(self._carry(call, source, plug, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return take

    async def _carry(
        self,
        call: _Call,
        source: str,
        plug: Plug,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._calls.add(call)
        try:
            await self._passable(call.pair)
            seen_from = self._plugs[call.pair[0]].address if source in self._by_source else source
            there, back = await asyncio.open_connection(
                plug.listen, self._port, local_addr=(seen_from, 0)
            )
            call.writers.append(back)
            self.carried[call.pair] += 1
            await asyncio.gather(
                self._pump(call.pair, reader, back), self._pump(call.pair, there, writer)
            )
        except OSError:
            call.reset()
        finally:
            self._calls.discard(call)
            for one in call.writers:
                one.close()

    async def _pump(
        self, pair: Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while piece := await reader.read(CHUNK):
            if pause := self._delay.get(pair):
                await asyncio.sleep(pause)
            await self._passable(pair)
            writer.write(piece)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()

    async def _passable(self, pair: Pair) -> None:
        """Wait while this pair is cut silently.  Raises ConnectionError while it refuses."""
        while (how := self._cut.get(pair)) is not None:
            if how is Cut.REFUSING:
                raise ConnectionResetError
            await self._mended.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End this connection as a machine does that knows nothing of it: with a reset."""
    with suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
