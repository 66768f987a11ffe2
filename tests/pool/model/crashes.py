"""One operation, and one host that dies, or can't write, at one of its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pooltrust.pool.plan.plan import Kind
from pooltrust.pool.plan.steps import Adopt, Step
from pooltrust.terms import HostId

from ..fakes.hands import Fate
from ..fakes.host import FakeHost
from ..fakes.minted import HOSTS
from ..fakes.pool import FakePool
from .ending import PATIENCE, in_the_end
from .invariants import INVARIANTS, check

H1, H2, H3 = HOSTS[:3]
WHEN = ("before", "after", "torn", "no room")


@dataclass(frozen=True)
class Scene:
    """An operation that `leader` is ordered to carry out."""

    kind: Kind
    subject: HostId
    is_done: Callable[[FakePool], bool]
    leader: HostId = H1
    away: HostId | None = None
    verification: bool = True
    may_lapse: bool = False
    """There is no need of it any more when everybody is back."""


def _refreshed(pool: FakePool, host: HostId) -> bool:
    first = pool.hosts[H3].log.roster_at(3).members[host].newest
    return first not in pool.hosts[H3].log.roster.members[host].certificates


def _leads(pool: FakePool, host: HostId) -> bool:
    return pool.hosts[H3].log.roster.coordinator == host


def _is_gone(pool: FakePool) -> bool:
    return H3 not in pool.hosts[H1].log.roster.members


SCENES: Mapping[str, Scene] = {
    "refresh of a supporter": Scene(Kind.CERT_REFRESH, H2, lambda pool: _refreshed(pool, H2)),
    "refresh of the coordinator": Scene(Kind.CERT_REFRESH, H1, lambda pool: _refreshed(pool, H1)),
    "ejection": Scene(Kind.EJECT, H3, _is_gone),
    "ejection of a lost host": Scene(Kind.EJECT, H3, _is_gone, away=H3),
    "enabling": Scene(
        Kind.TLS_VERIFICATION_ENABLE,
        HostId(""),
        lambda pool: pool.hosts[H3].log.roster.verification,
        verification=False,
    ),
    "change of coordinator": Scene(Kind.DESIGNATE_NEW_MASTER, H2, lambda pool: _leads(pool, H2)),
    "takeover": Scene(
        Kind.EMERGENCY_TRANSITION,
        H2,
        lambda pool: _leads(pool, H2),
        leader=H2,
        away=H1,
        may_lapse=True,
    ),
}


@dataclass(frozen=True)
class Case:
    """Which host, at which step (0: the operation is stored), and when it is back."""

    number: int
    host: HostId
    when: str
    at_once: bool


def cases(steps: int) -> Iterator[Case]:
    """All of them for an operation of so many steps."""
    for number in range(steps + 1):
        for host in (H1, H2, H3):
            for when in WHEN:
                for at_once in (False,) if when == "no room" else (False, True):
                    yield Case(number, host, when, at_once)


def begun(scene: Scene) -> FakePool:
    """The pool as it is before; every promise is checked after every change."""
    pool = FakePool.of(3, verification=scene.verification)
    pool.changed = lambda: check(pool, INVARIANTS)
    if scene.away:
        pool.crash(pool.hosts[scene.away])
        for host in pool.hosts.values():
            if host.up:
                pool.catch_up(host)
    return pool


def order(pool: FakePool, scene: Scene) -> None:
    assert pool.order(pool.hosts[scene.leader], scene.kind, scene.subject)


def number_of_steps(scene: Scene) -> int:
    """How many single steps it has when nothing happens."""
    pool = begun(scene)
    order(pool, scene)
    steps = 0
    while (driver := _driver(pool)) and pool.advance(driver, _first, Fate.DONE):
        steps += 1
    assert scene.is_done(pool)
    return steps


def played(scene: Scene, case: Case) -> FakePool:
    """The pool after all of it, when everybody is back and nothing changes any more."""
    pool = begun(scene)
    victim = pool.hosts[case.host]
    if case.number:
        order(pool, scene)
    else:
        _store(pool, scene, case)
    for number in range(1, PATIENCE):
        driver = _driver(pool)
        if driver is None:
            break
        if number == case.number:
            _hit(pool, driver, case)
            if case.at_once and not victim.up and victim.id != scene.away:
                pool.start(victim)
        elif not pool.advance(driver, _first, Fate.DONE):
            break
    in_the_end(pool)
    return pool


def _driver(pool: FakePool) -> FakeHost | None:
    """Whoever carries it out now: after a change of coordinator the new one, when it has heard."""
    if not pool.drivers():
        for host in pool.hosts.values():
            if host.up:
                pool.catch_up(host)
    return next(iter(pool.drivers()), None)


def _store(pool: FakePool, scene: Scene, case: Case) -> None:
    """It is stored nowhere, everywhere, or by its leader alone, when the host dies."""
    if case.when in ("after", "torn"):
        order(pool, scene)
    if case.when == "torn":
        for host in pool.hosts.values():
            if host.id != scene.leader:
                host.journal = None
    if case.when != "no room":
        _die(pool, pool.hosts[case.host])


def _hit(pool: FakePool, leader: FakeHost, case: Case) -> None:
    victim = pool.hosts[case.host]
    if not pool.advance(leader, _first, Fate.WAITS):
        return
    step = leader.todo[0]
    match case.when:
        case "before":
            _die(pool, victim)
            pool.advance(leader, _first, Fate.DONE)
        case "after":
            pool.advance(leader, _first, Fate.DONE)
            _die(pool, victim)
        case "torn":
            leader.todo.remove(step)
            if isinstance(step, Adopt) and step.host == victim.id:
                _half(victim, leader)
            _die(pool, victim)
        case _:
            leader.todo.remove(step)
            leader.failed[step] = "there is no room on the disk"
            leader.failed_at[step] = None
            pool.changed()


def _half(victim: FakeHost, leader: FakeHost) -> None:
    """Of the entries that it lacks it has stored all but the last one."""
    victim.take(leader.log.entries[:-1])


def _die(pool: FakePool, host: FakeHost) -> None:
    if host.up:
        pool.crash(host)


def _first(steps: Sequence[Step]) -> Step:
    return steps[0]
