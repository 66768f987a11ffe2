"""Whoever answers at a member's address, with a member's key or without, and offers a log."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daemons import Host
from peers.stage import Puppet, instead_of
from pooltrust.host.meeting.facts import facts_content, own_facts
from pooltrust.host.peers import wire
from pooltrust.host.peers.greeting import own_head
from pooltrust.pki.identity import Identity
from pooltrust.terms import POOL_NAME
from pooltrust.tls.answer import Arrival
from pooltrust.tls.frames import Frames, frames_protocol
from pooltrust.trust.entries import Body
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.heads import sign_head


@dataclass
class Offering:
    """Says hello as this member, and hands over these entries; `heard` are the calls that came.

    `claims`: the entry that its head names, when it is not the last one that it hands over.
    """

    puppet: Puppet
    entries: Sequence[SignedEntry]
    claims: SignedEntry | None = None
    heard: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def at(self, host: Host, path: Path | None = None) -> AsyncIterator[Offering]:
        """Answer at the address of this host, which does not run; with the identity in a file."""
        own = self.puppet.belief.identities.pool.path
        async with instead_of(host, path or own, self._protocol):
            yield self

    def _protocol(self, arrival: Arrival) -> asyncio.BaseProtocol:
        member = arrival.name == POOL_NAME

        async def serve(frames: Frames, _der: bytes | None, _arrival: Arrival) -> None:
            await (self._as_member(frames) if member else self._as_anybody(frames))

        return frames_protocol(serve, arrival)

    async def _as_member(self, frames: Frames) -> None:
        hello = await frames.receive(5)
        head = wire.head_content(self._head(wire.nonce(hello)))
        await frames.send({"hello": 1, "nonce": wire.b64(bytes(32)), "head": head})
        await frames.receive(5)
        await self._as_anybody(frames)

    async def _as_anybody(self, frames: Frames) -> None:
        while True:
            asked = await frames.receive(5)
            self.heard.append(asked["call"])
            await frames.send(self._answer(asked))

    def _answer(self, asked: wire.Frame) -> wire.Frame:
        match asked["call"]:
            case "knock":
                return {"nonce": wire.b64(secrets.token_bytes(32))}
            case "facts":
                return {"facts": facts_content(own_facts(self.puppet.belief, {}))}
            case "log" | "story":
                after = asked["after"]
                rest = [one for one in self.entries if one.envelope.number > after]
                return {"entries": wire.entry_lines(tuple(rest))}
        return {"refused": {"code": "INTERNAL_ERROR", "parameters": [], "words": "no"}}

    def _head(self, nonce: bytes) -> Any:
        mine = own_head(self.puppet.belief, nonce)
        last = self.claims or (self.entries[-1] if self.entries else None)
        if last is None:
            return mine
        head = replace(mine.head, number=last.envelope.number, hash=last.hash)
        return sign_head(head, self.puppet.belief.identities.pool.identity)


def signed(
    puppet: Puppet, body: Body, *before: SignedEntry, key: Identity | None = None, **changed: Any
) -> SignedEntry:
    """What this member signs after its log, or after these entries."""
    key = key or puppet.belief.identities.pool.identity
    log = puppet.belief.log
    last = before[-1] if before else log.at(log.head_number)
    facts: dict[str, Any] = {
        "number": last.envelope.number + 1,
        "pool": log.pool,
        "previous": last.hash,
        "at": datetime.now(UTC),
        "by": "root",
        "call": "test",
        "signer": key.certificate.thumbprint,
    }
    return sign_entry(Entry(**facts | changed, body=body), key)
