"""From accept to ClientHello: how many may wait, and finding out what a newcomer asks for.

Nothing is consumed: OpenSSL reads the same bytes afterwards.  A newcomer that sends half a
ClientHello costs no CPU while it is silent: SO_RCVLOWAT is set to the bytes still needed, because
peeked bytes would otherwise make the socket readable for ever.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from pooltrust.tls.clienthello import MOST_BYTES, NeedMore, NotTls, ServerName, peeked


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener bears.  Half-open: TLS is not up yet.  An origin is a peer's address."""

    peek_seconds: float = 5.0
    handshake_seconds: float = 10.0
    connections: int = 1024
    of_one_origin: int = 768
    half_open_of_one_origin: int = 256


LIMITS = Limits()


class Left(StrEnum):
    """Why a newcomer is gone before it has sent a whole ClientHello."""

    CLOSED = "it closed the connection before it had sent a whole ClientHello"
    LATE = "it did not send a whole ClientHello in time"


Outcome: TypeAlias = ServerName | NotTls | Left


class Peek:
    """Waits until one newcomer's ClientHello is there, then calls `decided` once."""

    def __init__(
        self, sock: socket.socket, seconds: float, decided: Callable[[Outcome], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._seconds = seconds
        self._decided = decided
        self._seen = 0
        self._low_water = 1
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look at once; only if that is not enough is the socket watched."""
        outcome = self._look()
        if outcome is not None:
            self._end(outcome)
            return
        self._timer = self._loop.call_later(self._seconds, self._end, Left.LATE)
        self._loop.add_reader(self._sock, self._readable)

    def stop(self) -> None:
        """Stop watching; uvloop demands it before the socket is handed over."""
        if self._timer is not None:
            self._timer.cancel()
            self._loop.remove_reader(self._sock)

    def _readable(self) -> None:
        outcome = self._look()
        if outcome is not None:
            self._end(outcome)

    def _look(self) -> Outcome | None:
        try:
            data = self._sock.recv(MOST_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return Left.CLOSED
        if len(data) <= self._seen:
            return Left.CLOSED  # woken without new bytes: it will send no more
        self._seen = len(data)
        found = peeked(data)
        if not isinstance(found, NeedMore):
            return found
        self._wake_at(found.total_bytes_needed)
        return None

    def _wake_at(self, total: int) -> None:
        self._low_water = total
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, total)

    def _end(self, outcome: Outcome) -> None:
        self.stop()
        if self._low_water != 1:
            self._wake_at(1)
        self._decided(outcome)


class Crowd:
    """Who is connected: counted by origin, so that one address can't take every place."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: Counter[str] = Counter()
        self._half_open: Counter[str] = Counter()
        self._total = 0

    def __len__(self) -> int:
        return self._total

    def has_room(self, origin: str) -> bool:
        """Whether one more connection from there is borne."""
        limits = self._limits
        return (
            self._total < limits.connections
            and self._all[origin] < limits.of_one_origin
            and self._half_open[origin] < limits.half_open_of_one_origin
        )

    def enter(self, accepted: socket.socket, origin: str) -> Guest:
        """Count this connection, half-open, until its socket is closed."""
        self._total += 1
        self._all[origin] += 1
        self._half_open[origin] += 1
        return Guest(accepted, origin, self)

    def settled(self, origin: str) -> None:
        """One connection from there is no longer half-open."""
        _less(self._half_open, origin)

    def left(self, origin: str) -> None:
        """One connection from there was closed."""
        self._total -= 1
        _less(self._all, origin)


class Guest(socket.socket):
    """An accepted socket that is counted until it is closed.

    Both loops close the socket object that they were handed (uvloop detaches it first), whatever
    protocol has the connection by then; so the count needs nobody's help.
    """

    def __init__(self, accepted: socket.socket, origin: str, crowd: Crowd) -> None:
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        super().__init__(family, kind, protocol, fileno=accepted.detach())
        self.setblocking(False)
        self._origin = origin
        self._crowd: Crowd | None = crowd
        self._half_open = True

    def settled(self) -> None:
        """The TLS handshake is over."""
        if self._half_open:
            self._half_open = False
            if self._crowd is not None:
                self._crowd.settled(self._origin)

    def close(self) -> None:
        """As in socket.socket."""
        super().close()
        self._leave()

    def detach(self) -> int:
        """As in socket.socket."""
        descriptor = super().detach()
        self._leave()
        return descriptor

    def _leave(self) -> None:
        self.settled()
        crowd, self._crowd = self._crowd, None
        if crowd is not None:
            crowd.left(self._origin)


def origin_of(peer: tuple[Any, ...]) -> str:
    """Whom an address counts as: an IPv6 customer has a whole /64."""
    address = str(peer[0]).removeprefix("::ffff:")
    if ":" not in address:
        return address
    return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])[:8].hex(":", 2)


def _less(counter: Counter[str], origin: str) -> None:
    counter[origin] -= 1
    if counter[origin] <= 0:
        del counter[origin]
