"""HTTP: which path speaks which wire, bounded in size and time.  What calls do is the api floor's.

aiohttp's low-level server parses; every answer leaves in one write.  A guard in front of each
connection cuts off who begins a request and does not end it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, cast

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from pooltrust.api.context import Context
from pooltrust.api.dispatch import ASK_THUMBPRINT, dispatch
from pooltrust.api.sessions import Origin
from pooltrust.api.wire.jsonrpc import JSON
from pooltrust.api.wire.message import LONGEST_BODY, MalformedRequest, Wire
from pooltrust.api.wire.xmlrpc import XML
from pooltrust.host.telling.journal import Journal

REQUEST_SECONDS = 20.0
KEEPALIVE_SECONDS = 300.0

COMMON = {
    "Cache-Control": "no-cache, no-store",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Requested-With",
}
WIRES: Mapping[str, Wire] = {"/jsonrpc": JSON}

LANDING = (
    "This is a pooltrust host.  API clients speak XML-RPC to / and JSON-RPC to /jsonrpc here.\n"
)


class Web:
    """Makes the protocol of each HTTP connection."""

    def __init__(self, context: Context, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self._guards: dict[asyncio.BaseProtocol, Guard] = {}
        self._server = web.Server(
            self._handle,
            request_factory=_request,
            access_log=None,
            keepalive_timeout=KEEPALIVE_SECONDS,
            auto_decompress=False,
            max_line_size=4096,
            max_field_size=4096,
        )

    def remote(self, address: str) -> asyncio.Protocol:
        """The protocol of one TLS connection from this address."""
        return Guard(self._server(), Origin(address), self._guards, partial(self._late, address))

    def local(self) -> asyncio.Protocol:
        """The protocol of one connection to the Unix socket; its peer says who it is."""
        return Guard(self._server(), None, self._guards, partial(self._late, "the Unix socket"))

    async def close(self) -> None:
        """Close every connection, giving running requests two seconds."""
        await self._server.shutdown(2.0)

    def _late(self, address: str) -> None:
        self._journal.damped(
            "request-cut-off",
            peer=address,
            reason="late",
            expected=f"a whole request within {REQUEST_SECONDS:g} s",
            met=f"less than one from {address}",
            cure="Look for what sends so slowly there; several at once are an attack.",
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        guard = self._guards[request.protocol]
        guard.began()
        try:
            body = await request.read()
        except ConnectionError:
            raise asyncio.CancelledError from None  # it left half-way: nobody is there to answer
        except web.HTTPRequestEntityTooLarge:
            return _page(500, "Internal error", "The request is larger than 300 KiB.")
        guard.took()
        try:
            return await self._answer(request, body, guard.origin)
        finally:
            guard.answered()

    async def _answer(
        self, request: web.BaseRequest, body: bytes, origin: Origin | None
    ) -> web.StreamResponse:
        if origin is None:
            return _page(403, "Forbidden", "This socket is for root and the daemon's own user.")
        match request.method:
            case "POST":
                return await self._call(request, body, origin)
            case "OPTIONS":
                return _preflight(request)
            case "GET" | "HEAD" if request.path == "/":
                return web.Response(text=LANDING, headers=COMMON)
            case "GET" | "HEAD":
                return _page(404, "Not found", "There is nothing at this path.")
        return _page(501, "Not implemented", "This method is not served here.")

    async def _call(
        self, request: web.BaseRequest, body: bytes, origin: Origin
    ) -> web.StreamResponse:
        wire = WIRES.get(request.path, XML)
        asked = request.headers.get(ASK_THUMBPRINT, "")
        try:
            answer = await dispatch(self._context, wire, body, origin, asked)
        except MalformedRequest as why:
            return _page(500, "Internal error", str(why))
        headers = {**COMMON, "Content-Type": answer.content_type, **answer.headers}
        return web.Response(body=answer.body, headers=headers)


class Guard(asyncio.Protocol):
    """Stands before one HTTP connection: who it is, and that each request comes whole and in time.

    `origin` None: a Unix socket, whose peer's credentials say who it is (None for a stranger).
    While it lives it is found in `guards` by the protocol that it stands before.  `late` is called
    when it cuts the connection off.
    """

    def __init__(
        self,
        inner: asyncio.Protocol,
        origin: Origin | None,
        guards: MutableMapping[asyncio.BaseProtocol, Guard],
        late: Callable[[], None],
    ) -> None:
        self.origin = origin
        self._say_late = late
        self._guards = guards
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on."""
        self._transport = cast(asyncio.Transport, transport)
        if self.origin is None:
            self.origin = local_origin(transport.get_extra_info("socket"))
        self._guards[self._inner] = self
        self._inner.connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Hand data on; a request begins with it."""
        if self._late is None and not self._busy:
            self._wait()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Hand it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand it on."""
        self._stop()
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

    def answered(self) -> None:
        """Its answer is made."""
        self._busy = False

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(REQUEST_SECONDS, self._cut)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _cut(self) -> None:
        self._say_late()
        if self._transport is not None:
            self._transport.abort()


def local_origin(sock: socket.socket) -> Origin | None:
    """Who is at the other end of a Unix socket: root or the daemon's own user, or nobody we serve.

    Source: unix(7), SO_PEERCRED.
    """
    packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", packed)
    return Origin("", local=True) if uid in (0, os.geteuid()) else None


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: Any,
    writer: Any,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=LONGEST_BODY
    )


def _preflight(request: web.BaseRequest) -> web.Response:
    asked = request.headers.get("Access-Control-Request-Headers", "")
    allowed = ", ".join(part for part in (asked, "X-Requested-With") if part)
    headers = {"Access-Control-Allow-Headers": allowed, "Access-Control-Allow-Methods": "PUT"}
    return web.Response(headers={**COMMON, **headers})


def _page(status: int, title: str, words: str) -> web.Response:
    text = f"<html><body><h1>HTTP {status} {title}</h1>{words}</body></html>"
    response = web.Response(status=status, text=text, content_type="text/html", headers=COMMON)
    response.force_close()
    return response
