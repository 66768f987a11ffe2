"""Carrying out one step in a pool made for tests, whatever becomes of it on its way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pooltrust.errors import Failure
from pooltrust.pool.operations.takeover import Collected, standing_candidate
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.picture import Probed
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step
from pooltrust.terms import HostId
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.takeover import Vote

from . import minted
from .fake_host import FakeHost
from .fake_network import FakeNetwork, Message


class Fate(Enum):
    """What becomes of one step."""

    DONE = "done"
    LOST = "its request is lost"
    UNHEARD = "done, but its answer is lost"
    LATE = "its request arrives later"
    DIES_BEFORE = "the host dies before it"
    DIES_AFTER = "the host dies after it"
    I_DIE = "the driver dies after it"


@dataclass(eq=False)
class FakeHands(FakeNetwork):
    """What hosts do when a driver tells them to."""

    def drives(self, me: FakeHost) -> Operation | None:
        """The operation that this host carries out now."""
        if not me.up or not me.is_member:
            return None
        if me.emergency is not None:
            return me.emergency
        return me.journal if me.fit and me.log.roster.coordinator == me.id else None

    def carry_out(self, me: FakeHost, step: Step, fate: Fate) -> None:
        host = self.hosts[_doer(step) or me.id]
        if fate is Fate.DIES_BEFORE:
            self.crash(host)
        elif fate is not Fate.LOST or host is me:
            heard = fate in (Fate.DONE, Fate.DIES_AFTER, Fate.I_DIE)
            why = self._hand(me, step, fate is Fate.LATE and host is not me, heard)
            if why:
                me.failed[step] = why
            elif fate is Fate.DONE:
                self.stuck[step] = self.stuck.get(step, 0) + 1
        if fate is Fate.DIES_AFTER:
            self.crash(host)
        if fate is Fate.I_DIE and me.up:
            self.crash(me)

    def _hand(self, me: FakeHost, step: Step, late: bool, heard: bool) -> str:
        """Do it; says why not, if it is refused."""
        match step:
            case Append():
                return self.append(me, step)
            case Adopt(host=id):
                why = self._send(id, me.log.entries, late)
                host = self.hosts[id]
                host.fresh = host.fresh or (not late and host.up and self.confirm(host))
                return why
            case Promote() | Retire():
                return self._send(step.host, Order.at(step, me.log.roster), late)
            case Probe():
                return self._probe(me, step, heard)

    def _send(self, id: HostId, message: Message, late: bool) -> str:
        if late:
            self.late.append((id, message))
            return ""
        return self.deliver(id, message)

    def deliver(self, id: HostId, message: Message) -> str:
        host = self.hosts[id]
        if isinstance(message, Order) and isinstance(message.step, Promote):
            lent = any(message.step.certificate in other.keys for other in self.hosts.values())
            if host.up and lent and message.in_time(host.log.roster):
                # A real host refuses: a key never leaves the host that made it.
                host.keys.add(message.step.certificate)
        return super().deliver(id, message)

    def _probe(self, me: FakeHost, step: Probe, heard: bool) -> str:
        observer, subject = self.hosts[step.observer], self.hosts[step.subject]
        order = Order.at(step, me.log.roster)
        if not self.reach(observer, subject) or not order.in_time(observer.log.roster):
            return ""
        if subject.serves != step.certificate:
            return f"it met {subject.serves and subject.serves.short}"
        if not observer.accepts(subject.id, subject.serves):
            return "it does not believe what it met"
        if not subject.accepts(observer.id, observer.serves):
            return "it is not believed itself"
        if heard:
            held = observer.log.head_number
            me.probes.add(Probed(step.observer, step.subject, step.certificate, held))
        return ""

    def append(self, me: FakeHost, step: Append) -> str:
        """Write this entry; says why not, if the log's rules refuse it."""
        if isinstance(step.body, e.TakenOver):
            taker = self.hosts[step.body.host]
            return self._take_over(taker, step) if self.reach(me, taker) else ""
        key = me.serves or me.serves_at_start
        try:
            me.log = minted.grown(me.log, minted.signed(me.log, step.body, key))
        except Failure as why:
            return str(why)
        me.heal()
        return ""

    def _take_over(self, taker: FakeHost, step: Append) -> str:
        """Sign, collect endorsements, and write both entries; or write the one, on an order."""
        key = taker.serves or taker.serves_at_start
        candidate = minted.signed(taker.log, step.body, key, alone=step.alone)
        if step.alone:
            return self._write(taker, candidate, alone=True)
        handed_back = [h.voted_for for h in self.others(taker) if h.voted_for]
        mine = [taker.voted_for] if taker.voted_for else []
        standing = standing_candidate(taker.log, taker.id, [*mine, *handed_back])
        if standing is None and self._reaches_coordinator(taker):
            return "the coordinator is back"
        return self._collect(taker, standing or candidate)

    def _reaches_coordinator(self, me: FakeHost) -> bool:
        coordinator = me.log.roster.coordinator
        return any(h.id == coordinator for h in self.others(me))

    def _collect(self, taker: FakeHost, candidate: SignedEntry) -> str:
        key, roster = taker.serves or taker.serves_at_start, taker.log.roster
        taker.vote = Vote(taker.log.head_hash, candidate.hash)
        taker.voted_for = candidate
        collected = Collected(candidate)
        for host in self.others(taker):
            if host.log.head_number < taker.log.head_number:
                host.take(taker.log.entries)
            if given := host.endorse(candidate, lost=not self._reaches_coordinator(host)):
                collected = collected.with_endorsement(given)
        body = collected.body(roster)
        if body is None:
            return f"too few endorse it: {len(collected.missing(roster))} do not"
        return self._write(taker, candidate, minted.following(candidate, body, key))

    def _write(self, taker: FakeHost, *entries: SignedEntry, alone: bool = False) -> str:
        try:
            taker.log = minted.grown(taker.log, *entries, alone=alone)
        except Failure as why:
            return str(why)
        drives = self.drives(taker)
        if alone and drives and drives.plan.id in self.told.alone:
            self.told.orders.add(entries[0].hash)
            self.lost_with(taker)
        taker.fit = True
        taker.fresh = self.confirm(taker)
        return ""

    def lost_with(self, taker: FakeHost) -> None:
        """What was told may be lost by following an order; it is said so."""
        members = taker.log.roster.members
        for host in self.told.ejected.keys() & members.keys():
            del self.told.ejected[host]
        self.told.required = self.told.required and taker.log.roster.verification


def _doer(step: Step) -> HostId | None:
    match step:
        case Append():
            return None
        case Probe(observer=host) | Adopt(host=host) | Promote(host=host) | Retire(host=host):
            return host
