"""What stands before each HTTP connection: who it is, and that it keeps up.

A request that has begun comes whole and in time, and an answer is read in time; whoever does not
keep up is cut off.  What requests say is not known here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, MutableMapping
from enum import Enum
from typing import TypeAlias, cast

from pooltrust.api.sessions import Origin
from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.tls.handshake import verified_chain

REQUEST_SECONDS = 20.0

ANSWER_SECONDS = 20.0
SLOWEST = 64 * 1024
"""Bytes of an answer that are read in `ANSWER_SECONDS`, at least."""


Identify: TypeAlias = Callable[[asyncio.BaseTransport], Origin | None]


class Late(Enum):
    """What did not come in time: a whole request, or its answer away."""

    REQUEST = "late"
    ANSWER = "answer not read"


class Guard(asyncio.Protocol):
    """Stands before one HTTP connection.

    `identify` says of a connection who is at its other end; None is a stranger.  While it lives it
    is found in `guards` by the protocol that it stands before.  `late` is told why when it cuts the
    connection off.
    """

    def __init__(
        self,
        inner: asyncio.Protocol,
        identify: Identify,
        guards: MutableMapping[asyncio.BaseProtocol, Guard],
        late: Callable[[Late], None],
    ) -> None:
        self.origin: Origin | None = None
        self._identify = identify
        self._say_late = late
        self._guards = guards
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._busy = False
        self._more = False
        self._ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on."""
        self._transport = cast(asyncio.Transport, transport)
        self.origin = self._identify(transport)
        self._guards[self._inner] = self
        self._inner.connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Hand data on; a request begins with it."""
        if self._busy:
            self._more = True
        elif self._late is None:
            self._wait()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Hand it on; what is unsent has to get less."""
        self._watch_sending()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        self._stop_watching()
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand it on."""
        self._stop()
        self._stop_watching()
        self._guards.pop(self._inner, None)
        self._inner.connection_lost(exc)

    def began(self) -> None:
        """The head of a request has come, maybe together with the one before."""
        if self._late is None:
            self._wait()

    def took(self) -> None:
        """A request has come whole."""
        self._stop()
        self._busy = True
        self._more = False

    def answered(self) -> None:
        """Its answer is made; the next request may have begun meanwhile."""
        self._busy = False
        if self._more and self._late is None:
            self._wait()

    @property
    def ending(self) -> bool:
        """Whether the answer that is being made is the last one."""
        return self._ending

    def end(self) -> None:
        """Close it, after the answer that is being made."""
        self._ending = True
        if not self._busy and self._transport is not None:
            self._transport.close()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(REQUEST_SECONDS, self._cut, Late.REQUEST)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _watch_sending(self) -> None:
        assert self._transport is not None
        unsent = self._transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._stuck = loop.call_later(ANSWER_SECONDS, self._look_at_sending, unsent)

    def _look_at_sending(self, before: int) -> None:
        assert self._transport is not None
        if before - self._transport.get_write_buffer_size() < SLOWEST:
            self._cut(Late.ANSWER)
        else:
            self._watch_sending()

    def _stop_watching(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _cut(self, why: Late) -> None:
        self._say_late(why)
        if self._transport is not None:
            self._transport.abort()


def client_chain(
    served: Callable[[], object], transport: asyncio.BaseTransport
) -> list[Certificate]:
    """The verified chain of the client at the other end, the leaf first; empty if it shows none.

    `served` gives the context for new connections: a handshake that began before it was believed
    other authorities.
    """
    tls = transport.get_extra_info("ssl_object")
    if not tls or not tls.getpeercert(True) or tls.context is not served():
        return []
    try:
        return [read(der) for der in verified_chain(tls)]
    except BadCertificate:
        return []


def tls_version(transport: asyncio.BaseTransport) -> str:
    """``TLSv1.3``, or empty where there is none."""
    tls = transport.get_extra_info("ssl_object")
    return str(tls.version()) if tls else ""


def certified_origin(address: str, certificate: Certificate, version: str) -> Origin:
    """A client at this address that has come with this certificate, by the names in it.

    Its common name counts only if it has no DNS name (RFC 6125 6.4.4).
    """
    names = certificate.names or (certificate.common_name,)
    known = frozenset(name.lower() for name in names if name)
    return Origin(address, names=known, tls_version=version)


def local_origin(transport: asyncio.BaseTransport) -> Origin | None:
    """Who is at the other end of a Unix socket: root or the daemon's own user, or nobody we serve.

    Source: unix(7), SO_PEERCRED.
    """
    sock: socket.socket = transport.get_extra_info("socket")
    packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", packed)
    return Origin("", local=True) if uid in (0, os.geteuid()) else None
