"""What operations cost to think about: they are carried out in pictures only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from uuid import UUID

from bench.scale.simulated import START, Simulated
from bench.scale.timing import timed
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.enable import enable
from pooltrust.pool.operations.refresh import refresh
from pooltrust.pool.plan.operation import Do, Done, Operation
from pooltrust.pool.plan.picture import Picture, Probed
from pooltrust.pool.plan.plan import Plan
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step

ASKED = Asked(str(UUID(int=7, version=4)), "root", "pool.change")
Planner = Callable[[Picture], Plan | None]


@dataclass(frozen=True)
class Thought:
    """How often `Operation.next` was asked, and how long it took (s)."""

    asked: int
    steps: int
    longest: float
    whole: float


def of_a_refresh(pool: Simulated) -> Thought:
    """Refresh one host of the pool, as a driver would that does every step at once."""
    host = pool.supporter()
    new = mint_pool_identity(host, START)
    request = pool.request(host, new)
    return _of(pool, lambda picture: refresh(picture, request, ASKED), new)


def of_enabling(pool: Simulated) -> Thought:
    """Require verification, for which everybody meets everybody."""
    return _of(pool, lambda picture: enable(picture, ASKED), None)


def _of(pool: Simulated, planned: Planner, new: Identity | None) -> Thought:
    """Think an operation through to its end; the pool is as it was then."""
    log, keys = pool.log, dict(pool.keys)
    picture = Picture.whole(pool.log, pool.log.roster.coordinator)
    plan = planned(picture)
    if plan is None:
        raise RuntimeError("there is nothing to do")
    times: list[float] = []
    done = 0
    while True:
        took, answer = timed(partial(Operation(plan).next, picture))
        times.append(took)
        match answer:
            case Do(steps=steps):
                done += len(steps)
                picture = carried_out(steps, picture, pool, new)
            case Done(owed=()):
                pool.log, pool.keys = log, keys
                return Thought(len(times), done, max(times), sum(times))
            case stopped:
                raise RuntimeError(f"the operation did not end: {stopped}")


def carried_out(
    steps: tuple[Step, ...], picture: Picture, pool: Simulated, new: Identity | None
) -> Picture:
    """The picture after these steps; `new` is the identity that a refresh brings."""
    hosts = dict(picture.hosts)
    met: set[Probed] = set()
    for step in steps:
        match step:
            case Append(body=body):
                pool.append(body)
                picture = picture.grown(pool.log)
            case Adopt(host=host):
                hosts[host] = replace(hosts[host], held=pool.log.head_number)
            case Promote(host=host, certificate=certificate) if new is not None:
                keys = frozenset({certificate, *(hosts[host].keys or ())})
                hosts[host] = replace(hosts[host], serves=certificate, keys=keys)
                pool.keys[host] = new
            case Probe(observer=observer, subject=subject, certificate=certificate):
                met.add(Probed(observer, subject, certificate, hosts[observer].held))
            case Retire(host=host, certificate=certificate):
                keys = (hosts[host].keys or frozenset()) - {certificate}
                hosts[host] = replace(hosts[host], keys=keys)
    return replace(picture, hosts=MappingProxyType(hosts), probes=picture.probes | met)
