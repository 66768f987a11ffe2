"""The model: a pool in which anything happens between any two steps.

`machine(planners, invariants)` is a Hypothesis state machine that checks every invariant after
every single change, and in the end brings everybody back and wants every operation to end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pooltrust.pool.plan.operation import Suspended
from pooltrust.pool.plan.plan import Kind
from pooltrust.pool.plan.steps import Step

from .fake_hands import Fate
from .fake_host import FakeHost
from .fake_pool import FakePool
from .invariants import INVARIANTS, Broken, Invariant, check
from .minted import HOSTS
from .wrong_planners import RIGHT, Planners


@dataclass(frozen=True)
class Story:
    """What administrators mostly do, and what else happens; an order and a mishap by number."""

    verification: bool
    """Whether the pool verifies from the beginning."""
    orders: tuple[Kind, ...]
    mishaps: tuple[str, ...]


REFRESH, EJECT, HAND_OVER = Kind.CERT_REFRESH, Kind.EJECT, Kind.DESIGNATE_NEW_MASTER
ENABLE = Kind.TLS_VERIFICATION_ENABLE
STORIES = {
    "identities": Story(
        True,
        (*[REFRESH] * 5, EJECT, HAND_OVER),
        (*["abandon"] * 4, "lose journal", "lose journal", "mend", "take over", "take over"),
    ),
    "members": Story(
        True,
        (EJECT, EJECT, HAND_OVER, REFRESH),
        ("abandon", "lose journal", "mend", *["take over"] * 4, "admit", "admit"),
    ),
    "verification": Story(
        False,
        (*[ENABLE] * 3, EJECT, REFRESH),
        ("abandon", "lose journal", "take over", "take over", "switch", "switch"),
    ),
    "alone": Story(
        True,
        (REFRESH, REFRESH, EJECT, HAND_OVER),
        (*["seize"] * 3, *["follow"] * 3, "take over", "abandon", "lose journal", "mend", "admit"),
    ),
}


@dataclass(frozen=True)
class Work:
    """What is ordered now, if anything; so many steps; then another one, with this fate."""

    order: int | None
    host: int
    steps: int
    pick: int
    fate: Fate

    @classmethod
    def number(cls, number: int) -> Work:
        """One of all: drawing a single number is what makes a story cheap to tell."""
        number, order = divmod(number, 2 * ORDERS)
        number, host = divmod(number, 5)
        number, steps = divmod(number, len(STEPS))
        pick, fate = divmod(number, len(FATES))
        return cls(order if order < ORDERS else None, host, STEPS[steps], pick, FATES[fate])


ORDERS, PICKS = 15, 20
STEPS = (0, 0, 1, 2, 4, 8, 16)
FATES = (Fate.DONE, Fate.LATE, *Fate)
THEN = st.integers(0, 2 * ORDERS * 5 * len(STEPS) * PICKS * len(FATES) - 1).map(Work.number)
HOST = st.integers(0, 4)
SIDES = st.sampled_from(
    [[0, 1, 1, 1, 1], [0, 0, 1, 1, 1], [0, 1, 1, 0, 1], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0]]
)
WHOLE = [0, 0, 0, 0, 0]
WEATHER = ("back", "back", "back", "catch up", "crash", "restart", "split", "late", "late")
PATIENCE = 200
ROUNDS = 6


class Model(RuleBasedStateMachine):
    """What may happen."""

    planners: Planners = RIGHT
    promises: tuple[Invariant, ...] = INVARIANTS

    def __init__(self) -> None:
        super().__init__()
        self.pool = FakePool.of(3)
        self.story = STORIES["identities"]
        self.checked: object = None

    @initialize(
        count=st.sampled_from([3, 4, 4, 4, 5]),
        story=st.sampled_from(sorted(STORIES)),
        sides=st.just(WHOLE) | SIDES,
    )
    def found(self, count: int, story: str, sides: list[int]) -> None:
        self.story = STORIES[story]
        verification = self.story.verification
        self.pool = FakePool.of(count, verification=verification, planners=self.planners)
        self.pool.changed = self.check
        self.pool.split(sides)

    def check(self) -> None:
        state = self.pool.state()
        if state != self.checked:
            check(self.pool, self.promises)
            self.checked = state

    def host(self, index: int) -> FakeHost:
        hosts = list(self.pool.hosts.values())
        return hosts[index % len(hosts)]

    @rule(then=THEN)
    def work(self, then: Work) -> None:
        if then.order is not None:
            self.order(self.story.orders[then.order % len(self.story.orders)], then.host)
        for me in self.pool.drivers():
            if me.stopped:
                self.pool.go_on(me)
            for number in range(then.steps):
                if not self.pool.advance(me, _picking(then.pick + number), Fate.DONE):
                    break
            self.pool.advance(me, _picking(then.pick), then.fate)

    def order(self, kind: Kind, host: int) -> None:
        for me in self.pool.free():
            hosts = list(self.pool.hosts.values())
            if kind is Kind.CERT_REFRESH:
                hosts = [h for h in hosts if self.pool.reach(me, h)]
            self.pool.order(me, kind, hosts[host % len(hosts)].id)

    @rule(what=st.sampled_from(WEATHER), host=HOST, sides=SIDES, then=THEN)
    def weather(self, what: str, host: int, sides: list[int], then: Work) -> None:
        pool, one = self.pool, self.host(host)
        match what:
            case "crash":
                pool.crash(one)
            case "restart":
                pool.crash(one)
                pool.start(one)
            case "split":
                pool.split(sides)
            case "catch up":
                if one.up:
                    pool.catch_up(one)
            case "late":
                self.what_was_late_arrives(host, again=sides[0] == 1)
            case _:
                pool.split(WHOLE)
                self.wake()
        self.work(then)

    def what_was_late_arrives(self, which: int, *, again: bool) -> None:
        late = self.pool.late
        if late:
            message = late[which % len(late)] if again else late.pop(which % len(late))
            self.pool.deliver(*message)
            self.check()

    @rule(what=st.integers(0, 35), host=HOST, sides=SIDES, then=THEN)
    def mishap(self, what: int, host: int, sides: list[int], then: Work) -> None:
        one, pool = self.host(host), self.pool
        match self.story.mishaps[what % len(self.story.mishaps)]:
            case "lose journal":
                for me in pool.drivers() or [one]:
                    me.journal = None
            case "switch":
                one.override = not one.override
                self.check()
            case "abandon":
                self.work(then)  # as far as it came
                for me in pool.drivers():
                    pool.abandon(me)
            case "take over":
                pool.split(sides)
                self.work(then)  # the coordinator has not noticed yet
                self.begin_takeover(host, self.take_over_endorsed)
            case "seize":
                pool.split(sides)
                self.begin_takeover(host, pool.seize)
            case "follow":
                self.follow(one)
            case "mend":
                for me in pool.free():
                    pool.mend(me)
            case "admit":
                for me in pool.free()[:1]:
                    self.admit(me, host)
        self.work(then)

    def admit(self, me: FakeHost, host: int) -> None:
        """A host joins: a new one, or one whose ejection is done."""
        joined = self.pool.hosts.keys() - self.pool.told.ejected.keys()
        strangers = [h for h in HOSTS if h not in me.log.roster.members.keys() | joined]
        if strangers:
            self.pool.admit(me, strangers[host % len(strangers)])

    def follow(self, one: FakeHost) -> None:
        for other in self.pool.others(one) if self.pool.fell_apart() else []:
            if other.log.roster.coordinator == other.id != one.log.roster.coordinator:
                self.pool.follow(one, other)
                return

    def begin_takeover(self, host: int, how: Callable[[FakeHost], object]) -> None:
        """One of those that have lost their coordinator takes over."""
        for me in self.pool.hosts.values():
            if me.up:
                self.pool.catch_up(me)
        lost = [me for me in self.pool.hosts.values() if self.has_lost_coordinator(me)]
        if lost:
            how(lost[host % len(lost)])

    def has_lost_coordinator(self, me: FakeHost) -> bool:
        coordinator = self.pool.hosts[me.log.roster.coordinator]
        there = me.up and me.is_member and me.emergency is None
        return there and not self.pool.reach(me, coordinator)

    def take_over_endorsed(self, me: FakeHost) -> None:
        self.pool.order(me, Kind.EMERGENCY_TRANSITION, me.id)

    def wake(self) -> None:
        for host in self.pool.hosts.values():
            if not host.up:
                self.pool.start(host)
        for _ in range(2):
            heads = {host.log.head_hash for host in self.pool.hosts.values()}
            if len(heads) == 1 and all(host.fresh for host in self.pool.hosts.values()):
                return
            for host in self.pool.hosts.values():
                self.pool.catch_up(host)

    def teardown(self) -> None:
        """In the end everybody is back, and every operation ends: what can't go on is abandoned."""
        self.pool.late.clear()
        self.pool.split(WHOLE)
        self.wake()
        if self.pool.fell_apart():
            return
        for _ in range(ROUNDS):
            self.release()
            for me in self.pool.free():
                self.pool.mend(me)
            for me in self.pool.drivers():
                self.pool.go_on(me)
                self.run(me)
        if every := next((i for i in self.promises if "ends" in i.__name__), None):
            for words in self.pool.left_undone():
                raise Broken(every.__name__, f"in the end {words}")

    def run(self, me: FakeHost) -> None:
        """Carry its operation out; abandon it if that is the only way."""
        for number in range(PATIENCE):
            if not self.pool.advance(me, _picking(number), Fate.DONE):
                break
        if self.pool.drives(me) and isinstance(self.pool.next(me), Suspended):
            self.pool.abandon(me)

    def release(self) -> None:
        """A vote for a takeover that never came is overruled by an order."""
        for host in self.pool.hosts.values():
            coordinator = self.pool.hosts[host.log.roster.coordinator]
            if host.bound and coordinator.up and not host.emergency:
                host.take(coordinator.log.entries, ordered=[coordinator.log.head_hash])
                host.voted_for = None
        self.wake()


def _picking(pick: int) -> Callable[[Sequence[Step]], Step]:
    return lambda steps: steps[pick % len(steps)]


def machine(
    planners: Planners = RIGHT, invariants: tuple[Invariant, ...] = INVARIANTS
) -> type[RuleBasedStateMachine]:
    """The model with these planners and these invariants."""
    facts: dict[str, Any] = {"planners": planners, "promises": invariants}
    return type("Model", (Model,), facts)
