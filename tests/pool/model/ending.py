"""How everything ends: everybody is back, and what can't go on is abandoned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from pooltrust.pool.plan.operation import Suspended
from pooltrust.pool.plan.steps import Step

from ..fakes.hands import Fate
from ..fakes.host import FakeHost
from ..fakes.pool import FakePool

Picking: TypeAlias = Callable[[Sequence[Step]], Step]

PATIENCE = 200
ROUNDS = 6


def in_the_end(pool: FakePool) -> None:
    """Bring everybody back, and let every operation go on until nothing changes any more."""
    pool.late.clear()
    pool.split([0] * len(pool.hosts))
    wake(pool)
    for _ in range(0 if pool.fell_apart() else ROUNDS):
        _release(pool)
        for me in pool.free():
            pool.mend(me)
        for me in pool.drivers():
            pool.go_on(me)
            _run(pool, me)


def left_undone(pool: FakePool) -> Iterator[str]:
    """Operations that have not ended, and refreshes that nobody is about to end."""
    if pool.fell_apart():
        return
    for me in pool.drivers():
        now = pool.next(me)
        yield f"it has not ended: {now.words if isinstance(now, Suspended) else now}"
    for me in pool.free():
        for member in me.log.roster.members.values():
            if len(member.certificates) > 1:
                yield f"two certificates of {member.name} are accepted"


def wake(pool: FakePool) -> None:
    """Start whoever is down, and let everybody catch up."""
    for host in pool.hosts.values():
        if not host.up:
            pool.start(host)
    for _ in range(2):
        heads = {host.log.head_hash for host in pool.hosts.values()}
        if len(heads) == 1 and all(host.fresh for host in pool.hosts.values()):
            return
        for host in pool.hosts.values():
            pool.catch_up(host)


def _run(pool: FakePool, me: FakeHost) -> None:
    """Carry its operation out; abandon it if that is the only way."""
    for number in range(PATIENCE):
        if not pool.advance(me, picking(number), Fate.DONE):
            break
    if pool.drives(me) and isinstance(pool.next(me), Suspended):
        pool.abandon(me)


def _release(pool: FakePool) -> None:
    """A vote for a takeover that never came is overruled by an order."""
    for host in pool.hosts.values():
        coordinator = pool.hosts[host.log.roster.coordinator]
        if host.bound and coordinator.up and not host.emergency:
            host.take(coordinator.log.entries, ordered=[coordinator.log.head_hash])
            host.voted_for = None
    wake(pool)


def picking(pick: int) -> Picking:
    """Chooses one of several steps that may be done at once, by number."""
    return lambda steps: steps[pick % len(steps)]
