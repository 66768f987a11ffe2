"""Bringing the records to every member after a change, so that any of them can take over.

Accounts and secrets are among them, so they go only to a member that has proved itself, whatever
the verification setting says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pooltrust.errors import CannotVerify, Failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.records.store import Change, Dump, Revision, Store
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import HostId
from pooltrust.trust.roster import Roster

RETRIES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts; after the last one the member's next hello is waited for."""


class Shipping:
    """Ships a coordinator's records, and takes them in on a supporter."""

    def __init__(self, belief: Belief, peers: Peers, store: Store, journal: Journal) -> None:
        self._belief = belief
        self._peers = peers
        self._store = store
        self._journal = journal
        self._due = asyncio.Event()
        self._held: dict[HostId, Revision] = {}
        self._tries = 0
        self._task: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Ship from now on."""
        self._unwatch = self._store.watch(self._changed)
        self._belief.watch(self._members_changed)
        self._task = asyncio.create_task(self._ship_when_due(), name="shipping")

    async def close(self) -> None:
        """Stop shipping."""
        self._unwatch()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def met(self, host: HostId) -> None:
        """This member was heard of: it may have missed some records."""
        if self._belief.is_coordinator and self._held.get(host) != self._store.revision:
            self._ship_now()

    async def take(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Hold what the coordinator ships.  Raises CannotVerify for anybody else's records."""
        coordinator = self._belief.roster.coordinator
        if peer != coordinator or self._belief.is_coordinator:
            raise CannotVerify(
                "records come from the coordinator only",
                expected=str(coordinator),
                met=str(peer),
                remedy="See who coordinates the pool: pooltrust host status",
            )
        try:
            dump = Dump.from_wire(frame.get("dump"))
        except ValueError as why:
            raise wire.PeerMisspoke(f"records that can't be read: {why}") from why
        if dump != await self._store.dump():  # two pools can be at one revision
            await self._store.replace(dump)
        return {"revision": str(self._store.revision)}

    def _changed(self, _revision: Revision, _changes: Sequence[Change]) -> None:
        self._ship_now()

    def _ship_now(self) -> None:
        self._tries = 0
        self._due.set()

    def _members_changed(self, before: Roster, after: Roster) -> None:
        # Who comes back brings nothing; who is new says its hello first.
        for host in before.members.keys() - after.members.keys():
            self._held.pop(host, None)

    async def _ship_when_due(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            if self._belief.is_coordinator:
                await asyncio.gather(*(self._ship(host) for host in self._behind()))
                self._try_again()

    def _try_again(self) -> None:
        if self._behind() and self._tries < len(RETRIES):
            asyncio.get_running_loop().call_later(RETRIES[self._tries], self._due.set)
            self._tries += 1

    def _behind(self) -> list[HostId]:
        revision = self._store.revision
        others = [host for host in self._belief.roster.members if host != self._belief.me]
        return [host for host in others if self._held.get(host) != revision]

    async def _ship(self, host: HostId) -> None:
        try:
            dump = await self._store.dump()
            answer = await self._peers.call_verified(host, "records", dump=dump.to_wire())
            self._held[host] = Revision.parse(wire.text(answer, "revision"))
        except (Failure, ValueError) as why:
            code = why.code if isinstance(why, Failure) else "INVALID_VALUE"
            self._journal.damped("records-not-shipped", peer=host, reason=code, words=str(why))
        except Exception as why:  # noqa: BLE001 - shipping to the others goes on
            self._journal.defect("shipping-defect", why, peer=host)
