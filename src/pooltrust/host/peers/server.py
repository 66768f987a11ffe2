"""Answering members: who calls is proved by TLS and the hello, then one request after another.

It knows which calls exist (see requests.py), not what they do.  A connection whose certificate is
withdrawn finishes its current request and is closed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pooltrust.errors import CannotVerify, Failure, InternalError
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.greeting import answer, checked_head
from pooltrust.host.peers.link import Peers, not_current
from pooltrust.host.telling.conversations import (
    Conversation,
    Outcome,
    Tell,
    Way,
    because,
    unheard,
)
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import HostId, Thumbprint
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.frames import Frames
from pooltrust.trust.roster import Roster

IDLE_SECONDS = 120.0
LAST_SECONDS = 5.0
"""What a host that was dismissed is given for the request that is being answered."""

Handler = Callable[[HostId, wire.Frame], Awaitable[wire.Frame]]


@dataclass(frozen=True, slots=True)
class Request:
    """One call that members may make; `always` when it is answered before this host is current."""

    handle: Handler
    always: bool = False


@dataclass(slots=True, eq=False)
class _Served:
    frames: Frames
    peer: HostId
    certificate: Thumbprint
    busy: bool = field(default=False)


class PoolServer:
    """Serves the connections made under the pool name.

    `heard` is told of a member that said its hello, and whether its log has what ours has not.
    """

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        journal: Journal,
        requests: Mapping[str, Request],
        clock: Callable[[], float],
        heard: Callable[[HostId, bool], None],
    ) -> None:
        self.belief = belief
        self._peers = peers
        self._journal = journal
        self._requests = requests
        self._clock = clock
        self._heard = heard
        self._open: set[_Served] = set()
        self.observe: Tell = unheard
        belief.watch(self._withdraw)

    @property
    def connections(self) -> int:
        """How many members' connections are open."""
        return len(self._open)

    async def serve(self, frames: Frames, certificate: Thumbprint, address: str) -> None:
        """Serve one connection until it ends.  TLS has verified `certificate` as some member's."""
        peer = self.belief.roster.host_of(certificate)
        if peer is None:
            return  # withdrawn between the handshake and now
        served = _Served(frames, peer, certificate)
        self._open.add(served)
        try:
            await self._converse(served, address)
        except Failure as why:
            self.observe(because(self._seen(served, address), why))
            self._journal.damped(
                "member-refused", peer=peer, address=address, reason=why.code, words=str(why)
            )
        finally:
            self._open.discard(served)

    async def _converse(self, served: _Served, address: str) -> None:
        await self._greeted(served)
        self._peers.found(served.peer, address)
        self.observe(self._seen(served, address))
        while self._accepts(served):
            try:
                frame = await served.frames.receive(IDLE_SECONDS)
            except Failure:
                return  # it hung up, or had nothing to say
            served.busy = True
            try:
                await served.frames.send(await self._answered(served, frame))
            finally:
                served.busy = False

    async def _greeted(self, served: _Served) -> None:
        nonce, asked = secrets.token_bytes(wire.NONCE_BYTES), self._clock()
        met = served.peer, served.certificate
        witness, sightings = self._peers.witness, self._peers.sightings
        head = await answer(served.frames, self.belief, met, nonce, witness)
        if (
            sightings.stale(served.peer, asked)
            or self._is_news(served.peer, head.payload)
            or not witness.knows(served.peer, head.payload)
        ):
            try:
                seen = checked_head(self.belief, head, served.peer, nonce)
            except CannotVerify as why:
                await served.frames.send({"refused": wire.refusal(why)})
                raise
            sightings.note(seen, asked)
            witness.note(head, seen)
            self._heard(served.peer, sightings.differs(seen))
        else:
            self._heard(served.peer, False)

    async def _answered(self, served: _Served, frame: wire.Frame) -> wire.Frame:
        try:
            if not self._accepts(served):
                raise _withdrawn(served)
            name = wire.text(frame, "call", limit=64)
            request = self._requests.get(name)
            if request is None:
                raise wire.PeerMisspoke(f"there is no call {name!r}")
            if not request.always:
                await self._become_current()
                if not self._accepts(served):
                    raise _withdrawn(served)
            return await request.handle(served.peer, frame)
        except Failure as why:
            return {"refused": wire.refusal(why)}
        except Exception as why:  # noqa: BLE001 - a defect is told and ends one request, no more
            self._journal.defect("request-defect", why, peer=served.peer)
            return {"refused": wire.refusal(InternalError("Unexpected failure of a request"))}

    async def _become_current(self) -> None:
        if not self._peers.sightings.current(self._clock()):
            await self._peers.become_current()
        if not self._peers.sightings.current(self._clock()):
            raise not_current(self.belief)

    def _accepts(self, served: _Served) -> bool:
        return self.belief.roster.host_of(served.certificate) == served.peer

    def _seen(self, served: _Served, address: str) -> Conversation:
        return Conversation(
            kind=Kind.MEMBER,
            way=Way.ANSWERED,
            peer=served.peer,
            outcome=Outcome.VERIFIED,
            address=address,
            met=str(served.certificate),
            shown=str(self.belief.identities.pool.identity.certificate.thumbprint),
            tls_version=served.frames.peer.tls_version,
        )

    def _is_news(self, peer: HostId, payload: bytes) -> bool:
        # Cheap on purpose: only a head that says something new is worth a signature check.
        known = self._peers.sightings.newest(peer)
        same = known is not None and known.hash == self.belief.roster.head
        return not same or self.belief.roster.head.encode() not in payload

    def _withdraw(self, _before: Roster, after: Roster) -> None:
        for served in list(self._open):
            if self._accepts(served):
                continue
            if not served.busy:
                served.frames.abort()
            elif served.peer not in after.members:
                asyncio.get_running_loop().call_later(LAST_SECONDS, served.frames.abort)


def _withdrawn(served: _Served) -> CannotVerify:
    return CannotVerify(
        "its certificate was withdrawn: the host was ejected or has a newer identity",
        expected="a certificate that the pool accepts",
        met=str(served.certificate),
        remedy="Look for the reason in the log: pooltrust log show",
    )
