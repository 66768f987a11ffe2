"""The model: a pool in which anything happens between any two steps.

`machine(planners, invariants)` is a Hypothesis state machine that checks every invariant after
every single change, and in the end brings everybody back and wants every operation to end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pooltrust.pool.plan.plan import Kind

from ..fakes.hands import Fate
from ..fakes.host import FakeHost
from ..fakes.minted import HOSTS
from ..fakes.planners import RIGHT, Planners
from ..fakes.pool import FakePool
from .ending import in_the_end, left_undone, picking, wake
from .invariants import INVARIANTS, Broken, Invariant, check
from .stories import STORIES, THEN, Work

HOST = st.integers(0, 4)
SIDES = st.sampled_from(
    [[0, 1, 1, 1, 1], [0, 0, 1, 1, 1], [0, 1, 1, 0, 1], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0]]
)
WHOLE = [0, 0, 0, 0, 0]
WEATHER = ("back", "back", "back", "catch up", "crash", "restart", "split", "late", "late")


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
                if not self.pool.advance(me, picking(then.pick + number), Fate.DONE):
                    break
            self.pool.advance(me, picking(then.pick), then.fate)

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
                wake(self.pool)
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

    def teardown(self) -> None:
        """In the end everybody is back, and every operation ends."""
        in_the_end(self.pool)
        if every := next((i for i in self.promises if "ends" in i.__name__), None):
            for words in left_undone(self.pool):
                raise Broken(every.__name__, f"in the end {words}")


def machine(
    planners: Planners = RIGHT, invariants: tuple[Invariant, ...] = INVARIANTS
) -> type[RuleBasedStateMachine]:
    """The model with these planners and these invariants."""
    facts: dict[str, Any] = {"planners": planners, "promises": invariants}
    return type("Model", (Model,), facts)
