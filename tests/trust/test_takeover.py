"""One vote per predecessor, given by who lost its coordinator and to what extends its own log."""

from __future__ import annotations

import pytest

from pooltrust.errors import MayNotEndorse
from pooltrust.trust import entries as e
from pooltrust.trust.takeover import Vote, endorse, endorsed, may_endorse

from .pools import A, B, C, D, E, Pool, host_number, pool_identity

POOL = Pool.found(B, C, D, E)
FIRST = POOL.taken_over(B)
OTHER = POOL.taken_over(C)
VOTE = Vote(POOL.log.head_hash, FIRST.hash)


def grown() -> Pool:
    pool = POOL.copy()
    pool.append(e.AddressChanged(B, "x"))
    return pool


def asked(signed=FIRST, *, pool=POOL, host=D, vote=None, lost=True) -> Vote:
    return may_endorse(pool.log.roster, signed, host=host, vote=vote, lost=lost)


def test_a_member_that_lost_its_coordinator_gives_its_vote():
    assert asked() == VOTE


def test_the_taker_gives_itself_its_vote():
    assert asked(host=B) == VOTE


def test_asked_again_it_gives_the_same_vote():
    assert asked(vote=VOTE) == VOTE


def test_a_vote_after_another_entry_does_not_bind():
    assert asked(vote=Vote("0" * 64, "1" * 64)) == VOTE


REFUSED = {
    "second takeover of one predecessor": lambda: asked(OTHER, vote=VOTE),
    "coordinator not lost": lambda: asked(lost=False),
    "the replaced coordinator": lambda: asked(host=A),
    "no member": lambda: asked(host=host_number(9)),
    "behind its own head": lambda: asked(pool=grown()),
    "ahead of its own head": lambda: asked(grown().taken_over(B)),
    "alone": lambda: asked(POOL.taken_over(B, alone=True)),
    "no takeover": lambda: asked(POOL.sign(e.AddressChanged(B, "x"))),
    "planned change": lambda: asked(POOL.sign(e.CoordinatorChanged(B))),
    "not signed by the taker": lambda: asked(POOL.sign(e.TakenOver(B, A), C)),
    "signed with a stranger's key": lambda: asked(
        POOL.sign(e.TakenOver(B, A), key=pool_identity(B, 9))
    ),
    "from another coordinator": lambda: asked(POOL.sign(e.TakenOver(B, C), B)),
    "another pool's": lambda: asked(Pool.found(B, C, port=1).taken_over(B)),
}


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED.keys())
def test_a_vote_is_refused(ask):
    with pytest.raises(MayNotEndorse):
        ask()


def given(*hosts) -> list[e.Endorsement]:
    return [endorse(POOL.log.pool, host, VOTE, POOL.keys[host]) for host in hosts]


def test_more_than_half_with_the_taker_and_without_the_replaced():
    roster = POOL.log.roster
    assert endorsed(roster, FIRST, given(C, D))
    assert endorsed(roster, FIRST, given(B, C, D, E))
    assert not endorsed(roster, FIRST, given(C))
    assert not endorsed(roster, FIRST, given(B, C))
    assert not endorsed(roster, FIRST, given(A, C))
    assert not endorsed(roster, FIRST, given(C, C))
    assert not endorsed(roster, OTHER, given(D, E))


def test_nobody_is_behind_a_takeover_that_was_made_alone():
    alone = POOL.taken_over(B, alone=True)
    signed = [POOL.endorsement(alone, host) for host in (C, D, E)]
    assert not endorsed(POOL.log.roster, alone, signed)
    assert not endorsed(POOL.log.roster, POOL.sign(e.AddressChanged(B, "x")), signed)


def test_a_taker_that_was_no_member_yet_or_has_another_key_does_not_count():
    later, other = POOL.copy(), POOL.copy()
    later.admit(host_number(6))
    by_new = later.taken_over(host_number(6))
    other.append(other.accepted(B, pool_identity(B, 2)))
    by_other_key = other.sign(e.TakenOver(B, A), key=pool_identity(B, 2))
    for signed, count in ((by_new, (C, D)), (by_other_key, (C, D))):
        two = [POOL.endorsement(signed, host) for host in count]
        assert not endorsed(POOL.log.roster, signed, two)
        assert endorsed(POOL.log.roster, signed, [*two, POOL.endorsement(signed, E)])


def test_what_was_endorsed_is_adopted():
    pool = POOL.copy()
    after = {"number": FIRST.entry.number + 1, "previous": FIRST.hash}
    second = pool.sign(e.TakeoverEndorsed(FIRST.hash, tuple(given(C, D))), B, **after)
    assert pool.log.extended(FIRST, second).roster.coordinator == B


def test_a_vote_is_read_back():
    assert Vote.read(VOTE.record()) == VOTE
