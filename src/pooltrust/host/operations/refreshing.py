"""Refreshing pool identities: of one host, and of every host in turn.

A round of the pool is stored, so that it goes on after a restart or a takeover; a host whose
refresh failed rests for a while, and the others are not kept waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import uuid4

from pooltrust.errors import Failure, OperationSuspended
from pooltrust.host.belief import Belief
from pooltrust.host.obeying.keys import Keys
from pooltrust.host.operations.desk import Desk
from pooltrust.host.operations.order import Order
from pooltrust.host.operations.shelf import Shelf, Stored
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.operations.asked import Asked, the_member
from pooltrust.pool.operations.refresh import refresh, to_be_refreshed
from pooltrust.pool.operations.turns import whole_pool
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Kind, Plan
from pooltrust.pool.plan.preview import Preview
from pooltrust.terms import HostId
from pooltrust.trust.entries import CertificateAccepted

MINT_SECONDS = 30.0
REST_SECONDS = 3600.0
"""How long a host is left alone by itself after a refresh."""
FAILED_SECONDS = (5.0, 15.0, 60.0, 300.0, 900.0, REST_SECONDS)
"""How long after one that failed, and after the next ones: it may be its last day."""


class Refreshing:
    """The coordinator's side.  `now`: UTC; `clock`: monotonic seconds."""

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        keys: Keys,
        desk: Desk,
        shelf: Shelf,
        journal: Journal,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._keys = keys
        self._desk = desk
        self._shelf = shelf
        self._journal = journal
        self._now = now
        self._clock = clock
        self._resting: dict[HostId, float] = {}
        self._failed: dict[HostId, int] = {}
        self._turn = asyncio.Lock()

    async def whole_pool(self, *, by: str, call: str) -> frozenset[HostId]:
        """Refresh every host, one after another, the coordinator last.

        Returns those whose turn comes later: they are away, or their refresh failed.  A round that
        is under way is gone on with.
        """
        if self._shelf.round is None:
            self._desk.ready()
            asked = Asked(str(uuid4()), by, call)
            await self._shelf.put_round(whole_pool(self._belief.roster, asked))
        self._resting.clear()
        while await self.next_turn():
            pass
        one = self._shelf.round
        return frozenset(one.left(self._belief.roster)) if one else frozenset()

    async def next_turn(self) -> bool:
        """Refresh the next host of the round, if there is one; whether there may be another."""
        async with self._turn:
            one = self._shelf.round
            if one is None:
                return False
            picture = await self._desk.seen()
            if not one.left(picture.roster):
                await self._shelf.put_round(None)
                return False
            host = one.next(picture, self.resting())
            if host is None:
                return False
            return await self.surely(host, by=one.by, call=one.call)

    async def surely(self, host: HostId, *, by: str, call: str) -> bool:
        """Refresh this host; one whose refresh fails rests, and the failure is raised only if
        nothing else can go on meanwhile."""
        try:
            await self.refresh(host, by=by, call=call)
        except OperationSuspended:
            raise
        except Failure as why:
            times = self._failed.get(host, 0)
            self._failed[host] = times + 1
            self._rest(host, FAILED_SECONDS[min(times, len(FAILED_SECONDS) - 1)])
            self._journal.damped("refresh-failed", peer=host, reason=why.code, words=str(why))
            if self._desk.pending():
                raise
        else:
            self._failed.pop(host, None)
            self._rest(host, REST_SECONDS)  # with lifetimes of minutes it would do nothing else
        return True

    def _rest(self, host: HostId, seconds: float) -> None:
        self._resting[host] = self._clock() + seconds

    def resting(self) -> frozenset[HostId]:
        """The hosts whose last attempt failed a short while ago."""
        now = self._clock()
        self._resting = {host: until for host, until in self._resting.items() if until > now}
        return frozenset(self._resting)

    async def refresh(self, host: HostId, *, by: str, call: str) -> Stored | None:
        """Give this host a new pool identity.  Raises as `Desk.order`."""
        return await self._desk.order(self.ordered(host, by=by, call=call))

    def ordered(self, host: HostId, *, by: str, call: str) -> Order:
        """The order for it."""
        return Order(Kind.CERT_REFRESH, self._preparing(host), by, call)

    async def preview(self, host: HostId, *, by: str, call: str) -> Preview | None:
        """What a refresh of this host would do.  No key is kept that it would not use."""
        old = the_member(await self._desk.seen(), host).newest.thumbprint
        new = await asyncio.to_thread(mint_pool_identity, host, self._now())

        async def prepare(picture: Picture, asked: Asked) -> Plan:
            der = new.certificate.der
            return refresh(picture, CertificateAccepted(host, der, old, b"-", b"-"), asked)

        shown = await self._desk.preview(Order(Kind.CERT_REFRESH, prepare, by, call))
        thumbprint = new.certificate.thumbprint.short
        return shown and shown.replacing(f"{thumbprint}…", "(the new one)")

    def _preparing(self, host: HostId) -> Callable[[Picture, Asked], Awaitable[Plan]]:
        async def prepare(picture: Picture, asked: Asked) -> Plan:
            to_be_refreshed(picture, host)  # before a key is made for nothing
            return refresh(picture, await self._request(host), asked)

        return prepare

    async def _request(self, host: HostId) -> CertificateAccepted:
        """Have the host mint, and ask for what it minted.  Raises what keeps it from that."""
        if host == self._belief.me:
            return await self._keys.mint()
        answer = await self._peers.call_verified(host, "mint", within=MINT_SECONDS)
        try:
            request = CertificateAccepted.read(answer.get("request"))
        except ValueError as why:
            raise wire.PeerMisspoke(f"a request that can't be read: {why}") from why
        if request.host != host:
            raise wire.PeerMisspoke("a request for another host")
        return request
