"""The answering side's handshake, and saying why: a refused one still sends its alert.

asyncio and uvloop drop the alert that OpenSSL has written when a handshake fails, so the peer would
see a bare end of file.  A context's documented `sslobject_class` lets us hold the failure back: the
loop flushes what is to be sent, and we close when the peer has, or after `FAREWELL_SECONDS`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeAlias, cast

from pooltrust.tls.peek import Guest
from pooltrust.tls.reasons import Reason, handshake_failed

FAREWELL_SECONDS = 1.0
SHUTDOWN_SECONDS = 2.0

_MOST_READS = 4  # of at most 256 KiB each: what a refused peer can still make us hold
_MOST_HTTP = 64 * 1024

_OF_TLS = "Fatal error on SSL protocol"
_CLOSED = "unable to perform operation on <TCPTransport closed=True"
_SAY_TLS = b"This port speaks TLS: use https instead of http.\n"
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_SAY_TLS), _SAY_TLS)
)

Admit: TypeAlias = Callable[[bytes | None], Reason | None]
"""Asked when OpenSSL is content, with the certificate shown (DER): why it is refused, or None."""

_watching: ContextVar[Watch | None] = ContextVar("_watching", default=None)


def is_of_a_cut_line(context: Mapping[str, Any]) -> bool:
    """Whether what an exception handler was given only says that a peer cut its line.

    uvloop's TLS then meets its own closed transport and calls that fatal, as if it were a fault.
    The connection is over, and whoever waits for it has heard so.
    """
    why = context.get("exception")
    if not isinstance(why, RuntimeError) or not str(context.get("message")).startswith(_OF_TLS):
        return False
    return str(why).startswith(_CLOSED)


def complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for the loop: as its own, but for lines that were cut."""
    if not is_of_a_cut_line(context):
        loop.default_exception_handler(context)


def verified_chain(tls: Any) -> list[bytes]:
    """The chain (DER) that OpenSSL has built for the other side, the leaf first, anchor included.

    `tls` is the connection's ``ssl_object``.  Python gives it a public name from 3.13 on.
    """
    if hasattr(tls, "get_verified_chain"):
        return list(tls.get_verified_chain())
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in _inner_chain(tls)]


def presented_chain(tls: Any) -> list[bytes]:
    """What the other side has shown (DER), the leaf first; nobody has verified any of it.

    `tls` as above; here too Python gives a public name from 3.13 on.
    """
    if hasattr(tls, "get_unverified_chain"):
        return list(tls.get_unverified_chain())
    shown = tls._sslobj.get_unverified_chain() or ()
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in shown]


def _inner_chain(tls: Any) -> Sequence[Any]:
    return tls._sslobj.get_verified_chain() or ()


async def shake_hands(
    guest: Guest,
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    seconds: float,
    admit: Admit,
) -> Reason | None:
    """Start TLS on an accepted socket, `seconds` at most; why not, if it was refused.

    `protocol` hears of nobody whom `admit` refuses.  It has a task to itself.  Raises nothing of
    the peer's making.
    """
    watch = Watch(admit)
    loop = asyncio.get_running_loop()
    try:
        await loop.connect_accepted_socket(
            lambda: protocol,
            guest,
            ssl=context,
            ssl_handshake_timeout=seconds,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
    except asyncio.CancelledError:
        if watch.refused is None:
            raise
    except OSError as why:
        return watch.reason or handshake_failed(watch.refused or why, answering=True)
    finally:
        watch.forget()
    return None if watch.refused is None else handshake_failed(watch.refused, answering=True)


async def say_tls(guest: Guest) -> None:
    """Answer plain HTTP in its own language, and close."""
    closed = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    with suppress(OSError, TimeoutError):
        transport, _ = await loop.connect_accepted_socket(lambda: _SayTls(closed), guest)
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await closed
        finally:
            transport.abort()


class _SayTls(asyncio.Protocol):
    """Reads on after its answer, because closing on unread bytes would discard the answer."""

    def __init__(self, closed: asyncio.Future[None]) -> None:
        self._closed = closed
        self._read = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)  # uvloop's is none by name
        stream.write(_BAD_REQUEST)
        stream.write_eof()

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        if self._read > _MOST_HTTP:
            self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)


class Watch:
    """Remembers why the handshake that this task is about to make was refused.

    `refused` is the error of OpenSSL, or None; `reason` is why it was not admitted after that.
    """

    def __init__(self, admit: Admit) -> None:
        self.refused: ssl.SSLError | None = None
        self.reason: Reason | None = None
        self._admit = admit
        self._task = asyncio.current_task()
        _watching.set(self)

    def note(self, why: ssl.SSLError) -> None:
        """The handshake has failed; the task is cancelled unless the peer closes first."""
        self.refused = why
        if self._task is not None:
            timer = self._task.get_loop().call_later(FAREWELL_SECONDS, self._task.cancel)
            self._task.add_done_callback(lambda _: timer.cancel())

    def admits(self, shown: bytes | None) -> bool:
        """OpenSSL is content; whether we are."""
        self.reason = self._admit(shown)
        return self.reason is None

    def forget(self) -> None:
        """Let the task go: what the connection starts inherits this watch with its context."""
        self._task = None


class Handshake(ssl.SSLObject):
    """The server's side of one connection."""

    _watch: Watch | None
    _reads: int

    def __new__(cls, *_: Any, **__: Any) -> Handshake:
        """Made in the context of the task that awaits the handshake, which is how it is found."""
        made = super().__new__(cls)
        made._watch = _watching.get()
        made._reads = 0
        return made

    def do_handshake(self) -> None:
        """As in ssl.SSLObject; a failure is held back until its alert is on the way."""
        if self._watch is None:
            super().do_handshake()
            return
        if self._watch.refused is not None:
            self._reads += 1
            raise self._watch.refused if self._reads > _MOST_READS else ssl.SSLWantReadError
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as why:
            self._watch.note(why)
            raise ssl.SSLWantReadError from None
        watch, self._watch = self._watch, None  # it is not kept as long as the connection
        if not watch.admits(self.getpeercert(True)):
            raise ssl.SSLError("not admitted")  # the loop drops the connection, and tells nobody
