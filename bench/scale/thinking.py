"""What an operation costs to think about: a refresh that is carried out in pictures only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from uuid import UUID

from bench.scale.simulated import START, Simulated
from bench.scale.timing import timed
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.refresh import refresh
from pooltrust.pool.plan.operation import Do, Done, Operation
from pooltrust.pool.plan.picture import Picture, Probed
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step

ASKED = Asked(str(UUID(int=7, version=4)), "root", "host.refresh_server_certificate")


@dataclass(frozen=True)
class Thought:
    """How often `Operation.next` was asked for one refresh, and how long it took (s)."""

    asked: int
    longest: float
    whole: float


def of_a_refresh(pool: Simulated) -> Thought:
    """Refresh one host of the pool, as a driver would that does every step at once."""
    host = pool.supporter()
    new = mint_pool_identity(host, START)
    picture = Picture.whole(pool.log, pool.log.roster.coordinator)
    operation = Operation(refresh(picture, pool.request(host, new), ASKED))
    times: list[float] = []
    while True:
        took, answer = timed(partial(operation.next, picture))
        times.append(took)
        match answer:
            case Do(steps=steps):
                picture = carried_out(steps, picture, pool, new)
            case Done(owed=()):
                return Thought(len(times), max(times), sum(times))
            case stopped:
                raise RuntimeError(f"the refresh did not end: {stopped}")


def carried_out(
    steps: tuple[Step, ...], picture: Picture, pool: Simulated, new: Identity
) -> Picture:
    """The picture after these steps of the refresh that brings `new`."""
    hosts = dict(picture.hosts)
    met: set[Probed] = set()
    for step in steps:
        match step:
            case Append(body=body):
                pool.append(body)
                picture = picture.grown(pool.log)
            case Adopt(host=host):
                hosts[host] = replace(hosts[host], held=pool.log.head_number)
            case Promote(host=host, certificate=certificate):
                keys = frozenset({certificate, *(hosts[host].keys or ())})
                hosts[host] = replace(hosts[host], serves=certificate, keys=keys)
                pool.keys[host] = new
            case Probe(observer=observer, subject=subject, certificate=certificate):
                met.add(Probed(observer, subject, certificate, hosts[observer].held))
            case Retire(host=host, certificate=certificate):
                keys = (hosts[host].keys or frozenset()) - {certificate}
                hosts[host] = replace(hosts[host], keys=keys)
    return replace(picture, hosts=MappingProxyType(hosts), probes=picture.probes | met)
