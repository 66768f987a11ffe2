"""Answering: one port, three faces, chosen per connection by the TLS server name.

Whoever asks for ``pool`` meets the pool identity and must show a member's certificate;
``pool-join`` is for first meetings; everybody else meets the server identity.  Each face is a
context of its own, so no rule of one can leak into another.  The name that was asked for proves
nothing: membership is read from the certificate, after the handshake.  What is spoken inside TLS is
not known here.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pooltrust.errors import CannotListen
from pooltrust.terms import JOIN_NAME, POOL_NAME
from pooltrust.tls.clienthello import NotTls, ServerName, Why
from pooltrust.tls.contexts import PoolContext
from pooltrust.tls.handshake import say_tls, shake_hands
from pooltrust.tls.peek import LIMITS, Crowd, Guest, Left, Limits, Outcome, Peek, origin_of
from pooltrust.tls.reasons import (
    CLIENT_REFUSED,
    CLIENT_UNKNOWN,
    CROWDED_OUT,
    NO_FACE,
    NOT_TLS,
    PLAIN_HTTP,
    REFUSED_US,
    SLOW_CURE,
    TOO_MANY,
    UNKNOWN_TO_US,
    Reason,
    Side,
    no_connection,
)

POOL_NAMES = frozenset({POOL_NAME, f"xapi:{POOL_NAME}"})
"""The second one is what XenAPI hosts also send."""

_EXPECTED: dict[str | None, str] = {
    POOL_NAME: "a member, with a certificate that the roster accepts",
    JOIN_NAME: "a host that wants to join, or a member that missed something",
    None: "a client that speaks TLS",
}
_BACKLOG = 1024
_BATCH = 64
_PAUSE_SECONDS = 0.5
_OF_THE_PEER = {errno.ECONNABORTED, errno.EPROTO, errno.EPERM}


@dataclass(frozen=True, slots=True)
class Faces:
    """The contexts for new connections.  None: nobody is met under that name yet."""

    server: ssl.SSLContext
    pool: PoolContext | None = None
    join: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A connection whose ClientHello was seen.

    `name` is ``pool``, ``pool-join`` or None for every other; `asked` is the server name as sent,
    in lower case; `address` and `port` are the peer's.
    """

    name: str | None
    asked: str | None
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connection that did not come about.

    `reason` is short and stable; `words`, who was `expected` and the `cure` are for the log.
    `why` is the words without the address; `by` is which side refused.
    """

    address: str
    name: str | None
    reason: str
    words: str
    expected: str = ""
    cure: str = ""
    why: str = ""
    by: Side = Side.US


class Listener:
    """Accepts on one address and port.  Made by `open`."""

    def __init__(
        self,
        sock: socket.socket,
        faces: Callable[[], Faces],
        protocol: Callable[[Arrival], asyncio.BaseProtocol],
        refused: Callable[[Refusal], None],
        limits: Limits,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._faces = faces
        self._protocol = protocol
        self._refused = refused
        self._limits = limits
        self._crowd = Crowd(limits)
        self._half_open: dict[Guest, _HalfOpen] = {}
        self._pause: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls,
        address: str,
        port: int,
        faces: Callable[[], Faces],
        protocol: Callable[[Arrival], asyncio.BaseProtocol],
        *,
        refused: Callable[[Refusal], None],
        limits: Limits = LIMITS,
    ) -> Listener:
        """Listen; port 0 takes a free one.  Raises CannotListen.

        `faces` is asked for each connection, so a swap takes effect at the next one.  `protocol`
        makes an asyncio protocol for each handshake that begins; its `connection_made` comes when
        TLS is up, and ``get_extra_info("ssl_object").getpeercert(True)`` then has the certificate.
        `refused` is told of every other connection.
        """
        try:
            sock = _listening(address, port)
        except OSError as why:
            raise CannotListen(address, port, why=no_connection(why)) from why
        listener = cls(sock, faces, protocol, refused, limits)
        listener._watch()
        return listener

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._sock.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many connections there are, half-open ones included."""
        return len(self._crowd)

    async def close(self) -> None:
        """Stop listening and drop what is half-open; live connections are their protocols'."""
        if self._pause is not None:
            self._pause.cancel()
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()
        tasks = [one.work for one in self._half_open.values() if one.work is not None]
        for guest in list(self._half_open):
            self._drop(guest)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _watch(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                accepted, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as why:
                if why.errno in _OF_THE_PEER:
                    continue
                self._rest(why)
                return
            self._welcome(accepted, peer)

    def _rest(self, why: OSError) -> None:
        """No descriptors, no memory: the connection stays queued, so trying again would spin."""
        self._loop.remove_reader(self._sock)
        self._pause = self._loop.call_later(_PAUSE_SECONDS, self._watch)
        self._refused(Refusal("", None, "can't accept", f"can't accept: {no_connection(why)}"))

    def _welcome(self, accepted: socket.socket, peer: tuple[Any, ...]) -> None:
        origin = origin_of(peer)
        in_the_way = self._crowd.half_open.in_the_way(origin)
        if in_the_way is not None:
            self._crowd_out(in_the_way)
        guest = Guest(accepted, origin, self._crowd.half_open)
        peek = Peek(guest, self._limits.peek_seconds, partial(self._decided, guest))
        self._half_open[guest] = _HalfOpen(Arrival(None, None, str(peer[0]), int(peer[1])), peek)
        peek.start()

    def _crowd_out(self, guest: Guest) -> None:
        if guest in self._half_open:
            self._refuse(self._half_open[guest].arrival, CROWDED_OUT)
        self._drop(guest)

    def _drop(self, guest: Guest) -> None:
        """Cut off somebody half-open."""
        guest.leave()
        one = self._half_open.pop(guest, None)
        if one is None:
            return  # it was refused, and the loop is about to close it
        if one.work is None:
            one.peek.stop()
            guest.close()
        else:
            # Not at once: a task that has not begun would not close what it was given.
            self._loop.call_soon(one.work.cancel)

    def _decided(self, guest: Guest, outcome: Outcome) -> None:
        arrival = self._half_open[guest].arrival
        match outcome:
            case ServerName(name):
                self._begin(guest, arrival, name)
            case NotTls(Why.PLAIN_HTTP):
                self._refuse(arrival, PLAIN_HTTP)
                self._start(guest, say_tls(guest))
            case NotTls(why):
                self._turn_away(guest, replace(NOT_TLS, words=f"it sent {why}"))
            case Left():
                self._turn_away(
                    guest, Reason(outcome.name.lower(), outcome, SLOW_CURE, Side.NOBODY)
                )

    def _turn_away(self, guest: Guest, reason: Reason) -> None:
        one = self._half_open.pop(guest)
        guest.close()
        self._refuse(one.arrival, reason)

    def _begin(self, guest: Guest, newcomer: Arrival, asked: str | None) -> None:
        name, context = _face(self._faces(), asked)
        arrival = Arrival(name, asked, newcomer.address, newcomer.port)
        self._half_open[guest].arrival = arrival
        if context is None:
            self._turn_away(guest, NO_FACE)
            return
        self._start(guest, self._shake_hands(guest, arrival, context))

    def _start(self, guest: Guest, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._half_open[guest].work = task
        task.add_done_callback(lambda _: self._half_open.pop(guest, None))

    async def _shake_hands(self, guest: Guest, arrival: Arrival, context: ssl.SSLContext) -> None:
        try:
            protocol = self._protocol(arrival)
        except BaseException:
            guest.close()
            raise  # a fault of ours: the loop's exception handler is told
        admit = partial(self._admit, guest, context)
        reason = await shake_hands(guest, protocol, context, self._limits.handshake_seconds, admit)
        if reason is UNKNOWN_TO_US and not isinstance(context, PoolContext):
            reason = CLIENT_UNKNOWN
        elif reason is REFUSED_US and arrival.name is None:
            reason = CLIENT_REFUSED
        if reason is not None:
            self._refuse(arrival, reason)

    def _admit(self, guest: Guest, context: ssl.SSLContext, shown: bytes | None) -> Reason | None:
        """Give a place to who has shaken hands; why not, if there is none for it."""
        group = self._crowd.strangers
        if isinstance(context, PoolContext):
            # OpenSSL has built a chain to an accepted certificate.  We ask for that very one.
            if shown not in context.accepted:
                return UNKNOWN_TO_US
            group = self._crowd.members
        return None if guest.settled(group) else TOO_MANY

    def _refuse(self, arrival: Arrival, reason: Reason) -> None:
        asked = f" under the name {arrival.asked!r}" if arrival.asked else ""
        words = f"refused a connection from {arrival.address}{asked}: {reason.words}"
        self._refused(
            Refusal(
                address=arrival.address,
                name=arrival.name,
                reason=reason.code,
                words=words,
                expected=_EXPECTED[arrival.name],
                cure=reason.remedy,
                why=reason.words,
                by=reason.by,
            )
        )


@dataclass(slots=True)
class _HalfOpen:
    """Somebody whose handshake is not over: what waits for its ClientHello, then what serves it."""

    arrival: Arrival
    peek: Peek
    work: asyncio.Task[None] | None = None


def _face(faces: Faces, asked: str | None) -> tuple[str | None, ssl.SSLContext | None]:
    if asked in POOL_NAMES:
        return POOL_NAME, faces.pool
    if asked == JOIN_NAME:
        return JOIN_NAME, faces.join
    return None, faces.server


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by what is accepted: an answer is one write, which must not wait for an ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock
