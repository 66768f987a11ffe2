"""HTTP: which path speaks which wire, bounded in size and time.  What calls do is the api floor's.

aiohttp's low-level server parses; every answer leaves in one write.  See guard.py for who does not
keep up, complaints.py for who does not speak HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from pooltrust.api.context import Context
from pooltrust.api.dispatch import ASK_THUMBPRINT, dispatch
from pooltrust.api.openrpc import openrpc
from pooltrust.api.sessions import Origin
from pooltrust.api.wire.jsonrpc import JSON
from pooltrust.api.wire.message import LONGEST_BODY, MalformedRequest, Wire
from pooltrust.api.wire.xmlrpc import XML
from pooltrust.host.serving import guard
from pooltrust.host.serving.complaints import LONGEST_LINE, MOST_HEADERS, Complaints, Server
from pooltrust.host.serving.door import Door
from pooltrust.host.serving.guard import Guard, Identify, Late
from pooltrust.host.serving.pages import PAGES, Asked, page
from pooltrust.host.serving.thin.command_line import START, CommandLine
from pooltrust.host.serving.thin.offers import FOLDER
from pooltrust.host.telling.conversations import Conversation, Outcome, Tell, Way, unheard
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.revocation import revoked
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.reasons import taken_back

KEEPALIVE_SECONDS = 300.0

COMMON = {
    "Cache-Control": "no-cache, no-store",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Requested-With",
}
OPENRPC = "/openrpc.json"
WIRES: Mapping[str, Wire] = {"/jsonrpc": JSON}

TOO_LARGE = f"The request is larger than {LONGEST_BODY // 1024} KiB."
LANDING = (
    "This is a pooltrust host.  API clients speak XML-RPC to / and JSON-RPC to /jsonrpc here.\n"
    f"What can be called is described at {OPENRPC} (OpenRPC).\n"
)


class Web:
    """Makes the protocol of each HTTP connection."""

    def __init__(self, context: Context, journal: Journal) -> None:
        self._context = context
        self._journal = journal
        self.served: Callable[[], object] = lambda: None
        """The context for new connections from clients."""
        self.revocations: Callable[[], Collection[bytes]] = tuple
        """The lists (DER) that client certificates are looked up in."""
        self.authorities: Callable[[], Collection[Certificate]] = tuple
        """Who may have signed them beside those in a client's chain, which ends with the first of
        these that it meets."""
        self.observe: Tell = unheard
        self.shown: Callable[[], str] = str
        """The thumbprint of what clients are shown."""
        self._guards: dict[asyncio.BaseProtocol, Guard] = {}
        self._doors: set[Door] = set()
        self._command_line = CommandLine(context, journal)
        self._server = Server(
            self._handle,
            request_factory=_request,
            access_log=None,
            logger=Complaints.logger(journal),
            tcp_keepalive=False,
            keepalive_timeout=KEEPALIVE_SECONDS,
            auto_decompress=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
        )

    def remote(self, address: str) -> asyncio.Protocol:
        """The protocol of one TLS connection from this address."""
        door = self._door(partial(self._remote_origin, address), address)
        self._doors.add(door)
        door.gone = self._doors.discard
        return door

    def _remote_origin(self, address: str, transport: asyncio.BaseTransport) -> Origin:
        """Who is at the other end; whose certificate was revoked is a client without one."""
        chain = guard.client_chain(self.served, transport)
        version = guard.tls_version(transport)
        came = Conversation(
            kind=Kind.CERTIFIED if chain else Kind.API_CLIENT,
            way=Way.ANSWERED,
            peer=address,
            outcome=Outcome.VERIFIED if chain else Outcome.UNVERIFIED,
            address=address,
            says=chain[0].subject if chain else "",
            met=str(chain[0].thumbprint) if chain else "",
            shown=self.shown(),
            tls_version=version,
        )
        if not chain:
            self.observe(came)
            return Origin(address, tls_version=version)
        if gone := revoked(chain, self.authorities(), self.revocations()):
            why = taken_back(gone)
            self._journal.damped(
                "client-certificate-refused", peer=address, reason=why.code, words=why.words
            )
            self.observe(
                replace(came, outcome=Outcome.REFUSED, reason=why.words, cure=why.remedy, by=why.by)
            )
            return Origin(address, tls_version=version)
        self.observe(came)
        return guard.certified_origin(address, chain[0], version)

    def local(self) -> asyncio.Protocol:
        """The protocol of one connection to the Unix socket; its peer says who it is."""
        return self._door(guard.local_origin, "the Unix socket")

    def _door(self, identify: Identify, where: str) -> Door:
        late = partial(self._late, where)
        return Door(
            START,
            lambda: self._command_line.protocol(identify),
            lambda: Guard(self._server(), identify, self._guards, late),
            seconds=guard.REQUEST_SECONDS,
            late=partial(late, Late.REQUEST),
        )

    def end_remote(self) -> None:
        """Disconnect every client over TLS, each after the answer that it waits for: they met a
        server identity that is no longer this host's."""
        for door in list(self._doors):
            door.end()
        for one in list(self._guards.values()):
            if one.origin is not None and not one.origin.local:
                one.end()
        self._command_line.end(lambda origin: not origin.local)

    def end_certified(self) -> None:
        """The same for those that came with a client certificate: what was verified in their
        handshakes is not what is believed now.  Who has said nothing yet may be one of them."""
        for door in list(self._doors):
            door.end()
        for one in list(self._guards.values()):
            if one.origin is not None and one.origin.names:
                one.end()
        self._command_line.end(lambda origin: bool(origin.names))

    async def close(self) -> None:
        """Close every connection, giving running requests two seconds (aiohttp waits twice)."""
        await self._command_line.close()
        await self._server.shutdown(1.0)

    def _late(self, address: str, why: Late) -> None:
        if why is Late.REQUEST:
            expected = f"a whole request within {guard.REQUEST_SECONDS:g} s"
            met = f"less than one from {address}"
            cure = "Look for what sends so slowly there; several at once are an attack."
        else:
            expected = (
                f"an answer that is read, {guard.SLOWEST} bytes in {guard.ANSWER_SECONDS:g} s"
            )
            met = f"less from {address}"
            cure = "Look for what asks there and does not read; several at once are an attack."
        self._journal.damped(
            "request-cut-off", peer=address, reason=why.value, expected=expected, met=met, cure=cure
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        before = self._guards[request.protocol]
        before.began()
        if (request.content_length or 0) > LONGEST_BODY:
            return _page(500, "Internal error", TOO_LARGE)
        try:
            if request.headers.get("Expect", "").lower() == "100-continue":
                await _let_go_on(request)
            body = await request.read()
        except ConnectionError:
            raise asyncio.CancelledError from None  # it left half-way: nobody is there to answer
        except web.HTTPRequestEntityTooLarge:
            return _page(500, "Internal error", TOO_LARGE)
        before.took()
        try:
            answer = await self._answer(request, body, before.origin)
            if before.ending:
                answer.force_close()
            return answer
        finally:
            before.answered()

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
            case "GET" | "HEAD" if request.path == OPENRPC:
                headers = {**COMMON, "Content-Type": JSON.content_type}
                return web.Response(body=openrpc(), headers=headers)
            case "GET" if request.path.startswith(FOLDER):
                return self._file(request.path)
            case "GET" | "HEAD" if request.path in PAGES:
                return await self._authenticated(request, origin)
            case "GET" | "HEAD":
                return _page(404, "Not found", "There is nothing at this path.")
        return _page(501, "Not implemented", "This method is not served here.")

    def _file(self, path: str) -> web.Response:
        """What a command has for its client; no other site's script may read it."""
        data = self._command_line.offers.take(path)
        if data is None:
            return _page(404, "Not found", "There is nothing at this path any more.")
        headers = {"Cache-Control": COMMON["Cache-Control"]}
        return web.Response(body=data, headers=headers, content_type="application/octet-stream")

    async def _authenticated(self, request: web.BaseRequest, origin: Origin) -> web.Response:
        """A page for whoever may see it; no other site's script may read it."""
        session = request.query.get("session_id") or request.cookies.get("session_id", "")
        given = request.headers.get("Authorization", "")
        asked = Asked(request.path, request.path_qs, session, given)
        found = await page(self._context, asked, origin)
        headers = {"Cache-Control": COMMON["Cache-Control"], **found.headers}
        if found.status != 200:
            return web.Response(status=found.status, text=found.text, headers=headers)
        return web.Response(
            body=found.text.encode(), headers={**headers, "Content-Type": JSON.content_type}
        )

    async def _call(
        self, request: web.BaseRequest, body: bytes, origin: Origin
    ) -> web.StreamResponse:
        path, _, _ = request.raw_path.partition("?")
        wire = WIRES.get(path, XML)
        asked = request.headers.get(ASK_THUMBPRINT, "")
        try:
            answer = await dispatch(self._context, wire, body, origin, asked)
        except MalformedRequest as why:
            return _page(500, "Internal error", str(why))
        headers = {**COMMON, "Content-Type": answer.content_type, **answer.headers}
        return web.Response(body=answer.body, headers=headers)


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


async def _let_go_on(request: web.BaseRequest) -> None:
    """Answer a client that sends its body only when it is told to (RFC 9110, 10.1.1)."""
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # so far nothing of the answer is written


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
