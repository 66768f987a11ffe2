"""Hosts made for tests and the network between them: who reaches whom, who is current, who looks.

Operations are pool.py's.  Whatever changes anything ends in `changed()`, which is where the
promises are checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.picture import NOBODY, Known, Picture
from pooltrust.pool.plan.steps import Step
from pooltrust.terms import EntryHash, HostId
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.heads import Seen, committed, is_current, may_append
from pooltrust.trust.log import Log

from . import minted
from .host import FakeHost

Message: TypeAlias = Order | tuple[SignedEntry, ...]


@dataclass
class Told:
    """What administrators were told, and what they ordered."""

    ejected: dict[HostId, SignedEntry] = field(default_factory=dict)
    """Whose ejection is said to be done, with the entry that says so."""
    done: dict[int, EntryHash] = field(default_factory=dict)
    """The entries that operations wrote which are said to be done."""
    required: int | None = None
    """The entry since which verification is said to be required."""
    alone: set[str] = field(default_factory=set)
    """Takeovers that were ordered although nobody endorses them."""
    lost_from: int = sys.maxsize
    """What was told of this entry and later ones may be lost by such an order: it was said so."""

    def ordered(self, mine: Log, theirs: Log) -> None:
        """An administrator orders something that makes these two go different ways."""
        last = min(mine.head_number, theirs.head_number)
        same = next(n for n in range(last, 0, -1) if mine.hash_at(n) == theirs.hash_at(n))
        self.lost_from = min(self.lost_from, same + 1)


@dataclass(eq=False)
class FakeNetwork:
    """Hosts h1 … hn, h1 the coordinator at first, and what is on its way between them."""

    hosts: dict[HostId, FakeHost]
    changed: Callable[[], None] = lambda: None
    told: Told = field(default_factory=Told)
    late: list[tuple[HostId, Message]] = field(default_factory=list)
    stuck: dict[Step, int] = field(default_factory=dict)

    def reach(self, a: FakeHost, b: FakeHost) -> bool:
        return a.up and b.up and a.side == b.side

    def others(self, me: FakeHost) -> list[FakeHost]:
        return [h for h in self.hosts.values() if h is not me and self.reach(me, h)]

    def confirm(self, me: FakeHost) -> bool:
        """Whether this host is current, by the heads of those that it reaches now."""
        roster, others = me.log.roster, self.others(me)
        seen = [Seen(h.id, h.log.head_number, h.log.head_hash, 0.0, True) for h in others]
        if roster.coordinator == me.id:
            # Half of those as well who were members before a change that is not committed.
            there = {h.id for h in others} | {me.id}
            enough = self.picture(me).enough(there, me.log.head_number)
            return enough and may_append(roster, me.id, seen, me.log.hash_at)
        coordinator = self.hosts[roster.coordinator]
        agree = coordinator.log.head_hash == me.log.head_hash
        if agree and self.reach(me, coordinator) and not self.confirm(coordinator):
            # One that has lost its pool vouches for nothing.
            seen = [head for head in seen if head.host != coordinator.id]
        return is_current(roster, me.id, seen, 0.0)

    def leads(self, me: FakeHost) -> bool:
        """Whether this host coordinates, and holds the longest log as far as it can know."""
        if not me.up or not me.is_member or me.log.roster.coordinator != me.id:
            return False
        me.fit = me.fit or self.confirm(me)
        return me.fit

    def catch_up(self, me: FakeHost) -> None:
        """Fetch what others hold beyond this host's log, and see whether it is current."""
        self.fetch(me)
        me.fresh = self.confirm(me)
        if me.fresh:
            me.settled = self.picture(me).settles
            me.heal()
        self.changed()

    def fetch(self, me: FakeHost) -> None:
        for other in sorted(self.others(me), key=lambda h: -h.log.head_number):
            self.fetch_from(me, other)

    def fetch_from(self, me: FakeHost, other: FakeHost) -> None:
        if me.log.hash_at(other.log.head_number) != other.log.head_hash:
            self.give(me, other.log.entries)

    def give(self, host: FakeHost, entries: tuple[SignedEntry, ...]) -> None:
        """Offer a host these entries; what others are seen to hold releases it from its vote."""
        if not host.take(entries):
            host.take(entries, committed=self._committed_next(host, entries))

    def _committed_next(self, host: FakeHost, offered: Sequence[SignedEntry]) -> list[EntryHash]:
        number = host.log.head_number + 1
        entry = offered[number - offered[0].entry.number].hash
        holders = {h.id for h in self.others(host) if h.log.hash_at(number) == entry}
        return [entry] if committed(host.log.roster, holders) else []

    def must_look(self, me: FakeHost) -> bool:
        """Whether somebody holds what this host has not taken in yet."""
        return any(me.log.hash_at(h.log.head_number) is None for h in self.others(me))

    def heads(self, me: FakeHost, step: Step) -> object:
        """What this host and those whom the step needs hold."""
        return [self.hosts[host].log.head_hash for host in sorted(step.needs() | {me.id})]

    def tries_again(self, me: FakeHost) -> bool:
        """Whether a step that was refused may be obeyed by now: a new run is about to begin."""
        moved = any(self.heads(me, step) != then for step, then in me.failed_at.items())
        return moved or any(self._is_freed(host, me) for host in self.others(me))

    def _is_freed(self, host: FakeHost, me: FakeHost) -> bool:
        """Whether it is about to see that what its vote keeps it from following is committed."""
        behind = host.log.head_number < me.log.head_number
        return host.bound and behind and bool(self._committed_next(host, me.log.entries))

    def picture(self, me: FakeHost) -> Picture:
        """What this host knows when it looks around."""
        known = dict(me.last)
        for host in self.hosts.values():
            if host is not me and not self.reach(me, host):
                if (before := known.get(host.id, NOBODY)).reachable or host.id not in known:
                    known[host.id] = replace(before, reachable=False)
            else:
                held = _held(me.log, host.log)
                # What is still beyond after a look is a branch that this host does not follow.
                there = held is not None and held <= me.log.head_number
                keys = frozenset(host.keys)
                known[host.id] = Known(there, held or 0, host.serves, keys, host.override)
        me.last = known
        return Picture(me.id, me.log, known, frozenset(me.probes), dict(me.failed), me.settled)

    def deliver(self, id: HostId, message: Message) -> str:
        """What a host does with a message; says why not, if it refuses."""
        host = self.hosts[id]
        if not host.up:
            return ""
        if isinstance(message, Order):
            return host.obey(message)
        self.give(host, message)
        taken = host.log.hash_at(message[-1].entry.number) == message[-1].hash
        return "" if taken else "it follows another log, unless its administrator orders it"

    def crash(self, host: FakeHost) -> None:
        host.crash()
        self.changed()

    def start(self, host: FakeHost) -> None:
        host.start()
        self.changed()

    def split(self, sides: Sequence[int]) -> None:
        """The network falls apart, or together, like this.

        A coordinator does not notice at once that it has lost its pool; until it looks again it
        goes on with what it carries out.
        """
        for host, side in zip(self.hosts.values(), sides, strict=False):
            moved, host.side = host.side != side, side
            host.fresh = host.fresh and not moved
        for host in self.hosts.values():
            host.fresh = host.fresh and self.confirm(host)
        self.changed()

    def fell_apart(self) -> bool:
        """Whether somebody took over without being endorsed, or was left without a key by it.

        Who made a new identity on the branch that was given up must be admitted again.
        """
        hosts = self.hosts.values()
        lost = self.told.lost_from < sys.maxsize
        keyless = (h.is_member and not h.accepts(h.id, h.signs_with) for h in hosts)
        return any(minted.has_one_alone(host.log) for host in hosts) or (lost and any(keyless))

    def state(self) -> object:
        """Everything that a promise is about: the same again need not be checked again."""
        hosts = tuple(
            (
                *(h.id, h.log.head_hash, h.up, h.side, h.fresh, h.fit, h.vote, h.override),
                *(h.serves, h.serves_at_start, frozenset(h.keys), h.settled, len(h.todo)),
                *(h.journal and (h.journal.plan.id, h.journal.abandoning), h.emergency is None),
                *(len(h.probes), len(h.failed)),
            )
            for h in self.hosts.values()
        )
        told = self.told
        stuck = max(self.stuck.values(), default=0)
        said = tuple(told.ejected), told.required, len(told.done), told.lost_from
        return hosts, said, stuck


def _held(mine: Log, theirs: Log) -> int | None:
    """How far their log is ours, or beyond; None if it is another one."""
    if mine.head_hash == theirs.head_hash:
        return mine.head_number
    number = min(mine.head_number, theirs.head_number)
    return theirs.head_number if mine.hash_at(number) == theirs.hash_at(number) else None
