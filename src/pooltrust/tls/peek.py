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
class Share:
    """How many connections a group may have, and how many of them one origin."""

    total: int
    of_one_origin: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener bears.  An origin is a peer's address.

    Three groups that take no place from one another: `half_open`, whose handshake is not over;
    `strangers`, who have proved nothing; `members`, who have shown an accepted certificate.
    """

    peek_seconds: float = 5.0
    handshake_seconds: float = 10.0
    half_open: Share = Share(512, 256)
    strangers: Share = Share(512, 384)
    members: Share = Share(512, 384)

    @property
    def connections(self) -> int:
        """How many there can be in all."""
        return self.half_open.total + self.strangers.total + self.members.total


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
        self._woken_in_vain = 0
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
        if not data:
            return Left.CLOSED
        if len(data) <= self._seen:
            # Nothing new.  Once is the kernel's affair; the second time the peer has closed its
            # side, and would wake us for ever.
            self._woken_in_vain += 1
            return Left.CLOSED if self._woken_in_vain > 1 else None
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


class Group:
    """Those who have a place of one sort, in the order in which they came."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._guests: dict[Guest, None] = {}
        self._origins: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._guests)

    def has_room(self, origin: str) -> bool:
        """Whether one more from there is borne."""
        return len(self) < self._share.total and not self._is_greedy(origin)

    def in_the_way(self, origin: str) -> Guest | None:
        """Who goes if one more from there comes: its own oldest, or else the oldest; or nobody."""
        if self._is_greedy(origin):
            return next(guest for guest in self._guests if guest.origin == origin)
        return next(iter(self._guests)) if len(self) >= self._share.total else None

    def add(self, guest: Guest) -> None:
        """Give a place."""
        self._guests[guest] = None
        self._origins[guest.origin] += 1

    def remove(self, guest: Guest) -> None:
        """Take the place back."""
        del self._guests[guest]
        self._origins[guest.origin] -= 1
        if self._origins[guest.origin] == 0:
            del self._origins[guest.origin]

    def _is_greedy(self, origin: str) -> bool:
        return self._origins[origin] >= self._share.of_one_origin


class Crowd:
    """Who is connected, by group: strangers, however many, take no member's place.

    A place among the half-open is never refused: the oldest one gives way, so a member gets
    through a flood of newcomers if its handshake is faster than theirs are many.
    """

    def __init__(self, limits: Limits) -> None:
        self.half_open = Group(limits.half_open)
        self.strangers = Group(limits.strangers)
        self.members = Group(limits.members)

    def __len__(self) -> int:
        return len(self.half_open) + len(self.strangers) + len(self.members)


class Guest(socket.socket):
    """An accepted socket that is counted, half-open at first, until it is closed.

    Both loops close the socket object that they were handed (uvloop detaches it first), whatever
    protocol has the connection by then; so the count needs nobody's help.
    """

    def __init__(self, accepted: socket.socket, origin: str, group: Group) -> None:
        family, kind, protocol = accepted.family, accepted.type, accepted.proto
        super().__init__(family, kind, protocol, fileno=accepted.detach())
        self.setblocking(False)
        self.origin = origin
        self._group: Group | None = group
        group.add(self)

    def settled(self, group: Group) -> bool:
        """The TLS handshake is over: count it here from now on.  False: there is no room."""
        if self._group is None or not group.has_room(self.origin):
            return False
        self.leave()
        self._group = group
        group.add(self)
        return True

    def leave(self) -> None:
        """It is about to be closed: count it no longer."""
        group, self._group = self._group, None
        if group is not None:
            group.remove(self)

    def close(self) -> None:
        """As in socket.socket."""
        super().close()
        self.leave()

    def detach(self) -> int:
        """As in socket.socket."""
        descriptor = super().detach()
        self.leave()
        return descriptor


def origin_of(peer: tuple[Any, ...]) -> str:
    """Whom an address counts as: an IPv6 customer has a whole /64."""
    address = str(peer[0]).removeprefix("::ffff:")
    if ":" not in address:
        return address
    return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])[:8].hex(":", 2)
