"""What an operation costs to think about grows with the members, not with their square.

Nor do a host's own looks at a log grow with it, as long as they need nothing of the past.
"""

from __future__ import annotations

from types import MappingProxyType

import pytest

from pooltrust.host.peers.sightings import Sightings
from pooltrust.host.records.seal import check_seal, sealed
from pooltrust.host.records.store import Dump, Revision
from pooltrust.host.takeover import settling as settling_module
from pooltrust.host.takeover.settling import Settling
from pooltrust.pool.operations.asked import spread
from pooltrust.pool.operations.mending import own_steps
from pooltrust.pool.plan.operation import Do, Done, Operation
from pooltrust.pool.plan.picture import NOBODY, Picture
from pooltrust.pool.plan.plan import Demand, Kind, Plan
from pooltrust.terms import HostId
from pooltrust.trust import entries as e
from pooltrust.trust.heads import Head
from pooltrust.trust.leading import FOUNDER
from pooltrust.trust.log import Log
from trust.pools import B, C, Pool, host_number, pool_identity
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


class LongLog(AssertionError):
    """Entries of the past were read."""


@pytest.fixture
def unread(monkeypatch):
    """From now on nothing of the past may be looked up in any log."""

    def read(*_):
        raise LongLog

    def forbid():
        monkeypatch.setattr(Log, "tail", read)
        monkeypatch.setattr(Log, "roster_at", read)

    return forbid


def test_a_host_without_a_spare_key_reads_no_log_for_its_keys(unread):
    pool = pool_of(3)
    mine = pool.keys[host_number(1)].certificate.thumbprint
    staged = pool_identity(host_number(1), 2).certificate.thumbprint
    unread()
    assert own_steps(pool.log, host_number(1), {mine}, mine, settled=3) == ()
    with pytest.raises(LongLog):
        own_steps(pool.log, host_number(1), {mine, staged}, mine, settled=3)


def test_the_coordinators_records_are_believed_without_reading_the_log(unread):
    pool = pool_of(3)
    dump = Dump(Revision(FOUNDER, 1), {"accounts": {}})
    mine = sealed(dump, pool.log, host_number(1), pool.keys[host_number(1)])
    unread()
    check_seal(mine, pool.log, since=FOUNDER)
    with pytest.raises(LongLog):
        check_seal(mine, pool.log)


class Now:
    """A host's belief, as far as heads are concerned; what it settles is kept."""

    def __init__(self, pool: Pool) -> None:
        self.me, self.log, self.settled = host_number(1), pool.log, None
        self.watch = lambda _: None

    @property
    def roster(self):
        return self.log.roster

    def settle(self, number: int) -> None:
        self.settled = max(self.settled or 0, number)


def test_the_first_half_of_the_answers_after_a_change_is_counted_and_no_more(monkeypatch):
    pool = pool_of(41)
    belief = Now(pool)
    sightings = Sightings(belief)
    Settling(belief, sightings)
    pictures = []
    monkeypatch.setattr(
        settling_module, "Picture", lambda *a, **k: pictures.append(a) or Picture(*a, **k)
    )
    for number, host in enumerate(map(host_number, range(100, 140)), 2):
        head = Head(
            pool.log.pool, pool.log.head_number, pool.log.head_hash, bytes(32), host,
            pool.keys[host].certificate.thumbprint,
        )  # fmt: skip
        sightings.note(head, 1.0)
        assert len(sightings.holders(pool.log.head_number)) == number
        assert belief.settled == (41 if number >= 20 else None)
    assert len(pictures) == 1


def test_who_holds_the_log_is_counted_anew_when_it_has_grown():
    pool = pool_of(4)
    belief = Now(pool)
    sightings = Sightings(belief)

    def hear(host, log, start=0):
        key, head = pool.keys[host].certificate.thumbprint, (log.head_number, log.head_hash)
        sightings.note(Head(log.pool, *head, bytes(32), host, key, start), 1.0)

    me, one, other = map(host_number, (1, 100, 101))
    hear(one, pool.log)
    assert sightings.holders(4) == {me, one}
    older = pool.log
    pool.append(e.AddressChanged(one, "moved.example"))
    hear(other, pool.log)  # it is ahead of this host
    assert sightings.holders(4) == {me, one}
    belief.log = pool.log
    assert sightings.holders(5) == {me, other}
    assert sightings.holders(4) == {me, one, other}
    hear(one, pool.log)
    assert sightings.holders(5) == {me, one, other}
    belief.log = older
    assert sightings.holders(4) == {me}
    belief.log = pool.log
    assert sightings.holders(5) == {me, one, other}
    hear(other, older, start=1)  # restored from a copy
    assert sightings.holders(5) == {me, one}
    sightings.forget()
    assert sightings.holders(5) == {me}
