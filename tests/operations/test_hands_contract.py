"""Real hands and those of the pool made for tests keep the same promises: the model may stand for
what is real.

One story of every kind of step is told to both, the real one to three running hosts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from daemons import Host, run, running, stock
from pool.fakes import minted
from pool.fakes.hands import Fate
from pool.fakes.pool import FakePool
from pool.plans.planned import PLANS
from pooltrust.errors import Unreachable
from pooltrust.host.operations.view import View
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import AddressChanged, CertificateAccepted, CertificateWithdrawn
from pooltrust.trust.log import Log

from .moments import nobody_goes_on
from .peace import keys
from .stage import served, settled

PLAN = PLANS["refresh"]


class Hands(Protocol):
    """The hands of a coordinator, and what they can be seen to do."""

    hosts: tuple[HostId, HostId, HostId]

    async def do(self, step: Step) -> None: ...
    async def mint(self, host: HostId) -> CertificateAccepted: ...
    async def stop(self, host: HostId) -> None: ...
    def picture(self) -> Picture: ...
    def state(self) -> object: ...
    def only_unreachable(self) -> bool: ...


class Fake:
    """The pool made for tests."""

    def __init__(self) -> None:
        self.pool = FakePool.of(3)
        one, two, three = self.pool.hosts
        self.hosts = one, two, three
        self.me = self.pool.hosts[one]

    async def do(self, step: Step) -> None:
        self.pool.carry_out(self.me, step, Fate.DONE)

    async def mint(self, host: HostId) -> CertificateAccepted:
        generation = self.pool.generations[host] = self.pool.generations.get(host, 1) + 1
        new, old = (minted.thumbprint(host, number) for number in (generation, 1))
        self.pool.hosts[host].keys.add(new)
        return minted.request(self.me.log.pool, host, old, new)

    async def stop(self, host: HostId) -> None:
        self.pool.crash(self.pool.hosts[host])

    def picture(self) -> Picture:
        return self.pool.picture(self.me)

    def state(self) -> object:
        hosts = self.pool.hosts.values()
        return [(h.log.head_hash, h.serves, h.keys - owed(h.log)) for h in hosts]

    def only_unreachable(self) -> bool:
        return not self.me.failed


class Real:
    """Three hosts that run, the first one's hands."""

    def __init__(self, hosts: tuple[Host, ...], view: View) -> None:
        self._hosts = {host.me: host for host in hosts}
        one, two, three = self._hosts
        self.hosts = one, two, three
        self._hands = hosts[0].daemon.desk._hands
        self._view = view

    async def do(self, step: Step) -> None:
        await self._hands.do(step, PLAN, self._view)

    async def mint(self, host: HostId) -> CertificateAccepted:
        request = await self._hosts[host].daemon.keys.mint()
        await self._hands.look(self._view)
        return request

    async def stop(self, host: HostId) -> None:
        await self._hosts.pop(host).stop()

    def picture(self) -> Picture:
        return self._view.picture()

    def state(self) -> object:
        hosts = self._hosts.values()
        logs = [host.daemon.belief.log for host in hosts]
        return [
            (log.head_hash, served(host), keys(host) - owed(log))
            for host, log in zip(hosts, logs, strict=True)
        ]

    def only_unreachable(self) -> bool:
        return all(isinstance(why, Unreachable) for why in self._view.against(set(self.hosts)))


def owed(log: Log) -> frozenset[Thumbprint]:
    """Withdrawn certificates: a host deletes their keys for itself, whenever it may."""
    return Picture(HostId(""), log).withdrawn(0)


@dataclass(frozen=True)
class Observed:
    """One step, done twice."""

    step: Step
    held_before: bool
    holds: bool
    failed: bool
    changed_by_the_second: bool


@dataclass(frozen=True)
class Missed:
    """One step of a host that does not run."""

    step: Step
    holds: bool
    as_away: bool
    """Its host is counted as away, or the step as one that could not reach it."""
    only_unreachable: bool


@dataclass(frozen=True)
class Told:
    done: list[Observed]
    missed: list[Missed]


async def told(hands: Hands) -> Told:
    """The same story of either: a refresh, and then a host is gone."""
    h1, h2, h3 = hands.hosts
    after = hands.picture().log.head_number
    old = hands.picture().roster.members[h2].newest.thumbprint
    request, spare = await hands.mint(h2), await hands.mint(h3)
    new, staged = (Thumbprint.of(one.certificate) for one in (request, spare))
    steps: list[Step] = [
        Append(request, after), Adopt(h2), Adopt(h3), Promote(h2, new),
        *(Probe(host, h2, new, after) for host in (h1, h2, h3)),
        Append(CertificateWithdrawn(h2, old, "replaced"), after), Adopt(h3), Adopt(h2),
        Retire(h3, staged),
    ]  # fmt: skip
    done = [await _twice(hands, step) for step in steps]
    theirs = hands.picture().roster.members[h3].newest.thumbprint
    await hands.stop(h3)
    await hands.do(Append(AddressChanged(h1, "127.0.7.9"), after + 2))
    lost: list[Step] = [
        Adopt(h3), Promote(h3, new), Retire(h3, theirs),
        Probe(h3, h2, old, after), Probe(h1, h3, theirs, after),
    ]  # fmt: skip
    return Told(done, [await _missed(hands, step, h3) for step in lost])


async def _twice(hands: Hands, step: Step) -> Observed:
    before = step.holds(hands.picture())
    await hands.do(step)
    picture, state = hands.picture(), hands.state()
    await hands.do(step)
    holds = step.holds(picture) and step.holds(hands.picture())
    failed = step in hands.picture().failed
    return Observed(step, before, holds, failed, hands.state() != state)


async def _missed(hands: Hands, step: Step, host: HostId) -> Missed:
    await hands.do(step)
    picture = hands.picture()
    away = host not in picture.reachable() or "reach" in picture.failed.get(step, "")
    return Missed(step, step.holds(picture), away, hands.only_unreachable())


async def _fake() -> Told:
    return await told(Fake())


def _real(hosts: tuple[Host, ...]) -> Callable[[], Awaitable[Told]]:
    async def story() -> Told:
        async with running(*hosts):
            await settled(*hosts)
            hands = hosts[0].daemon.desk._hands
            view = hands.view()
            await hands.look(view)
            return await told(Real(hosts, view))

    return story


@pytest.fixture(scope="module", params=["fake", "real"])
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    if request.param == "fake":
        yield run(_fake())
        return
    folder: Path = tmp_path_factory.mktemp("contract")
    hosts = stock(tmp_path_factory).pool(folder, "h1", "h2", "h3")
    with pytest.MonkeyPatch.context() as patch:
        nobody_goes_on(patch)
        yield run(_real(hosts)(), 60)


def test_a_step_that_was_done_holds_and_did_not_before(story: Told) -> None:
    assert [(one.step, False, True, False) for one in story.done] == [
        (one.step, one.held_before, one.holds, one.failed) for one in story.done
    ]


def test_doing_it_twice_changes_nothing(story: Told) -> None:
    assert [one.step for one in story.done if one.changed_by_the_second] == []


def test_a_step_of_a_host_that_does_not_answer_does_not_hold_and_says_so(story: Told) -> None:
    assert [(one.step, False, True, True) for one in story.missed] == [
        (one.step, one.holds, one.as_away, one.only_unreachable) for one in story.missed
    ]


def test_every_kind_of_step_is_in_the_story(story: Told) -> None:
    assert {type(one.step) for one in story.done} == {Append, Adopt, Promote, Probe, Retire}
