"""The first bytes of a connection decide whom it is handed to: HTTP, or the command line.

Nothing is read but what it takes to tell; then the transport gets another protocol for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

Make = Callable[[], asyncio.Protocol]


class Door(asyncio.Protocol):
    """Stands before a connection until it has sent enough, `seconds` at the most.

    Who begins with `start` is given the protocol that `command` makes, everybody else the one of
    `other`.  `late` is told of who sends too little in time, and is cut off.
    """

    def __init__(
        self, start: bytes, command: Make, other: Make, *, seconds: float, late: Callable[[], None]
    ) -> None:
        self._start = start
        self._command = command
        self._other = other
        self._seconds = seconds
        self._late = late
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.gone: Callable[[Door], None] = lambda _: None
        """Called when it stands before nothing any more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._cut)

    def data_received(self, data: bytes) -> None:
        """Look at what there is so far."""
        self._data += data
        if self._data.startswith(self._start):
            self._hand_over(self._command)
        elif not self._start.startswith(self._data):
            self._hand_over(self._other)

    def connection_lost(self, exc: Exception | None) -> None:
        """It went before it said anything."""
        self._leave()

    def end(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _cut(self) -> None:
        self._late()
        if self._transport is not None:
            self._transport.abort()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.gone(self)

    def _hand_over(self, make: Make) -> None:
        transport, data = self._transport, self._data
        self._leave()
        if transport is None or transport.is_closing():
            return
        self._data = b""
        inner = make()
        transport.set_protocol(inner)
        inner.connection_made(transport)
        inner.data_received(data)
