"""What this host knows to be committed, by the heads of others that it has verified itself.

Never by the coordinator's word: a log that contradicts what is settled was not endorsed by honest
members, whatever signatures it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from pooltrust.host.belief import Belief
from pooltrust.host.peers.sightings import Sightings
from pooltrust.pool.plan.picture import Known, Picture
from pooltrust.terms import EntryHash
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.heads import Seen, committed
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Roster


class Settling:
    """Lets what is settled grow whenever another head was seen."""

    def __init__(self, belief: Belief, sightings: Sightings) -> None:
        self._belief = belief
        self._sightings = sightings
        sightings.watch(self.look)
        self.grew: Callable[[], None] = lambda: None
        """Called when more is known to be committed."""
        belief.watch(self._changed)

    def look(self) -> None:
        """Count again, if there is anything to be counted."""
        belief = self._belief
        log = belief.log
        if belief.settled == log.head_number:
            return  # what every heartbeat of an idle pool costs
        if not self._may_be_committed(log):
            return  # what the first half of the answers after a change costs
        before = belief.settled
        belief.settle(held(belief, self._sightings).settles)
        if belief.settled != before:
            self.grew()

    def _may_be_committed(self, log: Log) -> bool:
        """Whether half of those who were members before the last entry hold it, which it takes."""
        if log.head_number == 1:
            return True
        members = log.roster_at(log.head_number - 1).members.keys()
        return 2 * len(members & self._sightings.holders(log.head_number)) >= len(members)

    def _changed(self, _before: Roster, _after: Roster) -> None:
        self.look()


def held(belief: Belief, sightings: Sightings) -> Picture:
    """Who holds how much of this host's log, by the heads that it has verified."""
    log = belief.log
    known = {
        seen.host: Known(held=seen.number)
        for seen in sightings.seen()
        if log.hash_at(seen.number) == seen.hash
    }
    return Picture(belief.me, log, known, settled=belief.settled)


def committed_next(
    log: Log, offered: Sequence[SignedEntry], seen: Iterable[Seen]
) -> frozenset[EntryHash]:
    """The offered entry after this log, if those heads show that it is committed; else nothing.

    A head shows it for every entry that its own one links to.
    """
    number = log.head_number + 1
    chain = [signed for signed in offered if signed.envelope.number >= number]
    links = all(one.hash == after.envelope.previous for one, after in pairwise(chain))
    if not chain or not links or chain[0].envelope.previous != log.head_hash:
        return frozenset()
    hashes = {signed.envelope.number: signed.hash for signed in chain}
    holders = {one.host for one in seen if hashes.get(one.number) == one.hash}
    return frozenset({chain[0].hash} if committed(log.roster, holders) else ())
