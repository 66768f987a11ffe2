"""What this host believes, and the one place where that changes.

Its log, the identities it serves, and the TLS contexts that follow from them.  Entries reach the
disk before they are believed; contexts are built off the event loop and swapped whole, so a change
takes effect at the next connection.  It opens no connection: see peers/ for those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pooltrust.errors import CannotStore
from pooltrust.host.facing import Facing, Identities
from pooltrust.host.folder import Start
from pooltrust.host.surely import Surely
from pooltrust.terms import EntryHash, HostId
from pooltrust.tls.answer import Faces
from pooltrust.trust.entries import CertificateWithdrawn, HostDismissed
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.heads import Life
from pooltrust.trust.log import Adopted, Local, Log, Outcome, adopt
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import (
    NOTHING_NOTED,
    LogFile,
    Noted,
    Torn,
    forget_noted,
    settled_file,
    vote_file,
    write_settled,
    write_vote,
)
from pooltrust.trust.takeover import Vote

__all__ = ["Belief", "Identities"]

T = TypeVar("T")
_SETTLING = "note-settled"

BINDING = (HostDismissed, CertificateWithdrawn)
"""What is believed even if it can't be stored: forgetting it would let somebody in again."""


class Belief:
    """A host's log, identities and contexts.

    `log`, `roster`, `identities` and `faces` are values that are replaced whole; reading them needs
    no lock.  `complain` is told what an administrator must see.  `watch(call)`
    registers a callback that is told the rosters before and after a change.
    """

    def __init__(
        self,
        me: HostId,
        log: Log,
        file: LogFile | None,
        identities: Identities,
        start: Start,
        *,
        check_dates: bool,
        noted: Noted = NOTHING_NOTED,
    ) -> None:
        self.me = me
        self.log = log
        self.identities = identities
        self.start = start
        self.override = False  # the emergency switch: this host's own, never the pool's
        self.candidate = noted.candidate  # the takeover that has its last vote
        self.settled = noted.settled  # up to which number it knows the log to be committed
        self._file = file
        self._facing = Facing(check_dates=check_dates)
        self._faces: Faces | None = None
        self._watchers: list[Callable[[Roster, Roster], None]] = []
        self._changing = asyncio.Lock()
        self.complain: Callable[[str], None] = lambda _: None
        self.is_current: Callable[[], bool] = lambda: False
        self._surely = Surely()  # so disk and memory never part
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log")

    @property
    def roster(self) -> Roster:
        """The fold of this host's log."""
        return self.log.roster

    @property
    def life(self) -> Life:
        """This run of the daemon."""
        return Life(self.start.instance, self.start.number, self.start.run)

    @property
    def is_coordinator(self) -> bool:
        """Whether this host coordinates its pool."""
        return self.roster.coordinator == self.me

    @property
    def enforcing(self) -> bool:
        """Whether a dialled peer that does not prove itself is refused."""
        return self.roster.verification and not self.override

    @property
    def check_dates(self) -> bool:
        """Whether an expired pool identity is refused, not only reported."""
        return self._facing.check_dates

    @property
    def faces(self) -> Faces:
        """The contexts for new connections.  `open` has made them."""
        if self._faces is None:
            raise RuntimeError("the contexts were not made yet")
        return self._faces

    @property
    def vote(self) -> Vote | None:
        """This host's last vote for a takeover."""
        return Vote.of(self.candidate) if self.candidate else None

    @property
    def bound(self) -> bool:
        """Whether it has given its vote to what is to follow its log now, and waits for that."""
        return self.vote is not None and self.vote.predecessor == self.log.head_hash

    @property
    def torn(self) -> Torn | None:
        """What was cut off the end of the log file at the start."""
        return self._file.torn if self._file is not None else None

    def watch(self, changed: Callable[[Roster, Roster], None]) -> None:
        """Be told (roster before, roster after) when it has changed; on the event loop."""
        self._watchers.append(changed)

    async def open(self) -> None:
        """Make the contexts for the first time."""
        self._faces = await self._facing.of(self.roster, self.identities)

    async def append(self, write: Callable[[Log], SignedEntry]) -> Log:
        """Append the entry that `write` makes for the log as it is then; one caller at a time.

        It is on disk and the contexts are swapped when this returns.  Raises what `write` or the
        log's rules raise, or OSError; nothing has changed then.
        """
        return await self._surely(self._append(lambda log: (write(log),)))

    async def take_over(self, write: Callable[[Log], Sequence[SignedEntry]]) -> Log:
        """Append the entries of a takeover, by this host, that `write` makes: all or none.

        Raises as `append`.
        """
        return await self._surely(self._append(write))

    async def adopt(
        self, offered: Sequence[SignedEntry], *, committed: frozenset[EntryHash] = frozenset()
    ) -> Outcome:
        """Adopt what these entries add to the log, as far as its rules allow.

        `committed`: entries that are known to be committed; they release this host from a vote.
        """
        return await self.decide(lambda log, local: adopt(log, offered, local=local), committed)

    async def decide(
        self,
        decide: Callable[[Log, Local], Outcome],
        committed: frozenset[EntryHash] = frozenset(),
    ) -> Outcome:
        """Do what `decide`, called in a worker thread, says of the log.  Raises what it raises."""
        return await self._surely(self._adopt(decide, committed))

    async def vote_for(
        self, choose: Callable[[Roster, SignedEntry | None], SignedEntry | None]
    ) -> None:
        """Give this host's vote to the takeover that `choose` returns; None takes the vote back.

        It is shown the roster and the takeover that has the vote.  The vote is on disk when this
        returns, and the log has not grown meanwhile.  Raises what `choose` raises, CannotStore.
        """
        await self._surely(self._vote_for(choose))

    def settle(self, number: int) -> None:
        """Know the log to be committed up to this entry, by heads that this host has verified."""
        if number > (self.settled or 0) and number <= self.log.head_number:
            self._settle(number)

    async def ask_clients(self, ask: bool) -> None:
        """Ask new clients for a certificate of the pool's authorities, or do not."""
        async with self._changing:
            self._facing.asks_clients = ask
            if self._faces is not None:
                self._faces = await self._facing.of(self.roster, self.identities)

    async def serve(self, identities: Identities) -> None:
        """Serve these identities to new connections from now on."""
        async with self._changing:
            faces = await self._facing.of(self.roster, identities)
            self._believe(self.log, identities, faces)

    async def become(self, log: Log, file: LogFile, identities: Identities) -> None:
        """Believe another log, as a member of another pool, with these identities."""
        await self._surely(self._become(log, file, identities))

    async def keep_evidence(self, entries: Sequence[SignedEntry]) -> None:
        """Keep entries of another branch beside the log.  Raises CannotStore."""
        async with self._changing:
            await self._on_disk(lambda file: file.keep_evidence(entries))

    async def close(self) -> None:
        """Finish what is being written."""
        await self._surely.done()
        await asyncio.to_thread(self._disk.shutdown)
        if self._file is not None:
            self._file.close()

    async def _append(self, write: Callable[[Log], Sequence[SignedEntry]]) -> Log:
        async with self._changing:
            signed = write(self.log)
            alone = {one.hash for one in signed if one.entry.alone}
            await self._take(self.log.extended(*signed, ordered=alone), signed)
            return self.log

    async def _adopt(
        self, decide: Callable[[Log, Local], Outcome], committed: frozenset[EntryHash]
    ) -> Outcome:
        async with self._changing:
            local = Local(vote=self.vote, committed=committed, settled=self.settled)
            outcome = await asyncio.to_thread(decide, self.log, local)
            if isinstance(outcome, Adopted):
                if outcome.left:
                    await self._move(outcome)
                else:
                    await self._take(outcome.log, outcome.new)
            return outcome

    async def _vote_for(
        self, choose: Callable[[Roster, SignedEntry | None], SignedEntry | None]
    ) -> None:
        async with self._changing:
            candidate = choose(self.roster, self.candidate)
            if candidate != self.candidate:
                await self._on_disk(lambda file: write_vote(vote_file(file.path), candidate))
            self.candidate = candidate

    def _settle(self, number: int | None) -> None:
        """Remember it, and write it down without making anybody wait."""
        self.settled = number
        if not any(task.get_name() == _SETTLING for task in self._surely.under_way):
            self._surely.begin(self._write_settled(), name=_SETTLING)

    async def _write_settled(self) -> None:
        written: object = None
        try:
            while self.settled is not None and written != (self.settled, self.log):
                written = number, log = self.settled, self.log
                await self._on_disk(_noting_settled(log, number))
        except CannotStore as why:
            self.complain(f"what is known to be committed is not noted: {why}")

    async def _become(self, log: Log, file: LogFile, identities: Identities) -> None:
        async with self._changing:
            faces = await self._facing.of(log.roster, identities)
            old, self._file = self._file, file
            if old is not None:
                old.close()
            self.override = False  # the emergency was the old pool's
            self.candidate = self.settled = None  # and so were these
            try:
                await self._on_disk(lambda file: forget_noted(file.path))
            except CannotStore as why:
                self.complain(f"notes of the old pool are left, and count for nothing: {why}")
            self._believe(log, identities, faces)

    async def _take(self, log: Log, fresh: Sequence[SignedEntry]) -> None:
        faces = await self._facing.of(log.roster, self.identities)
        try:
            # The file may lag behind, when the disk was full at a dismissal.
            await self._on_disk(lambda file: file.append(log.tail(file.number)))
        except CannotStore as why:
            self.complain(f"the log file takes no entries: {why}")
            if not any(isinstance(signed.entry.body, BINDING) for signed in fresh):
                raise
        self._believe(log, self.identities, faces)

    async def _move(self, outcome: Adopted) -> None:
        """Follow another branch: our own entries are kept beside it, as evidence."""
        faces = await self._facing.of(outcome.log.roster, self.identities)
        kept = await self._on_disk(lambda file: file.keep_evidence(outcome.left))
        if kept.lost:
            self.complain(f"no room for evidence: {kept.lost} entries of the other branch are gone")
        log = outcome.log
        snapshot = log.base.snapshot() if log.base else None
        await self._on_disk(lambda file: file.replace(log.entries, snapshot=snapshot))
        self._believe(outcome.log, self.identities, faces)
        if self.settled is not None and outcome.new[0].entry.number <= self.settled:
            self._settle(outcome.new[0].entry.number - 1)

    def _believe(self, log: Log, identities: Identities, faces: Faces) -> None:
        before = self.roster
        self.log, self.identities, self._faces = log, identities, faces
        for changed in self._watchers:
            try:
                changed(before, log.roster)
            except Exception as why:  # noqa: BLE001 - the change has happened; the others hear of it
                words = {"message": "a watcher of the roster failed", "exception": why}
                asyncio.get_running_loop().call_exception_handler(words)

    async def _on_disk(self, work: Callable[[LogFile], T]) -> T:
        if self._file is None:
            raise RuntimeError("this belief has no log file")
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, self._file)


def _noting_settled(log: Log, number: int) -> Callable[[LogFile], None]:
    return lambda file: write_settled(settled_file(file.path), log, number)
