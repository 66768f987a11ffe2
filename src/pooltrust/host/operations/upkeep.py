"""What a host does by itself: go on with what was begun, and refresh what nears its end.

After a start, a takeover or a change nobody has to order anything again.  One thing at a time; a
coordinator does it for its pool, any host for its own takeover.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from pooltrust.errors import Failure
from pooltrust.host.belief import Belief
from pooltrust.host.operations.desk import Desk
from pooltrust.host.operations.refreshing import Refreshing
from pooltrust.host.operations.shelf import Shelf
from pooltrust.host.peers.link import Peers
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.mending import mend
from pooltrust.pool.operations.turns import due
from pooltrust.terms import HostId
from pooltrust.trust.roster import Roster

RETRIES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts at what is suspended; the last one again and again."""
LOOK_SECONDS = 600.0
"""How often the dates are looked at."""
CALL = "host.refresh_server_certificate"


class Upkeep:
    """Keeps going.  `now`: UTC, `clock`: monotonic seconds; `leads` says whether this host does."""

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        desk: Desk,
        shelf: Shelf,
        refreshing: Refreshing,
        journal: Journal,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._desk = desk
        self._shelf = shelf
        self._refreshing = refreshing
        self._journal = journal
        self._now = now
        self._clock = clock
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.leads: Callable[[], bool] = lambda: False

    def start(self) -> None:
        """Begin."""
        self._belief.watch(self._changed)
        self._task = asyncio.create_task(self._keep_going(), name="upkeep")

    def heard(self) -> None:
        """There is news, of a member that was away or of the log: try again now."""
        if self._pending() or (self.leads() and self._due(frozenset(self._belief.roster.members))):
            self._wake.set()

    def led(self) -> None:
        """This host leads now: do what it has to do as coordinator."""
        self._wake.set()

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _changed(self, _before: Roster, _after: Roster) -> None:
        self.heard()

    def _pending(self) -> bool:
        if self._shelf.takeover is not None or not self.leads():
            return self._shelf.takeover is not None
        members = self._belief.roster.members.values()
        two = any(len(one.certificates) > 1 for one in members)
        return bool(two or self._desk.pending() or self._shelf.round)

    async def _keep_going(self) -> None:
        attempt = hurried = 0
        while True:
            self._wake.clear()
            if await self._surely():
                attempt = hurried = 0
                continue
            if hurried:  # members are heard all the time, because of the attempts too
                await asyncio.sleep(_rest(hurried - 1))
            seconds, attempt = _rest(attempt), attempt + 1
            if await self._woken(seconds if self._pending() else LOOK_SECONDS):
                attempt, hurried = 0, hurried + 1
            else:
                hurried = 0

    async def _woken(self, seconds: float) -> bool:
        """Wait so long; whether there was news before."""
        try:
            async with asyncio.timeout(seconds):
                return await self._wake.wait()
        except TimeoutError:
            return False

    async def _surely(self) -> bool:
        """Do the next thing; whether something was done, so that there may be more."""
        try:
            return await self._next()
        except Failure as why:
            self._journal.damped("upkeep", peer="", reason=why.code, words=str(why))
        except Exception as why:  # noqa: BLE001 - it is told, and the rest goes on
            self._journal.defect("upkeep-defect", why)
        return False

    async def _next(self) -> bool:
        if self._shelf.takeover is not None:
            await self._desk.resume(self._shelf.takeover.id)
            return True
        if not self.leads():
            return False
        if pending := self._desk.pending():
            return await self._resume_one([one.id for one in pending])
        return await self._mend() or await self._refreshing.next_turn() or await self._refresh_due()

    async def _resume_one(self, ids: list[str]) -> bool:
        """Go on with the first of these that can: one may wait for a host that another ejects."""
        for one in ids[:-1]:
            try:
                await self._desk.resume(one)
                return True
            except Failure as why:
                self._journal.damped("upkeep", peer=one, reason=why.code, words=str(why))
        await self._desk.resume(ids[-1])
        return True

    async def _mend(self) -> bool:
        """Finish or undo a refresh of which only the log knows."""
        if all(len(one.certificates) == 1 for one in self._belief.roster.members.values()):
            return False
        operation = mend(await self._desk.seen(), Asked(str(uuid4()), "automatic", CALL))
        if operation is None:
            return False
        await self._desk.carry_on(operation)
        return True

    async def _refresh_due(self) -> bool:
        """Refresh one identity that is old enough, of a host that answers."""
        if self._due(frozenset(self._belief.roster.members)) is None:
            return False
        await self._peers.look_around()
        host = self._due(self._peers.sightings.live(self._clock()))
        return host is not None and await self._refreshing.surely(host, by="automatic", call=CALL)

    def _due(self, there: frozenset[HostId]) -> HostId | None:
        roster, resting = self._belief.roster, self._refreshing.resting()
        return due(roster, self._now(), jitter=jitter, there=there, resting=resting)


def _rest(attempt: int) -> float:
    """Seconds after that many attempts that came to nothing."""
    return RETRIES[min(attempt, len(RETRIES) - 1)]


def jitter(host: HostId) -> float:
    """From 0 to 1, always the same for one host: so that a pool is not refreshed in one night."""
    return int.from_bytes(hashlib.sha256(host.encode()).digest()[:4]) / 2**32
