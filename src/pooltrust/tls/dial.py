"""Dialling: no connection without saying whom it expects.

TLS proves that the other side holds the key of the certificate it shows.  Whether that is the
expected one is decided here, before a byte of ours is sent, so it is always known who was met.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_never, cast

from pooltrust.errors import CannotConnect, CannotVerify, Failure, InternalError
from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.pki.revocation import revoked
from pooltrust.terms import JOIN_NAME, POOL_NAME
from pooltrust.tls.contexts import ClientContexts, ClientKey
from pooltrust.tls.handshake import SHUTDOWN_SECONDS, presented_chain, verified_chain
from pooltrust.tls.reasons import (
    Reason,
    handshake_failed,
    mismatch,
    no_connection,
    outdated,
    taken_back,
)
from pooltrust.trust.expect import Anyone, Expectation, Member, Pinned, Server

DIAL_SECONDS = 10.0
LOOK_SECONDS = 2.0
"""For learning who it is that did not verify."""

_contexts = ClientContexts()


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to whom was expected.  `met` is the certificate that the other side proved."""

    met: Certificate
    tls_version: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    port: int
    expected: Expectation

    def verified(self) -> list[Certificate]:
        """The chain by which a `Server` was believed, its own certificate first, anchor included.

        Raises CannotVerify for one of them that can't be read.
        """
        return _chain(self.writer)

    def presented(self) -> list[Certificate]:
        """What the other side showed beside its own certificate, and nobody has verified."""
        found = []
        for der in presented_chain(self.writer.get_extra_info("ssl_object"))[1:]:
            with suppress(BadCertificate):
                found.append(read(der))
        return found

    async def close(self) -> None:
        """Close it; what was written is still delivered, as far as the peer reads."""
        await close_writer(self.writer)


async def close_writer(writer: asyncio.StreamWriter) -> None:
    """Close a stream, and cut it if the peer does not let it end."""
    writer.close()
    try:
        async with asyncio.timeout(SHUTDOWN_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


async def dial(
    address: str,
    port: int,
    *,
    expect: Expectation,
    name: str | None,
    identity: Path | None = None,
    source: str | None = None,
    deadline: float = DIAL_SECONDS,
    check_dates: bool = False,
) -> Connection:
    """Connect to whom `expect` says, under the TLS server name `name` (None: none is sent).

    `identity`: the PEM file shown when a certificate is asked for.  `source`: the address dialled
    from.  `deadline`: seconds for everything, handshake included; to say who a server was that did
    not verify may take `LOOK_SECONDS` more.  With `check_dates` a pinned certificate that has
    expired, or is not yet valid, is refused too.

    Raises CannotVerify for anybody else, CannotConnect when nobody answered.
    """
    if isinstance(expect, Server) and name not in (None, expect.name):
        raise ValueError(f"{expect} is asked for by that name, not as {name!r}")
    call = _Call(address, port, expect, name, identity, source)
    try:
        async with asyncio.timeout(deadline):
            return await call.answered(deadline, check_dates=check_dates)
    except ssl.SSLCertVerificationError as why:
        # A verdict, whatever a second look meets.
        raise call.refused(handshake_failed(why), await call.look()) from why
    except TimeoutError as why:
        raise call.nobody(f"no answer within {deadline:g} s") from why


@dataclass(frozen=True, slots=True)
class _Call:
    """One dial."""

    address: str
    port: int
    expect: Expectation
    name: str | None
    identity: Path | None
    source: str | None

    async def answered(self, deadline: float, *, check_dates: bool) -> Connection:
        """Raises ssl.SSLCertVerificationError where OpenSSL is the judge, and as dial does."""
        context = await self._context()
        try:
            reader, writer = await self._connect(context, deadline)
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError as why:
            raise self.refused(handshake_failed(why), None) from why
        except OSError as why:
            raise self.nobody(no_connection(why)) from why
        try:
            met = _met(writer)
            self._check(met, writer, check_dates=check_dates)
        except BaseException:
            writer.transport.abort()
            raise
        return Connection(
            met, _version(writer), reader, writer, self.address, self.port, self.expect
        )

    def nobody(self, why: str) -> Failure:
        return CannotConnect(self.address, self.port, expected=str(self.expect), why=why)

    async def _context(self) -> ssl.SSLContext:
        pool = self.name in (POOL_NAME, JOIN_NAME)
        anchors = self.expect.anchors if isinstance(self.expect, Server) else None
        try:
            key = ClientKey.of(self.identity, newest_only=pool, anchors=anchors)
            context = _contexts.get(key)
            if context is None:
                context = await asyncio.to_thread(key.build)
                _contexts.keep(key, context)
        except OSError as why:  # ssl.SSLError is one
            raise InternalError(f"the identity in {self.identity} can't be used") from why
        return context

    async def _connect(
        self, context: ssl.SSLContext, deadline: float
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = self.expect.name if isinstance(self.expect, Server) else self.name
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        stream = _Stream(reader, loop=loop)
        transport, _ = await loop.create_connection(
            lambda: stream,
            self.address,
            self.port,
            ssl=context,
            server_hostname=name or "",
            local_addr=(self.source, 0) if self.source else None,
            ssl_handshake_timeout=deadline,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
        return reader, asyncio.StreamWriter(transport, stream, reader, loop)

    async def look(self) -> Certificate | None:
        """Whom one meets there, only to say so: nothing is sent and nothing is trusted."""
        key = ClientKey.of(None, newest_only=False, anchors=None)
        with suppress(OSError, CannotVerify):
            async with asyncio.timeout(LOOK_SECONDS):
                _, writer = await self._connect(key.build(), LOOK_SECONDS)
            try:
                return _met(writer)
            finally:
                writer.transport.abort()
        return None

    def _check(self, met: Certificate, writer: asyncio.StreamWriter, *, check_dates: bool) -> None:
        match self.expect:
            case Member(accepted=accepted):
                accepts = met.thumbprint in accepted
            case Pinned(thumbprint=thumbprint):
                accepts = met.thumbprint == thumbprint
            case Server(anchors=anchors, revocations=lists):
                # OpenSSL has checked everything else.
                if lists and (gone := revoked(_chain(writer), map(read, anchors), lists)):
                    raise self.refused(taken_back(gone), met, _version(writer))
                return
            case Anyone():
                return
            case _:
                assert_never(self.expect)
        if not accepts:
            raise self.refused(mismatch(self.expect, met), met, _version(writer))
        late = outdated(met, datetime.now(UTC)) if check_dates else None
        if late is not None:
            raise self.refused(late, met, _version(writer))

    def refused(self, why: Reason, met: Certificate | None, version: str = "") -> CannotVerify:
        return CannotVerify(
            why.words,
            expected=str(self.expect),
            met=described(met),
            remedy=why.remedy,
            certificate=met.thumbprint if met else None,
            tls_version=version,
            by=why.by,
        )


def described(met: Certificate | None) -> str:
    """Whom a certificate shows, for messages."""
    return "nobody" if met is None else f"certificate {met.thumbprint} ({met.subject})"


def _version(writer: asyncio.StreamWriter) -> str:
    return str(writer.get_extra_info("ssl_object").version())


def _met(writer: asyncio.StreamWriter) -> Certificate:
    return _readable(writer.get_extra_info("ssl_object").getpeercert(True) or b"")


def _chain(writer: asyncio.StreamWriter) -> list[Certificate]:
    """The chain that OpenSSL has verified, the leaf first, the anchor included."""
    return [_readable(der) for der in verified_chain(writer.get_extra_info("ssl_object"))]


def _readable(der: bytes) -> Certificate:
    try:
        return read(der)
    except BadCertificate as why:
        raise CannotVerify(
            "its certificate can't be read", met="somebody", remedy="Look at the other side's log."
        ) from why


class _Stream(asyncio.StreamReaderProtocol):
    """As `asyncio.open_connection` has it, but quiet about a connection that nobody waits for.

    Its error, of a dial that was given up, would be logged if garbage is collected in an unlucky
    order.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        closed: asyncio.Future[None] = cast(Any, self)._closed
        if closed.done() and not closed.cancelled():
            closed.exception()
