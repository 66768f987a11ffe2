"""Bringing the records to every member after a change, so that any of them can take over.

Accounts and secrets are among them, so they go only to a member that has proved itself, whatever
the verification setting says.  A change of an account is done when at least half of the members
hold it: see `held`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from pooltrust.errors import CannotVerify, Failure, HostIsSlave, Refused, Suspended, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.records.seal import BadSeal, check_seal, sealed
from pooltrust.host.records.store import Change, Dump, Revision, Store
from pooltrust.host.takeover.leading import Leading, newer_than
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import HostId
from pooltrust.trust.roster import Roster

RETRIES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts; after the last one the member's next hello is waited for."""


@failure(
    "RECORDS_NOT_COMMITTED",
    cure="Start the missing hosts; the change is brought to them by itself, and then it counts.",
)
class RecordsNotHeld(Suspended):
    """{held} of {members} members hold this change, and {needed} must, or a takeover may lose it:
    {missing}."""

    held: int
    members: int
    needed: int
    missing: str


@failure("RECORDS_OLDER")
class OlderRecords(Refused):
    """{host} holds the pool's records as of revision {held}, and those of revision {shipped} that
    it is shipped are older, or others: its coordinator may have been restored from a copy."""

    host: str
    held: str
    shipped: str


class Shipping:
    """Ships a coordinator's records, and takes them in on a supporter."""

    def __init__(
        self, belief: Belief, peers: Peers, store: Store, journal: Journal, leading: Leading
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._store = store
        self._journal = journal
        self._leading = leading
        self._due = asyncio.Event()
        self._held: dict[HostId, Revision] = {}
        self._shipping: defaultdict[HostId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._taking = asyncio.Lock()
        self._sealed: tuple[object, Dump] | None = None
        self._tries = 0
        self._background: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Ship from now on; at once too, since members may hold newer records than this host."""
        self._unwatch = self._store.watch(self._changed)
        self._belief.watch(self._members_changed)
        self._ship_now()
        self._task = asyncio.create_task(self._ship_when_due(), name="shipping")

    async def close(self) -> None:
        """Stop shipping."""
        self._unwatch()
        tasks = [*self._background, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def met(self, host: HostId) -> None:
        """This member was heard of: it may have missed some records."""
        if self._belief.is_coordinator and self._held.get(host) != self._store.revision:
            self._ship_now()

    def may_change(self) -> None:
        """Raise HostIsSlave, IsCopy, or RecordsNotTaken, if a change of the records made here would
        not count."""
        if not self._belief.is_coordinator:
            roster = self._belief.roster
            raise HostIsSlave(roster.members[roster.coordinator].address)
        self._peers.witness.check_own()
        self._leading.require()

    async def held(self) -> None:
        """Return when at least half of the members hold the records as they are now.

        Then no endorsed takeover loses them.  Raises RecordsNotHeld; they are shipped on.
        """
        revision = self._store.revision
        pending = {asyncio.create_task(self._ship(host)) for host in self._behind()}
        self._background |= pending
        for task in pending:
            task.add_done_callback(self._background.discard)
        while pending and not self._is_held(revision):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if not self._belief.is_coordinator or not self._is_held(revision):
            raise self._not_held(revision)

    async def everywhere(self) -> set[HostId]:
        """Ship to every member that lacks something; returns those that lack it still."""
        await asyncio.gather(*(self._ship(host) for host in self._behind()))
        return set(self._behind())

    async def take(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Hold what the coordinator ships.

        Raises CannotVerify for anybody else's records, and once this host has endorsed a takeover;
        OlderRecords.
        """
        try:
            dump = Dump.from_wire(frame.get("dump"))
            async with self._taking:
                self._check_from(peer)
                check_seal(dump, self._belief.log, since=self._leading.since)
                held = await self._store.dump()
                if not self._has(dump, held):
                    self._check_newer(dump, held)
                    await self._store.replace(dump)
        except BadSeal as why:
            raise self._not_sealed(peer, str(why)) from why
        except ValueError as why:
            raise wire.PeerMisspoke(f"records that can't be read: {why}") from why
        return {"revision": str(dump.revision)}

    async def hand_over(self, _peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Give the records to a member that takes over, if they are newer than its own."""
        than = newer_than(frame)
        async with self._taking:  # none that are being taken in are missed
            dump = await self._store.dump()
        if dump.revision <= than:
            return {"revision": str(dump.revision)}
        return {"revision": str(dump.revision), "dump": self._with_seal(dump).to_wire()}

    def _check_from(self, peer: HostId) -> None:
        coordinator = self._belief.roster.coordinator
        if peer != coordinator or self._belief.is_coordinator:
            raise CannotVerify(
                "records come from the coordinator only",
                expected=str(coordinator),
                met=str(peer),
                remedy="See who coordinates the pool: pooltrust host status",
            )
        if self._belief.bound:
            name = self._belief.roster.expect(peer).name
            raise CannotVerify(
                "this host has endorsed a takeover and takes no records of the lost coordinator",
                expected="the records of the host that takes over",
                met=f"those of {name}",
                remedy="End the takeover on the host that takes over: xe operation-resume; or order"
                f" this host to stay with {name}: xe pool-emergency-reset-master",
            )

    def _has(self, shipped: Dump, held: Dump) -> bool:
        """Whether they are the same, and those held can be proved: another seal is no change."""
        if shipped != held:  # two pools can be at one revision
            return False
        try:
            check_seal(held, self._belief.log, since=self._leading.since)
        except BadSeal:
            return False
        return True

    def _not_sealed(self, peer: HostId, why: str) -> CannotVerify:
        name = self._belief.roster.expect(peer).name
        return CannotVerify(
            f"its records do not count: {why}",
            expected=f"records that {name} has signed",
            met="others",
            remedy="Compare the trust logs of both hosts: pooltrust log show",
        )

    def _check_newer(self, shipped: Dump, held: Dump) -> None:
        """Records that count in this log give way to newer ones only."""
        if shipped.revision > held.revision:
            return
        try:
            check_seal(held, self._belief.log)
        except BadSeal:
            return
        name = self._belief.roster.expect(self._belief.me).name
        raise OlderRecords(name, str(held.revision), str(shipped.revision))

    def _changed(self, _revision: Revision, _changes: Sequence[Change]) -> None:
        self._ship_now()

    def _ship_now(self) -> None:
        self._tries = 0
        self._due.set()

    def _members_changed(self, before: Roster, after: Roster) -> None:
        # Who comes back brings nothing; who is new says its hello first.
        for host in before.members.keys() - after.members.keys():
            self._held.pop(host, None)
        if before.coordinator != after.coordinator or before.pool != after.pool:
            self._held.clear()

    async def _ship_when_due(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            if self._leading.begun and self._peers.witness.own is None:
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

    def _holders(self, revision: Revision) -> set[HostId]:
        members = self._belief.roster.members
        there = {host for host, at in self._held.items() if at >= revision and host in members}
        return there | {self._belief.me}

    def _is_held(self, revision: Revision) -> bool:
        members = self._belief.roster.members
        return 2 * len(self._holders(revision)) >= len(members)

    def _not_held(self, revision: Revision) -> RecordsNotHeld:
        roster, holders = self._belief.roster, self._holders(revision)
        missing = sorted(roster.expect(host).name for host in roster.members.keys() - holders)
        words = f"{', '.join(missing)} did not confirm it" if missing else ""
        if not self._belief.is_coordinator:
            words = f"{roster.expect(roster.coordinator).name} is the coordinator now"
        members = len(roster.members)
        return RecordsNotHeld(len(holders), members, (members + 1) // 2, words)

    async def _ship(self, host: HostId) -> None:
        async with self._shipping[host]:
            try:
                dump = await self._store.dump()
                if self._held.get(host) == dump.revision or not self._leading.begun:
                    return
                shipped = self._with_seal(dump)
                answer = await self._peers.call_verified(host, "records", dump=shipped.to_wire())
                if wire.text(answer, "revision") == str(dump.revision):
                    self._held[host] = dump.revision
            except (Failure, ValueError) as why:
                code = why.code if isinstance(why, Failure) else "INVALID_VALUE"
                if code == OlderRecords.code:
                    await self._leading.take(await self._leading.gather({host}))
                self._journal.damped("records-not-shipped", peer=host, reason=code, words=str(why))
            except Exception as why:  # noqa: BLE001 - shipping to the others goes on
                self._journal.defect("shipping-defect", why, peer=host)

    def _with_seal(self, dump: Dump) -> Dump:
        """These records with this host's seal if it leads, or led, at their revision.

        One revision is sealed once: whoever has it already need not store it again.
        """
        belief = self._belief
        identity = belief.identities.pool.identity
        mark = (belief.roster.pool, dump.revision, identity.certificate.thumbprint)
        if self._leading.of(dump.revision) != belief.me:
            return dump
        if self._sealed is None or self._sealed[0] != mark:
            self._sealed = mark, sealed(dump, belief.log, belief.me, identity)
        return self._sealed[1]
