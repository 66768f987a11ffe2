"""The heads that this host has seen of others, and whether it is current by them.

A host that is not current may have missed its own dismissal, or somebody else's: it talks of
nothing but heads and log until it is.  Values and the caller's monotonic clock; no connections.
"""

from __future__ import annotations

from dataclasses import dataclass

from pooltrust.host.belief import Belief
from pooltrust.terms import HostId
from pooltrust.trust.heads import FRESH, Head, Seen, is_current, may_append


@dataclass(slots=True)
class Sightings:
    """The newest head seen of each member, with the monotonic second of it."""

    belief: Belief
    _seen: dict[HostId, Seen]

    def __init__(self, belief: Belief) -> None:
        self.belief = belief
        self._seen = {}

    def note(self, head: Head, now: float) -> None:
        """Remember this head, seen at `now` (monotonic seconds)."""
        self._seen[head.host] = Seen(head.host, head.number, head.hash, now)

    def forget(self) -> None:
        """Know nothing: this host belongs to another pool now."""
        self._seen.clear()

    def current(self, now: float) -> bool:
        """Whether this host knows, at `now`, that it has missed nothing."""
        return is_current(self.belief.roster, self.belief.me, self._seen.values(), now)

    def may_append(self) -> bool:
        """Whether the coordinator, after its start, has heard enough to append."""
        log = self.belief.log
        return may_append(log.roster, self.belief.me, self._seen.values(), log.hash_at)

    def stale(self, host: HostId, now: float) -> bool:
        """Whether this host's head was not seen for a third of the time that counts as fresh."""
        seen = self._seen.get(host)
        return seen is None or now - seen.at > FRESH / 3

    def live(self, host: HostId, now: float, within: float) -> bool:
        """Whether a head of this host was seen `within` so many seconds."""
        seen = self._seen.get(host)
        return host == self.belief.me or (seen is not None and now - seen.at <= within)

    def holders(self, number: int) -> frozenset[HostId]:
        """The hosts seen to hold the log up to this number, this one included if it does."""
        there = {host for host, seen in self._seen.items() if seen.number >= number}
        return frozenset(
            there | ({self.belief.me} if self.belief.roster.number >= number else set())
        )
