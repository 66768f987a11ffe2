"""A pool made for tests: operations are ordered, carried out and given up as a real driver does it.

Look, ask the operation, do one step, look again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from pooltrust.errors import Refused
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.plan.operation import Do, Done, Next, Operation, Suspended
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Kind, Plan
from pooltrust.pool.plan.steps import Step
from pooltrust.terms import HostId
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log

from . import minted
from .hands import FakeHands, Fate
from .host import FakeHost
from .network import Told
from .planners import RIGHT, Planners


@dataclass(eq=False)
class FakePool(FakeHands):
    """The pool with its planners, and what administrators order."""

    planners: Planners = RIGHT
    generations: dict[HostId, int] = field(default_factory=dict)
    count: int = 0

    @classmethod
    def of(cls, count: int, *, verification: bool = True, planners: Planners = RIGHT) -> FakePool:
        log = minted.founded(count, verification=verification)
        hosts = {}
        for host in log.roster.members:
            key = minted.thumbprint(host, 1)
            hosts[host] = FakeHost(
                *(host, log, {key}, key),
                serves=key,
                fit=True,
                settled=log.head_number,
                accepting=planners.accepts,
                stores=planners.stores,
            )
        return cls(hosts, told=Told(required=0 if verification else None), planners=planners)

    def drivers(self) -> list[FakeHost]:
        """The hosts that carry out an operation now."""
        return [h for h in self.hosts.values() if self.drives(h)]

    def free(self) -> list[FakeHost]:
        """The coordinators that could begin something."""
        hosts = self.hosts.values()
        return [h for h in hosts if not h.journal and not h.emergency and self.leads(h)]

    def begin(self, me: FakeHost, plan: Plan | None) -> None:
        if plan is not None:
            self.store(me, Operation(plan))

    def store(self, me: FakeHost, operation: Operation) -> None:
        """Store an operation before its first step; a coordinator ships it to the others."""
        self.go_on(me)
        if operation.plan.kind is Kind.EMERGENCY_TRANSITION:
            me.emergency = operation
        else:
            for host in self._followers(me):
                host.journal = operation
        self.changed()

    def _followers(self, me: FakeHost) -> list[FakeHost]:
        """Whoever is there and takes this host for the coordinator; itself too."""
        there = [h for h in self.others(me) if h.log.roster.coordinator == me.id]
        return [me, *there]

    def next(self, me: FakeHost) -> Next:
        operation = self.drives(me)
        assert operation is not None
        return operation.next(self.settled(self.picture(me)))

    def settled(self, picture: Picture) -> Picture:
        """With what is seen to be committed by now: a real host counts whenever it sees a head."""
        return replace(picture, settled=picture.settles)

    def advance(self, me: FakeHost, choose: Callable[[Sequence[Step]], Step], fate: Fate) -> bool:
        """One step of this host's operation.  False if there is none to be taken.

        What was decided together is done before it looks again, whatever happens meanwhile.
        """
        operation = self.drives(me)
        if operation is None:
            return False
        if not me.todo:
            me.todo = self._decided(me, operation)
        if not me.todo or fate is Fate.WAITS:
            return bool(me.todo)
        step = choose(me.todo)
        me.todo.remove(step)
        self.carry_out(me, step, fate)
        self.changed()
        return True

    def _decided(self, me: FakeHost, operation: Operation) -> list[Step]:
        self.fetch(me)
        self.changed()
        if self.drives(me) != operation:
            return []
        picture = self._look(me)
        me.settled = picture.settles
        now = operation.next(picture)
        if isinstance(now, Done):
            self._finish(me, operation)
        me.stopped = isinstance(now, Suspended)
        return list(now.steps) if isinstance(now, Do) else []

    def _look(self, me: FakeHost) -> Picture:
        """Before each decision: who has returned by then is believed by its log of now."""
        picture = self.picture(me)
        me.met = me.met or picture.reachable()
        if not self.planners.looks_again:
            for host in picture.reachable() - me.met:
                picture = picture.seen(host, reachable=False)
        return picture

    def _finish(self, me: FakeHost, operation: Operation) -> None:
        plan = operation.plan
        if plan.kind is Kind.EJECT and (said := _dismissal(me.log, plan.subject)):
            self.told.ejected[plan.subject] = said
        if plan.kind is Kind.TLS_VERIFICATION_ENABLE and not operation.abandoning:
            self.told.required = me.log.head_number
        picture = self.picture(me)
        entries = [entry for phase in plan.phases for entry in phase.entries]
        numbers = [picture.written(entry) for entry in entries]
        for number in filter(None, numbers):
            self.told.done.setdefault(number, me.log.at(number).hash)
        for host in self._followers(me):
            if host.journal and host.journal.plan.id == plan.id:
                host.journal = None
        if me.emergency and me.emergency.plan.id == plan.id:
            me.emergency = None
        self.changed()

    def asked(self) -> Asked:
        self.count += 1
        return Asked(str(UUID(int=self.count, version=4)), "root", "test")

    def order(self, me: FakeHost, kind: Kind, subject: HostId) -> bool:
        """Begin an operation, if the coordinator is free.  False if it was refused."""
        picture, planners, asked = self.picture(me), self.planners, self.asked()
        try:
            match kind:
                case Kind.CERT_REFRESH:
                    plan: Plan | None = self._refresh(picture, subject, asked)
                case Kind.EJECT:
                    plan = planners.eject(picture, subject, asked)
                case Kind.TLS_VERIFICATION_ENABLE:
                    plan = planners.enable(picture, asked)
                case Kind.DESIGNATE_NEW_MASTER:
                    plan = planners.hand_over(picture, subject, asked)
                case Kind.EMERGENCY_TRANSITION:
                    plan = planners.take_over(picture, asked)
                case Kind.RECOVER:
                    plan = planners.recover(picture, asked)
        except Refused:
            return False
        self.begin(me, plan)
        return plan is not None

    def _refresh(self, picture: Picture, subject: HostId, asked: Asked) -> Plan | None:
        host = self.hosts[subject]
        if not picture.known(subject).reachable or not host.is_member:
            return None
        self.generations[subject] = self.generations.get(subject, 1) + 1
        new = minted.thumbprint(subject, self.generations[subject])
        old = host.log.roster.members[subject].newest.thumbprint
        host.keys.add(new)
        if old not in host.keys:
            return None
        request = minted.request(picture.log.pool, subject, old, new)
        return self.planners.refresh(picture, request, asked)

    def mend(self, me: FakeHost) -> None:
        if (operation := self.planners.mend(self.picture(me), self.asked())) is not None:
            self.store(me, operation)

    def go_on(self, me: FakeHost) -> None:
        """Begin another run: look again, and try again what was refused."""
        me.forget()
        self.stuck.clear()

    def abandon(self, me: FakeHost) -> None:
        operation = self.drives(me)
        if operation and operation.may_abandon(self.picture(me)):
            self.store(me, operation.abandoned())

    def follow(self, host: FakeHost, leader: FakeHost) -> None:
        """An administrator orders this host to follow that coordinator."""
        self.told.ordered(host.log, leader.log)
        host.take(leader.log.entries, ordered=[leader.log.head_hash])
        host.fresh = self.confirm(host)
        self.changed()

    def seize(self, me: FakeHost) -> None:
        """An administrator orders this host to take over, whoever agrees."""
        try:
            plan = self.planners.take_over(self.picture(me), self.asked(), alone=True)
        except Refused:
            return
        self.told.alone.add(plan.id)
        self.begin(me, plan)

    def admit(self, me: FakeHost, id: HostId) -> None:
        """A host joins, or joins again with a new identity; every member that is there hears it."""
        self.generations[id] = self.generations.get(id, 0) + 1
        key = minted.thumbprint(id, self.generations[id])
        body = minted.admission(me.log.pool, me.signs_with, id, key)
        if self.append(me, body):
            return
        self.hosts[id] = FakeHost(
            *(id, me.log, {key}, key),
            serves=key,
            fresh=False,
            side=me.side,
            settled=me.settled,
            accepting=self.planners.accepts,
            stores=self.planners.stores,
        )
        self.told.ejected.pop(id, None)
        for host in self.others(me):
            self.give(host, me.log.entries)
        self.hosts[id].fresh = self.confirm(self.hosts[id])
        self.changed()


def _dismissal(log: Log, host: HostId) -> SignedEntry | None:
    """The entry that dismissed this host; None while it is a member, or if it never was one."""
    if host in log.roster.members:
        return None
    return next(
        (
            signed
            for signed in reversed(log.entries)
            if isinstance(signed.entry.body, e.HostDismissed) and signed.entry.body.host == host
        ),
        None,
    )
