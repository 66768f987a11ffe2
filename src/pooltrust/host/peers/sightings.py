"""The heads that this host has seen of others, and whether it is current by them.

A host that is not current may have missed its own dismissal, or somebody else's: it talks of
nothing but heads and log until it is.  Values and the caller's monotonic clock; no connections.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf

from pooltrust.host.belief import Belief
from pooltrust.terms import EntryHash, HostId
from pooltrust.trust.heads import FRESH, Head, Seen, is_current, may_append

LIVE_SECONDS = 90.0
"""A member counts as live for this long after its last head was seen."""


@dataclass(slots=True)
class Sightings:
    """The newest head seen of each member, with the monotonic second of it."""

    belief: Belief
    _seen: dict[HostId, Seen]
    _heads: dict[HostId, Head]
    _live_until: float
    _live: frozenset[HostId]
    _up_to: EntryHash
    _with_all: set[HostId]
    """Whose heads were seen at this entry.  While it is our last one they are kept, not counted
    again: after each change every member is asked for once, and all of them for each."""
    _watchers: list[Callable[[], None]]

    def __init__(self, belief: Belief) -> None:
        self.belief = belief
        self._seen = {}
        self._heads = {}
        self._live_until = -inf
        self._live = frozenset()
        self._up_to = EntryHash("")
        self._with_all = set()
        self._watchers = []

    def watch(self, heard: Callable[[], None]) -> None:
        """Have this called whenever a head was noted."""
        self._watchers.append(heard)

    def note(self, head: Head, asked: float) -> None:
        """Remember this head, asked for at `asked` (monotonic seconds)."""
        before = self._heads.get(head.host)
        if before is not None and self._is_older(head, before):
            return
        seen = Seen(head.host, head.number, head.hash, asked, head.vouches)
        if before is not None and before.hash == head.hash and self._seen[head.host].at > asked:
            seen = self._seen[head.host]
        self._seen[head.host] = seen
        self._heads[head.host] = head
        if head.hash == self._up_to:
            self._with_all.add(head.host)
        else:
            self._with_all.discard(head.host)
        self._live_until = -inf
        for heard in self._watchers:
            heard()

    def _is_older(self, head: Head, known: Head) -> bool:
        """Whether it was signed before its host took more of our log, and came late."""
        log = self.belief.log
        # A head that is not of our log may be of a branch that its host has left for a shorter one.
        ours = all(log.hash_at(one.number) == one.hash for one in (head, known))
        return head.life == known.life and ours and head.number < known.number

    def differs(self, head: Head) -> bool:
        """Whether its host holds something that this one does not: more, or other entries."""
        log = self.belief.log
        return head.number > log.head_number or log.hash_at(head.number) not in (None, head.hash)

    def fits(self, host: HostId) -> bool:
        """Whether this host has shown a head since the start, and its newest is of our log."""
        head = self._heads.get(host)
        return head is not None and not self.differs(head)

    def newest(self, host: HostId) -> Head | None:
        """The newest head that this host has shown since the start."""
        return self._heads.get(host)

    def seen(self) -> tuple[Seen, ...]:
        """The newest head of each host, old ones too."""
        return tuple(self._seen.values())

    def forget(self) -> None:
        """Know nothing: this host belongs to another pool now."""
        self._seen.clear()
        self._heads.clear()
        self._with_all.clear()
        self._live_until = -inf

    def current(self, now: float) -> bool:
        """Whether this host knows, at `now`, that it has missed nothing."""
        return is_current(self.belief.roster, self.belief.me, self._seen.values(), now)

    def may_append(self, but: Collection[HostId] = ()) -> bool:
        """Whether the coordinator, after its start, has heard enough to append.

        `but`: members that claim entries which they did not hand over; they do not count.
        """
        log = self.belief.log
        seen = [one for one in self._seen.values() if one.host not in but]
        return may_append(log.roster, self.belief.me, seen, log.hash_at)

    def stale(self, host: HostId, now: float) -> bool:
        """Whether this host's head was not seen for a third of the time that counts as fresh."""
        seen = self._seen.get(host)
        return seen is None or now - seen.at > FRESH / 3

    def live(self, now: float) -> frozenset[HostId]:
        """The hosts whose heads were seen within LIVE_SECONDS, this one among them.

        The same object as before while nothing has changed.
        """
        if not self._live_until > now:
            heard = {host: seen.at + LIVE_SECONDS for host, seen in self._seen.items()}
            there = {host: until for host, until in heard.items() if until > now}
            self._live_until = min(there.values(), default=inf)
            self._live = frozenset({*there, self.belief.me})
        return self._live

    def holders(self, number: int) -> frozenset[HostId]:
        """The hosts seen to hold our log up to this number, this one included if it does.

        A longer log may be of another branch: whoever is ahead of this host does not count.
        """
        log = self.belief.log
        if number == log.head_number:
            return self._holders_of_all(log.head_hash) | {self.belief.me}
        there = {
            host
            for host, seen in self._seen.items()
            if seen.number >= number and log.hash_at(seen.number) == seen.hash
        }
        return frozenset(there | ({self.belief.me} if log.head_number >= number else set()))

    def _holders_of_all(self, head: EntryHash) -> frozenset[HostId]:
        if head != self._up_to:
            self._up_to = head
            self._with_all = {host for host, seen in self._seen.items() if seen.hash == head}
        return frozenset(self._with_all)

    def ahead(self) -> frozenset[HostId]:
        """The members seen to hold entries that this host does not, beyond its own or instead."""
        log = self.belief.log
        return frozenset(
            host
            for host, seen in self._seen.items()
            if host in log.roster.members
            and (seen.number > log.head_number or log.hash_at(seen.number) not in (None, seen.hash))
        )
