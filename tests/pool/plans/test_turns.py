"""Whose identity is refreshed next, in a round of the pool and by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pooltrust.pool.operations.turns import Round, due, due_at, whole_pool
from pooltrust.pool.plan.plan import BadPlan
from pooltrust.terms import HostId
from pooltrust.trust.entries import CertificateWithdrawn, HostDismissed
from trust.pools import NOW

from .planned import ASKED, H1, H2, H3, LOG, OLD, THERE, missing, request, with_entries

ROUND = whole_pool(LOG.roster, ASKED)
DONE_WITH_H2 = with_entries(LOG, request(), CertificateWithdrawn(H2, OLD, "replaced"))
EVERYBODY = (H1, H2, H3)
DAY = timedelta(days=1)
BEGAN = NOW - timedelta(hours=1)
LIFETIME = 365 * DAY + timedelta(hours=1)


def test_a_round_goes_from_host_to_host_and_ends_with_the_coordinator() -> None:
    assert [turn.host for turn in ROUND.turns] == [H2, H3, H1]
    assert ROUND.next(THERE) == H2
    assert ROUND.left(DONE_WITH_H2.roster) == (H3, H1)


def test_it_passes_over_who_is_away_or_rests_and_comes_back_to_them() -> None:
    assert ROUND.next(missing(H1, H2)) == H3
    assert ROUND.next(THERE, resting=(H2, H3)) == H1
    assert ROUND.next(missing(H1, H2, H3), resting=(H1,)) is None
    assert ROUND.next(missing(H1)) == H2


def test_it_forgets_who_is_no_member_any_more() -> None:
    shrunk = with_entries(LOG, HostDismissed(H3, "ejected"))
    assert ROUND.left(shrunk.roster) == (H2, H1)


def test_a_refresh_that_is_under_way_is_not_over() -> None:
    assert H2 in ROUND.left(with_entries(LOG, request()).roster)


def test_a_stored_round_is_read_as_it_was_written() -> None:
    assert Round.from_wire(ROUND.to_wire()) == ROUND
    for hostile in (b"", b"{}", b"[]", b"\xff", ROUND.to_wire()[:-1], ROUND.to_wire() + b" "):
        with pytest.raises(BadPlan):
            Round.from_wire(hostile)


def at(jitter: float) -> datetime:
    return due_at(LOG.roster.members[H2].newest, jitter)


def test_an_identity_is_due_at_two_thirds_and_up_to_a_month_later() -> None:
    for share, jitter in ((2 / 3, 0.0), (2 / 3, -1.0), (3 / 4, 1.0), (3 / 4, 9.0)):
        assert abs(at(jitter) - (BEGAN + LIFETIME * share)) < timedelta(seconds=1)


DUE: dict[str, tuple[timedelta, tuple[HostId, ...], tuple[HostId, ...], HostId | None]] = {
    "a second too early": (-timedelta(seconds=1), EVERYBODY, (), None),
    "to the second": (timedelta(0), EVERYBODY, (), H2),
    "it is away": (DAY, (H1, H3), (), H3),
    "it rests": (DAY, EVERYBODY, (H2,), H3),
    "the coordinator after all others": (DAY, EVERYBODY, (H2, H3), H1),
    "nobody is there": (DAY, (), (), None),
}


@pytest.mark.parametrize("case", DUE)
def test_one_host_at_a_time_is_refreshed_by_itself(case: str) -> None:
    after, there, resting, whose = DUE[case]
    now = at(0.0) + after
    assert whose == due(LOG.roster, now, jitter=lambda _: 0.0, there=there, resting=resting)


def test_a_host_s_jitter_puts_it_off_and_no_other_one() -> None:
    jitter = {H1: 0.0, H2: 1.0, H3: 0.0}.__getitem__
    assert due(LOG.roster, at(0.0), jitter=jitter, there=EVERYBODY) == H3
    assert due(LOG.roster, at(0.0), jitter=jitter, there=(H1, H2)) == H1
    assert due(LOG.roster, at(1.0), jitter=jitter, there=(H2,)) == H2
