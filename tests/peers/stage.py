"""Members by hand: they hold a real member's keys and say whatever a test makes them say."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from daemons import Host
from pooltrust.host.belief import Belief
from pooltrust.host.folder import Start
from pooltrust.host.opening import load
from pooltrust.host.peers import wire
from pooltrust.host.peers.greeting import own_head
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import POOL_NAME, HostId
from pooltrust.tls.answer import Arrival, Faces, Listener
from pooltrust.tls.contexts import join_context
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import Frames, frames_protocol, open_frames
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.expect import Expectation, Pinned


@dataclass
class Puppet:
    """A member whose daemon does not run, moved by hand."""

    host: Host
    belief: Belief

    @classmethod
    async def of(cls, host: Host) -> Puppet:
        """Read what this host, which does not run, believes."""
        journal = Journal(logging.Logger(host.config.name))
        return cls(host, await load(host.folder, host.config, Start("0" * 32, 1), journal))

    @property
    def me(self) -> HostId:
        return self.belief.me

    @asynccontextmanager
    async def dial(
        self,
        to: Host,
        name: str | None = POOL_NAME,
        expect: Expectation | None = None,
        identity: Path | None = None,
    ) -> AsyncIterator[Frames]:
        """Connect to this host under a name."""
        connection = await dial(
            to.config.address,
            to.config.port,
            expect=expect or self.belief.roster.expect(to.me),
            name=name,
            identity=identity or self.belief.identities.pool.path,
            source=self.host.config.address,
        )
        try:
            yield open_frames(connection)
        finally:
            await connection.close()

    async def hello(self, frames: Frames, to: HostId, **changes: Any) -> wire.Frame:
        """Say a hello, with these changes, and return the answer."""
        nonce = wire.b64(secrets.token_bytes(32))
        usual = {
            "hello": 1,
            "pool": self.belief.roster.pool,
            "host": self.me,
            "expect": to,
            "nonce": nonce,
        }
        await frames.send(usual | changes)
        return await frames.receive(5)

    def head(self, nonce: bytes) -> wire.Frame:
        """This member's head over that nonce, as a frame's content."""
        return wire.head_content(own_head(self.belief, nonce))

    @asynccontextmanager
    async def greeted(self, to: Host, **how: Any) -> AsyncIterator[Frames]:
        """A connection on which both have said their hello."""
        async with self.dial(to, **how) as frames:
            answer = await self.hello(frames, to.me)
            await frames.send({"head": self.head(wire.nonce(answer))})
            yield frames

    async def adopt(self, entries: tuple[SignedEntry, ...]) -> None:
        """Hold these entries too."""
        await self.belief.adopt(entries)


async def ask(frames: Frames, call: str, **fields: Any) -> wire.Frame:
    await frames.send({"call": call, **fields})
    return await frames.receive(5)


def words(answer: wire.Frame) -> str:
    return str(answer["refused"]["words"])


class Ear(asyncio.Protocol):
    """Hears everything in the clear, and says nothing."""

    def __init__(self, heard: bytearray) -> None:
        self._heard = heard

    def data_received(self, data: bytes) -> None:
        self._heard += data


def frames_in(heard: bytes) -> list[wire.Frame]:
    """What was said, frame by frame; bytes that are no whole frame are an error."""
    frames = []
    while heard:
        length = int.from_bytes(heard[:4])
        assert len(heard) >= 4 + length, "half a frame"
        frames.append(orjson.loads(heard[4 : 4 + length]))
        heard = heard[4 + length :]
    return frames


@asynccontextmanager
async def instead_of(
    host: Host, path: Path, protocol: Callable[[Arrival], asyncio.BaseProtocol]
) -> AsyncIterator[None]:
    """Somebody with the identity in this file answers every name at this host's address."""
    context = join_context(path)
    listener = await Listener.open(
        host.config.address,
        host.config.port,
        lambda: Faces(context, context, context),
        protocol,
        refused=lambda _: None,
    )
    try:
        yield
    finally:
        await listener.close()


def saying(
    serve: Callable[[Frames], Awaitable[None]],
) -> Callable[[Arrival], asyncio.BaseProtocol]:
    """A protocol for `instead_of` that is one conversation by hand."""

    async def served(frames: Frames, _der: bytes | None, _arrival: Arrival) -> None:
        await serve(frames)

    return lambda arrival: frames_protocol(served, arrival)


def server_pin(host: Host) -> Pinned:
    """What a client expects of this host's server identity."""
    return Pinned(host.daemon.belief.identities.server.identity.certificate.thumbprint)


def altered(content: wire.Frame, **changes: Any) -> wire.Frame:
    """A head with another payload under its old signature."""
    payload = orjson.loads(content["payload"]) | changes
    data = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode()
    return {**content, "payload": data}
