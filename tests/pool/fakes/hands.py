"""Carrying out one step in a pool made for tests, whatever becomes of it on its way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pooltrust.errors import Failure
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.picture import Picture, Probed
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step
from pooltrust.terms import HostId
from pooltrust.trust.entries import Body, TakenOver

from . import minted
from .host import FakeHost
from .network import Message
from .takeover import FakeTakeover


class Fate(Enum):
    """What becomes of one step."""

    DONE = "done"
    WAITS = "decided, and not done yet"
    LOST = "its request is lost"
    UNHEARD = "done, but its answer is lost"
    LATE = "its request arrives later"
    DIES_BEFORE = "the host dies before it"
    DIES_AFTER = "the host dies after it"
    I_DIE = "the driver dies after it"


@dataclass(eq=False)
class FakeHands(FakeTakeover):
    """What hosts do when a driver tells them to."""

    def drives(self, me: FakeHost) -> Operation | None:
        """The operation that this host carries out now."""
        if me.up and me.is_member and me.emergency is not None:
            return me.emergency
        return me.journal if me.journal and self.leads(me) else None

    def carry_out(self, me: FakeHost, step: Step, fate: Fate) -> None:
        host = self.hosts[_doer(step) or me.id]
        if fate is Fate.DIES_BEFORE:
            self.crash(host)
        elif host is me or (fate is not Fate.LOST and self.reach(me, host)):
            heard = fate in (Fate.DONE, Fate.DIES_AFTER, Fate.I_DIE)
            why = self._hand(me, step, fate is Fate.LATE and host is not me, heard)
            if why:
                me.failed[step], me.failed_at[step] = why, self.heads(me, step)
            elif fate is Fate.DONE:
                self.stuck[step] = self.stuck.get(step, 0) + 1
        if fate is Fate.DIES_AFTER:
            self.crash(host)
        if fate is Fate.I_DIE and me.up:
            self.crash(me)

    def _hand(self, me: FakeHost, step: Step, late: bool, heard: bool) -> str:
        """Do it; says why not, if it is refused."""
        match step:
            case Append(body=TakenOver()):
                return self.take_over(me, step, heard=heard)
            case Append():
                written = step.holds(Picture(me.id, me.log))
                return "" if written else self.append(me, step.body)
            case Adopt(host=id):
                why = self._send(id, me.log.entries, late)
                if not late:  # they have shown one another what their logs end with
                    self.hosts[id].fresh = self.hosts[id].up and self.confirm(self.hosts[id])
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

    def append(self, me: FakeHost, body: Body) -> str:
        """Write this entry; says why not, if the log's rules refuse it."""
        try:
            me.hold(minted.grown(me.log, minted.signed(me.log, body, me.signs_with)))
        except Failure as why:
            return str(why)
        me.heal()
        return ""


def _doer(step: Step) -> HostId | None:
    match step:
        case Append():
            return None
        case Probe(observer=host) | Adopt(host=host) | Promote(host=host) | Retire(host=host):
            return host
