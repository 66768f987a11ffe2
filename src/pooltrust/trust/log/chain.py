"""The log of a pool as a value: entries that were verified once, and the roster they fold to.

Growing is cheap: the grown log shares the entries of the old one and verifies only the new ones.
Which offered entries a host takes is decided in adopt.py; files are the store's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pooltrust.errors import BadEntry, TakeoverNeedsOrder, UpgradeThisHost
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import EntryHash, PoolId, Thumbprint
from pooltrust.trust.entries import Body, Checkpoint
from pooltrust.trust.entry import Entry, SignedEntry
from pooltrust.trust.log.story import told
from pooltrust.trust.roster import ANY_ORDER, Roster, fold
from pooltrust.trust.roster.fold import refold

RECENT = 16
STRIDE = 1024
"""Rosters are kept of the last few entries and of every so many before; others are folded again."""


@dataclass(slots=True)
class Run:
    """How far folding a sequence of entries came, and what stopped it."""

    roster: Roster | None
    kept: tuple[Roster, ...]
    taken: list[SignedEntry] = field(default_factory=list)
    waiting: list[SignedEntry] = field(default_factory=list)
    """A takeover at the very end whose endorsement is missing: it does not count."""
    stop: BadEntry | UpgradeThisHost | TakeoverNeedsOrder | None = None


def run(
    start: Roster | None,
    kept: tuple[Roster, ...],
    entries: Iterable[SignedEntry],
    ordered: Container[EntryHash],
) -> Run:
    """Fold until the end or the first entry that is refused."""
    done, roster = Run(start, kept), start
    for signed in entries:
        try:
            roster = fold(roster, signed, ordered=ordered)
        except (BadEntry, UpgradeThisHost, TakeoverNeedsOrder) as why:
            done.stop = why
            break
        done.waiting.append(signed)
        if roster.pending is None:
            done.taken += done.waiting
            done.waiting, done.roster = [], roster
            done.kept = _thinned(done.kept, roster)
    return done


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """A verified log.  Made by `verify`, `staged`, `extended` and `adopt`; never changes."""

    roster: Roster
    """After the last entry."""
    base: Roster | None
    """Before the first entry: None, unless the log begins at a checkpoint."""
    _shared: list[SignedEntry] = field(repr=False)
    """Append-only, shared with the logs that grew out of this one; may hold more than ours."""
    _length: int
    _kept: tuple[Roster, ...] = field(repr=False)

    @classmethod
    def verify(
        cls,
        entries: Iterable[SignedEntry],
        *,
        base: Roster | None = None,
        ordered: Container[EntryHash] = frozenset(),
    ) -> Log:
        """Verify a whole log from its founding entry, or from the checkpoint that binds `base`.

        For this host's own file pass ``ordered=ANY_ORDER``: what is in it was adopted before.
        Raises BadEntry, UpgradeThisHost, TakeoverNeedsOrder.
        """
        done = run(base, (base,) if base else (), entries, ordered)
        _complete(done)
        if done.roster is None or not done.taken:
            raise BadEntry("founding", 1, "the log is empty")
        if base and done.taken[0].envelope.kind != Checkpoint.kind:
            raise BadEntry("checkpoint", base.number + 1, "the log does not begin at a checkpoint")
        return cls(done.roster, base, done.taken, len(done.taken), done.kept)

    @classmethod
    def staged(
        cls,
        entries: Iterable[SignedEntry],
        *,
        pool: PoolId,
        coordinator: Thumbprint,
        base: Roster | None = None,
    ) -> Log:
        """Verify the log of a pool to be joined, whose coordinator was pinned.

        The pinned certificate vouches for takeovers made alone, and for `base`.  Raises BadEntry
        and UpgradeThisHost.
        """
        log = cls.verify(entries, base=base, ordered=ANY_ORDER)
        if log.pool != pool:
            raise BadEntry("foreign", 1, "it is another pool's log")
        if log.roster.host_of(coordinator) != log.roster.coordinator:
            why = "its coordinator is not the one that was met"
            raise BadEntry("writer", log.head_number, why)
        return log

    @property
    def pool(self) -> PoolId:
        """The pool, named by the hash of its founding entry."""
        return self.roster.pool

    @property
    def first(self) -> int:
        """The number of the first entry here: 1, or that of the checkpoint it begins at."""
        return self.base.number + 1 if self.base else 1

    @property
    def head_number(self) -> int:
        """The number of the last entry."""
        return self.roster.number

    @property
    def head_hash(self) -> EntryHash:
        """The hash of the last entry."""
        return self.roster.head

    @property
    def entries(self) -> tuple[SignedEntry, ...]:
        """All entries (a copy; for a few use `tail` or `at`)."""
        return tuple(self._shared[: self._length])

    def tail(self, after: int, most: int | None = None) -> tuple[SignedEntry, ...]:
        """The entries with a number above `after`; only the first so many of them, with `most`."""
        begun, end = max(0, after + 1 - self.first), self._length
        return tuple(self._shared[begun : end if most is None else min(end, begun + most)])

    def at(self, number: int) -> SignedEntry:
        """The entry of that number.  Raises KeyError if it is not here."""
        if not self.first <= number <= self.head_number:
            raise KeyError(number)
        return self._shared[number - self.first]

    def hash_at(self, number: int) -> EntryHash | None:
        """The hash of that entry, also of the one just before `first`; None if it is not known."""
        if self.base and number == self.base.number:
            return self.base.head
        return self.at(number).hash if self.first <= number <= self.head_number else None

    def roster_at(self, number: int) -> Roster:
        """The roster after entry `number`.  Cheap for the last few.  Raises KeyError."""
        if number == self.head_number:
            return self.roster
        if not self.first <= number < self.head_number and (
            self.base is None or number != self.base.number
        ):
            raise KeyError(number)
        at_hand = bisect_right(self._kept, number, key=_number)
        roster = self._kept[at_hand - 1] if at_hand else self.base
        begun = roster.number if roster else 0
        for signed in self._shared[begun + 1 - self.first : number + 1 - self.first]:
            roster = refold(roster, signed)
        if roster is None:
            raise KeyError(number)
        return roster

    def extended(self, *signed: SignedEntry, ordered: Container[EntryHash] = frozenset()) -> Log:
        """This log with these entries after it, for the host that wrote them.

        A takeover goes in together with its endorsement.  Raises BadEntry, UpgradeThisHost,
        TakeoverNeedsOrder.
        """
        done = run(self.roster, self._kept, signed, ordered)
        _complete(done)
        return self.grown(done)

    def grown(self, done: Run) -> Log:
        """This log with the entries of a run that began at its end, or at an older entry of it."""
        begun = self._length if not done.taken else done.taken[0].envelope.number - self.first
        if done.roster is None:
            raise ValueError("a log is not replaced by another one")
        shared = self._shared
        if begun != len(shared):
            shared = shared[:begun]
        shared.extend(done.taken)
        return Log(done.roster, self.base, shared, begun + len(done.taken), done.kept)

    def kept_until(self, number: int) -> tuple[Roster, ...]:
        """The rosters that are at hand up to entry `number`, for a run that begins there."""
        return tuple(roster for roster in self._kept if roster.number <= number)

    def next(
        self,
        body: Body,
        *,
        at: datetime,
        by: str,
        call: str,
        signer: Thumbprint,
        alone: bool = False,
    ) -> Entry:
        """The entry that would follow, to be signed."""
        number, head = self.head_number + 1, self.head_hash
        return Entry(number, self.pool, head, at, by, call, signer, body, alone)

    def from_checkpoint(self, number: int) -> Log:
        """This log from the checkpoint `number` on.  Raises KeyError, ValueError."""
        if self.at(number).envelope.kind != Checkpoint.kind:
            raise ValueError(f"entry {number} is no checkpoint")
        live = self._shared[number - self.first : self._length]
        base = self.roster_at(number - 1)
        kept = (base, *(roster for roster in self._kept if roster.number >= number))
        return Log(self.roster, base, live, len(live), kept)

    def story_until(self, certificate: Certificate) -> int:
        """The number of the last entry that whoever holds this certificate's key may be given.

        The head while it is accepted; the entry that ended it if it was accepted once; 0 otherwise.
        That last search is as long as the log: not on an event loop.
        """
        if self.roster.host_of(certificate.thumbprint):
            return self.head_number
        accepted = bool(self.base and self.base.host_of(certificate.thumbprint))
        count = told(self._shared, self._length, certificate, accepted=accepted)
        return count and self.first - 1 + count

    def story_of(self, certificate: Certificate) -> tuple[SignedEntry, ...]:
        """The entries up to `story_until`."""
        end = self.story_until(certificate)
        return self.tail(0, end + 1 - self.first) if end else ()


def _complete(done: Run) -> None:
    if done.stop is not None:
        raise done.stop
    if done.waiting:
        number = done.waiting[0].envelope.number
        raise BadEntry("takeover", number, "its endorsement is missing")


def _number(roster: Roster) -> int:
    return roster.number


def _thinned(kept: tuple[Roster, ...], roster: Roster) -> tuple[Roster, ...]:
    """The last few rosters, and of the older ones the first of every so many entries.

    However long the log, only one of them can become superfluous, and finding another one again
    takes at most `STRIDE` entries.
    """
    grown, older = (*kept, roster), len(kept) - RECENT
    if older > 0 and grown[older].number // STRIDE == grown[older - 1].number // STRIDE:
        return (*grown[:older], *grown[older + 1 :])
    return grown
