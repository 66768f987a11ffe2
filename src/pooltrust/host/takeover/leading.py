"""The records of a new coordinator: it takes the newest there are before it changes any.

A change of an account that was answered as done is held by at least half of the members, so who
has asked more than half, itself counted, or the coordinator before it, has it.  Until then a new
coordinator neither ships records nor changes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from pooltrust.errors import Failure, Suspended, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.records.seal import BadSeal, check_seal
from pooltrust.host.records.store import Dump, Revision, Stale, Store
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import EntryHash, HostId
from pooltrust.trust.leading import FOUNDER, leader, led_since
from pooltrust.trust.roster import Roster

RETRIES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to take the records; the last one again and again."""


@failure(
    "RECORDS_NOT_TAKEN",
    cure="Start the missing hosts; it goes on by itself.",
)
class RecordsNotTaken(Suspended):
    """This host coordinates since entry {change}, and must take the newest records first: {why}."""

    change: int
    why: str


@dataclass(slots=True)
class Gathered:
    """What members said of their records."""

    answered: set[HostId] = field(default_factory=set)
    newest: Dump | None = None
    """The newest of them, if they are newer than this host's."""
    why: dict[HostId, str] = field(default_factory=dict)
    """Who did not answer, or with nothing that counts, in words."""


class Leading:
    """Whether this host's records are those that it leads with, and how they become so."""

    def __init__(self, belief: Belief, peers: Peers, store: Store, journal: Journal) -> None:
        self._belief = belief
        self._peers = peers
        self._store = store
        self._journal = journal
        self._searched: tuple[int, EntryHash, int] = (0, EntryHash(""), 0)
        self._one = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.led: Callable[[], None] = lambda: None
        """Called when this host's records are those that it leads with."""

    def start(self) -> None:
        """Take the records whenever this host becomes coordinator."""
        self._belief.watch(self._changed)
        self._begin_soon()

    async def close(self) -> None:
        """Stop asking."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def since(self) -> int:
        """The number of the entry by which the log's coordinator leads."""
        log, (number, head, known) = self._belief.log, self._searched
        if log.hash_at(number) != head:
            number = known = 0
        since = led_since(log, after=number) or known
        self._searched = log.head_number, log.head_hash, since
        if since == FOUNDER and log.base is not None:
            return self._store.revision.coordinator_change  # the change itself is archived
        return since

    @property
    def begun(self) -> bool:
        """Whether this host coordinates and its records are those that it leads with."""
        at_change = self._store.revision.coordinator_change == self.since
        return self._belief.is_coordinator and at_change

    def of(self, revision: Revision) -> HostId | None:
        """Who led when the records were at this revision; None if that is not of this log."""
        return leader(self._belief.log, revision.coordinator_change)

    def require(self) -> None:
        """Raise RecordsNotTaken on a new coordinator whose records may not be the newest."""
        if self._belief.is_coordinator and not self.begun:
            raise RecordsNotTaken(self.since, "that is under way")

    async def gather(self, hosts: Collection[HostId]) -> Gathered:
        """Ask these members for newer records than this host's; nothing is changed here."""
        found = Gathered()
        asked = [host for host in hosts if host != self._belief.me]
        await asyncio.gather(*(self._ask(host, found) for host in asked))
        return found

    async def take(self, found: Gathered) -> None:
        """Hold the newest records that were found, if they are newer than this host's own."""
        async with self._one:
            await self._take(found)

    async def lead_with(self, found: Gathered) -> None:
        """Lead from now on, with the newest records of this host and of those found.

        Twice is once.  Raises CannotStore.
        """
        async with self._one:
            if self.begun or not self._belief.is_coordinator:
                return
            await self._take(found)
            since = self.since
            try:
                await self._store.begin(since)
            except Stale:
                # Those of a branch that was given up, which this host led or followed.
                dump = await self._store.dump()
                await self._store.replace(Dump(Revision(since, 0), dump.tables))
            self._journal.event("records-begun", revision=self._store.revision)
            self.led()

    async def _take(self, found: Gathered) -> None:
        newest = found.newest
        if newest is not None and newest.revision > self._store.revision:
            await self._store.replace(newest)
            self._journal.event("records-taken", revision=newest.revision)

    async def take_the_lead(self) -> None:
        """Take the newest records and lead with them, if this host does not yet.

        Raises RecordsNotTaken.
        """
        if self.begun or not self._belief.is_coordinator:
            return
        since, roster = self.since, self._belief.roster
        found = await self.gather(roster.members)
        if since != self.since:
            return
        if not self._is_enough(found, since):
            raise RecordsNotTaken(since, missing_words(found, roster))
        await self.lead_with(found)

    def _is_enough(self, found: Gathered, since: int) -> bool:
        log = self._belief.log
        if since < log.first or log.at(since).entry.alone:
            return True  # ordered although the others may be lost
        answered = found.answered & log.roster.members.keys()
        more_than_half = 2 * (len(answered) + 1) > len(log.roster.members)
        return more_than_half or log.roster_at(since - 1).coordinator in found.answered

    async def _ask(self, host: HostId, found: Gathered) -> None:
        try:
            answer = await self._peers.call_verified(
                host, "records-held", newer_than=str(self._store.revision)
            )
            if "dump" in answer:
                dump = Dump.from_wire(answer["dump"])
                check_seal(dump, self._belief.log, since=self.since)
                if found.newest is None or dump.revision > found.newest.revision:
                    found.newest = dump
            found.answered.add(host)
        except BadSeal as why:
            found.why[host] = f"its records do not count: {why}"
            self._journal.damped("records-not-sealed", peer=host, reason="seal", words=str(why))
        except (Failure, ValueError) as why:
            found.why[host] = str(why)
            code = why.code if isinstance(why, Failure) else "INVALID_VALUE"
            self._journal.damped("records-not-heard", peer=host, reason=code, words=str(why))

    def _changed(self, before: Roster, after: Roster) -> None:
        if after.coordinator == self._belief.me:
            self._begin_soon()

    def _begin_soon(self) -> None:
        if not self._belief.is_coordinator or self.begun or self._closed:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._until_begun(), name="take-the-lead")

    async def _until_begun(self) -> None:
        attempt = 0
        while self._belief.is_coordinator and not self.begun:
            try:
                await self.take_the_lead()
            except Failure as why:
                self._journal.damped("records-not-taken", peer="", reason=why.code, words=str(why))
            except Exception as why:  # noqa: BLE001 - it is tried again, and reported
                self._journal.defect("leading-defect", why)
            if not self.begun:
                await asyncio.sleep(RETRIES[min(attempt, len(RETRIES) - 1)])
            attempt += 1


def missing_words(found: Gathered, roster: Roster) -> str:
    """Who did not answer, and why."""
    said = [f"{roster.expect(host).name}: {why}" for host, why in sorted(found.why.items())]
    return "; ".join(said) or "nobody answered"


def newer_than(frame: wire.Frame) -> Revision:
    """The revision that the asker holds.  Raises PeerMisspoke."""
    try:
        return Revision.parse(wire.text(frame, "newer_than", limit=64))
    except ValueError as why:
        raise wire.PeerMisspoke("'newer_than' is no revision") from why
