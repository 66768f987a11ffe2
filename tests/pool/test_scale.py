"""What an operation costs to think about grows with the members, not with their square."""

from __future__ import annotations

from types import MappingProxyType

from pooltrust.pool.operations.asked import spread
from pooltrust.pool.plan.operation import Do, Done, Operation
from pooltrust.pool.plan.picture import NOBODY, Picture
from pooltrust.pool.plan.plan import Demand, Kind, Plan
from pooltrust.terms import HostId
from trust.pools import B, C, Pool, host_number
from trust.test_scale import instructions_run

ID = "00000000-0000-4000-8000-000000000001"
SPREADING = Plan(
    ID, Kind.CERT_REFRESH, HostId(""), 1, (spread(Demand.EVERYONE),), (), "", "", "it", "", ""
)


def pool_of(hosts: int) -> Pool:
    return Pool.found(*map(host_number, range(100, 99 + hosts)))


def picture_of(hosts: int, held: int) -> Picture:
    """Everybody answers and holds that entry."""
    whole = Picture.whole(pool_of(hosts).log, host_number(1))
    for host in whole.hosts:
        whole = whole.seen(host, held=held)
    return whole


def test_the_steps_of_all_members_are_decided_in_one_look_at_each():
    few, many = (picture_of(hosts, held=1) for hosts in (30, 240))
    answer = Operation(SPREADING).next(many)
    assert isinstance(answer, Do)
    assert len(answer.steps) == 239
    work = [instructions_run(Operation(SPREADING).next, picture) for picture in (few, many)]
    assert work[1] < 10 * work[0]


def test_finding_nothing_left_to_do_is_one_look_at_each_as_well():
    few, many = (picture_of(hosts, held=hosts) for hosts in (30, 240))
    assert isinstance(Operation(SPREADING).next(many), Done)
    work = [instructions_run(Operation(SPREADING).next, picture) for picture in (few, many)]
    assert work[1] < 10 * work[0]


def test_what_was_counted_once_follows_the_facts():
    pool = Pool.found(B, C)
    picture = Picture.whole(pool.log, host_number(1), away=[C])
    assert picture.reachable() == {host_number(1), B}
    assert picture.seen(C, reachable=True).reachable() == {host_number(1), B, C}
    assert picture.seen(B, reachable=False).reachable() == {host_number(1)}
    assert picture.newest == 3
    assert picture.seen(B, held=9).newest == 9
    assert picture.seen(C, held=9).newest == 3  # it does not answer
    shorter = pool.log.verify(pool.log.entries[:2])
    assert Picture(B, shorter).newest == 2
    assert Picture(B, shorter).grown(pool.log).newest == 3
    assert Picture(B, pool.log, MappingProxyType({C: NOBODY})).reachable() == {B}
