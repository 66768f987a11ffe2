"""Who stands around a first meeting: a tapped wire, a man in the middle, a joiner by hand."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daemons import Host
from pooltrust.errors import Failure
from pooltrust.host.meeting.facts import facts_content
from pooltrust.host.peers import wire
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.pool.join import Facts
from pooltrust.terms import JOIN_NAME, PoolId, Thumbprint, host_id
from pooltrust.tls.answer import Arrival, Faces, Listener
from pooltrust.tls.contexts import join_context
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import Frames, frames_protocol, open_frames
from pooltrust.trust.expect import Pinned
from pooltrust.trust.transcript import code_proof, statement, transcript

BETWEEN = "127.0.7.9"
ELSEWHERE = "127.0.7.8"


class Wire:
    """A TCP proxy that keeps every byte, and can cut the line after the n-th TLS record.

    `cut` is ("up" or "down", n), counted over all connections; up is towards the coordinator.  From
    then on it is `barred`: nothing gets through until that is taken back.  With `again` each
    connection is counted and cut by itself, and nothing is barred.
    """

    def __init__(
        self, to: Host, cut: tuple[str, int] | None = None, *, again: bool = False
    ) -> None:
        self._again = again
        self.kept = {"up": bytearray(), "down": bytearray()}
        self.records = {"up": 0, "down": 0}
        self.barred = False
        self._to = to.config.address, to.config.port
        self._cut = cut
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._begin, BETWEEN, self._to[1])
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connected(reader, writer))
        self._tasks.add(task)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.barred:
                await self._carry(reader, writer)
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._again:
            self.records = {"up": 0, "down": 0}
        there, here = await asyncio.open_connection(*self._to)
        ends = writer, here
        try:
            await asyncio.gather(
                self._pump("up", reader, here, ends), self._pump("down", there, writer, ends)
            )
        finally:
            here.close()

    async def _pump(
        self,
        way: str,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        ends: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                header = await source.readexactly(5)
                record = header + await source.readexactly(int.from_bytes(header[3:]))
                self.kept[way] += record
                self.records[way] += 1
                if self.barred:
                    break
                sink.write(record)
                await sink.drain()
                if self._cut == (way, self.records[way]):
                    self.barred = not self._again
                    break
        for end in ends:
            end.close()


class Middle:
    """A man in the middle: ends TLS with a certificate of his own and relays every frame.

    With `active` he plays each side's part towards the other and signs it with his own keys; only
    what needs the secret is relayed.  Without `signs` he leaves the coordinator's signature as it
    was.  `heard` is every frame that either side said, as JSON.
    """

    def __init__(self, folder: Path, to: Host, *, active: bool = False, signs: bool = True) -> None:
        self._signs = signs
        self.heard: list[bytes] = []
        self.identity = mint_pool_identity(to.me, datetime.now(UTC))
        folder.mkdir(exist_ok=True)
        self.path = folder / "middle.pem"
        self.path.write_bytes(self.identity.pem())
        self._to = to
        self._active = active
        self._told: dict[str, wire.Frame] = {}

    @property
    def thumbprint(self) -> Thumbprint:
        return self.identity.certificate.thumbprint

    def overheard(self, said: bytes) -> bool:
        return any(said in frame for frame in self.heard)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Middle]:
        async with answering(self.path, lambda a: frames_protocol(self._relay, a), self._to):
            yield self

    async def _relay(self, frames: Frames, _der: bytes | None, _arrival: Arrival) -> None:
        real = self._to.daemon.belief.identities.pool.identity.certificate
        connection = await dial(
            self._to.config.address,
            self._to.config.port,
            expect=Pinned(real.thumbprint),
            name=JOIN_NAME,
            source=BETWEEN,
        )
        beyond = open_frames(connection)
        try:
            while True:
                asked = await frames.receive(5)
                self.heard.append(json.dumps(asked).encode())
                await beyond.send(self._altered(asked, real.der) if self._active else asked)
                answer = await beyond.receive(5)
                self.heard.append(json.dumps(answer).encode())
                await frames.send(self._answered(asked, answer) if self._active else answer)
        except Failure:
            frames.abort()
        finally:
            await connection.close()

    def _altered(self, asked: wire.Frame, real: bytes) -> wire.Frame:
        self._told[asked["call"]] = asked
        if asked["call"] != "introduce":
            return asked
        joiner = mint_pool_identity(host_id(asked["facts"]["host"]), datetime.now(UTC))
        agreed = self._agreed(real, joiner.certificate.der)
        return {
            **asked,
            "certificate": wire.b64(joiner.certificate.der),
            "signature": wire.b64(joiner.sign(statement("joiner", agreed))),
        }

    def _answered(self, asked: wire.Frame, answer: wire.Frame) -> wire.Frame:
        self._told["answer to " + asked["call"]] = answer
        if asked["call"] != "introduce" or "refused" in answer or not self._signs:
            return answer
        agreed = self._agreed(self.identity.certificate.der, wire.raw(asked, "certificate"))
        signature = self.identity.sign(statement("coordinator", agreed))
        return {**answer, "signature": wire.b64(signature)}

    def _agreed(self, coordinator: bytes, joiner: bytes) -> bytes:
        answer = self._told["answer to meet"]
        return transcript(
            pool=answer["facts"]["pool"],
            coordinator_certificate=coordinator,
            joiner_certificate=joiner,
            joiner_server=wire.raw(self._told["introduce"], "server"),
            coordinator_nonce=wire.nonce(answer),
            joiner_nonce=wire.nonce(self._told["meet"]),
        )


@asynccontextmanager
async def answering(
    path: Path, protocol: Callable[[Arrival], asyncio.BaseProtocol], instead_of: Host
) -> AsyncIterator[None]:
    """Somebody answers every name on `BETWEEN` with this identity."""
    context = join_context(path)
    listener = await Listener.open(
        BETWEEN,
        instead_of.config.port,
        lambda: Faces(context, context, context),
        protocol,
        refused=lambda _: None,
    )
    try:
        yield
    finally:
        await listener.close()


@dataclass
class Stranger:
    """A joiner by hand: says whatever a test makes it say, on one connection."""

    frames: Frames
    coordinator: bytes
    facts: Facts
    identity: Identity
    server: Identity
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    agreed: bytes = b""
    pool: str = ""
    theirs: bytes = b""

    async def ask(self, call: str, **fields: Any) -> wire.Frame:
        await self.frames.send({"call": call, **fields})
        return await self.frames.receive(5)

    async def meet(self, **way: Any) -> wire.Frame:
        answer = await self.ask("meet", nonce=wire.b64(self.nonce), **way)
        if "refused" not in answer:
            self.pool, self.theirs = answer["facts"]["pool"], wire.nonce(answer)
            self.agree()
        return answer

    def agree(self) -> None:
        """Work out the transcript with what there is."""
        self.agreed = transcript(
            pool=PoolId(self.pool),
            coordinator_certificate=self.coordinator,
            joiner_certificate=self.identity.certificate.der,
            joiner_server=self.server.certificate.der,
            coordinator_nonce=self.theirs,
            joiner_nonce=self.nonce,
        )

    async def introduce(self, **more: Any) -> wire.Frame:
        fields = {
            "facts": facts_content(self.facts),
            "certificate": wire.b64(self.identity.certificate.der),
            "server": wire.b64(self.server.certificate.der),
            "signature": wire.b64(self.identity.sign(statement("joiner", self.agreed))),
        }
        return await self.ask("introduce", **(fields | more))

    async def prove(self, secret: bytes) -> wire.Frame:
        proof = code_proof(secret, "joiner", self.agreed)
        return await self.ask("prove", proof=wire.b64(proof))

    def called(self, **facts: Any) -> Stranger:
        """The same with other facts."""
        self.facts = replace(self.facts, **facts)
        return self


@asynccontextmanager
async def stranger(to: Host, source: str = ELSEWHERE) -> AsyncIterator[Stranger]:
    """Connect to this coordinator as a joiner by hand."""
    real = to.daemon.belief.identities.pool.identity.certificate
    address, port = to.config.address, to.config.port
    connection = await dial(
        address, port, expect=Pinned(real.thumbprint), name=JOIN_NAME, source=source
    )
    me = host_id(str(uuid.uuid4()))
    now = datetime.now(UTC)
    facts = Facts(
        host=me,
        name="stranger",
        address=source,
        port=port,
        pool=PoolId("0" * 64),
        verification=to.roster.verification,
        members=1,
        coordinator=me,
        coordinator_address=source,
        kinds=tuple(sorted(to.roster.members[to.me].kinds)),
    )
    identity = mint_pool_identity(me, now)
    server = mint_server_identity(["stranger"], [source], now, kind=KeyKind.P256)
    try:
        yield Stranger(open_frames(connection), real.der, facts, identity, server)
    finally:
        await connection.close()
