"""What a host takes from an offer: forward always, aside only for an endorsed takeover or an order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.errors import BadEntry, TakeoverNeedsOrder, UpgradeThisHost
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import (
    NOTHING_LOCAL,
    Adopted,
    AlreadyHeld,
    Bound,
    Fork,
    Gap,
    GivenUp,
    Local,
    Log,
    Stopped,
    adopt,
)
from pooltrust.trust.roster import ANY_ORDER, Roster
from pooltrust.trust.takeover import Vote

from .pools import A, B, C, D, E, Pool, host_number, pool_identity, server_identity
from .test_entry import turned, with_payload
from .test_log import ENTRIES, OTHER, STORY


def grown(pool: Pool, *addresses: str) -> Pool:
    """A copy of the pool whose coordinator has gone on writing."""
    other = pool.copy()
    for address in addresses:
        other.append(e.AddressChanged(B, address))
    return other


POOL = Pool.found(B, C)
FIVE = Pool.found(B, C, D, E)
ALONE = Pool.found()


def whole(number: int) -> Log | None:
    if number == 0 or ENTRIES[number - 1].entry.kind == "taken-over":
        return None
    return Log.verify(ENTRIES[:number])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, len(ENTRIES)), st.integers(0, len(ENTRIES)), st.integers(0, len(ENTRIES)))
def test_any_stretch_of_the_same_log_only_moves_forward(held, start, end):
    own = whole(held)
    if own is None or start >= end:
        return
    outcome = adopt(own, ENTRIES[start:end], local=NOTHING_LOCAL)
    if start > held:
        assert outcome == Gap(held)
    elif isinstance(outcome, Adopted):
        assert outcome.log.head_number > held
        assert outcome.left == ()
        assert outcome.then is None
        assert (
            own.entries + outcome.new == outcome.log.entries == ENTRIES[: outcome.log.head_number]
        )
        assert outcome.log.roster == STORY.log.roster_at(outcome.log.head_number)
    else:
        assert outcome == AlreadyHeld()
        assert end <= held + 1


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, len(ENTRIES) - 1)), st.integers(1, len(ENTRIES)))
def test_replaced_signatures_are_neither_news_nor_a_fork(which, held):
    own = whole(held)
    offered = [turned(s) if i in which else s for i, s in enumerate(ENTRIES)]
    if own is None:
        return
    outcome = adopt(own, offered, local=NOTHING_LOCAL)
    if held == len(ENTRIES):
        assert outcome == AlreadyHeld()
    else:
        assert isinstance(outcome, Adopted)
        assert outcome.log.head_hash == STORY.log.head_hash


@settings(max_examples=100, deadline=None)
@given(st.integers(1, len(ENTRIES)), st.integers(0, len(ENTRIES) - 1), st.data())
def test_an_altered_offer_never_gets_past_what_is_sound_of_it(held, index, data):
    own = whole(held)
    if own is None:
        return
    payload = bytearray(ENTRIES[index].payload)
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= 1
    altered = SignedEntry(bytes(payload), ENTRIES[index].signature)
    outcome = adopt(own, [*ENTRIES[:index], altered, *ENTRIES[index + 1 :]], local=NOTHING_LOCAL)
    if isinstance(outcome, Adopted):
        assert outcome.log.entries == ENTRIES[: outcome.log.head_number]
        assert held < outcome.log.head_number <= index
        assert outcome.then
    else:
        # A changed number in the very first entry looks like a gap, and nothing more.
        assert isinstance(outcome, Stopped | Gap | AlreadyHeld)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_two_branches_of_one_coordinator_move_nobody_whatever_their_lengths(
    ours, theirs, whole_log
):
    own, other = grown(POOL, *"abcde"[: ours + 1]), grown(POOL, *"vwxyz"[: theirs + 1])
    offered = other.log.entries if whole_log else other.log.tail(POOL.log.head_number)
    number = POOL.log.head_number + 1
    assert adopt(own.log, offered, local=NOTHING_LOCAL) == Fork(
        number, own.log.at(number), other.log.at(number), ours_stands=False
    )


def test_an_offer_of_nothing_is_nothing():
    assert adopt(POOL.log, [], local=NOTHING_LOCAL) == AlreadyHeld()


def test_what_this_host_alone_knows_cannot_be_forgotten():
    with pytest.raises(TypeError, match="local"):
        adopt(POOL.log, [])  # type: ignore[call-arg]


def test_another_pools_log_is_refused_whole():
    outcome = adopt(POOL.log, OTHER.log.entries, local=NOTHING_LOCAL)
    assert isinstance(outcome, Stopped)
    assert isinstance(outcome.why, BadEntry)
    assert outcome.why.rule == "foreign"


def test_garbage_is_refused():
    assert isinstance(adopt(POOL.log, [SignedEntry(b"{}", b"s")], local=NOTHING_LOCAL), Stopped)


def test_a_newer_kind_stops_adoption_after_what_is_before_it():
    other = grown(POOL, "x")
    newer = with_payload(other.sign(e.AddressChanged(B, "y")), kind="host-praised", body={})
    newer = SignedEntry(newer.payload, other.keys[A].sign(newer.message))
    behind = other.sign(
        e.AddressChanged(B, "z"), number=other.log.head_number + 2, previous=newer.hash
    )
    outcome = adopt(POOL.log, [*other.log.entries, newer, behind], local=NOTHING_LOCAL)
    assert isinstance(outcome, Adopted)
    assert outcome.log.head_hash == other.log.head_hash
    assert isinstance(outcome.then, Stopped)
    assert isinstance(outcome.then.why, UpgradeThisHost)
    again = adopt(outcome.log, [newer, behind], local=NOTHING_LOCAL)
    assert isinstance(again, Stopped)
    assert isinstance(again.why, UpgradeThisHost)


def test_entries_that_do_not_link_ask_for_older_ones_until_the_fork_is_found():
    own, other = grown(POOL, *map(str, range(30))), grown(POOL, *map(chr, range(65, 95)))
    after, asked = own.log.head_number, []
    while isinstance(
        outcome := adopt(own.log, other.log.tail(after), local=NOTHING_LOCAL), Gap | AlreadyHeld
    ):
        assert isinstance(outcome, Gap) or after == own.log.head_number
        after = outcome.need_after if isinstance(outcome, Gap) else after - 1
        asked.append(after)
        assert len(asked) < 8
    assert isinstance(outcome, Fork)
    assert outcome.number == POOL.log.head_number + 1


# Takeovers.


def test_an_endorsed_takeover_is_followed_by_who_was_off():
    other = FIVE.copy()
    other.take_over(B, C, D)
    other.append(e.HostDismissed(A, "burnt"))
    outcome = adopt(FIVE.log, other.log.tail(FIVE.log.head_number), local=NOTHING_LOCAL)
    assert isinstance(outcome, Adopted)
    assert outcome.log.roster.coordinator == B


def test_a_replaced_coordinators_longer_tail_yields_to_a_shorter_endorsed_takeover():
    own = grown(FIVE, "1", "2", "3", "4")
    own.append(e.HostDismissed(E, "lost"))
    own.append(own.accepted(C, pool_identity(C, 2)))
    taken = FIVE.copy()
    taken.take_over(B, C, D)
    assert taken.log.head_number < own.log.head_number
    outcome = adopt(own.log, taken.log.entries, local=NOTHING_LOCAL)
    assert isinstance(outcome, Adopted)
    assert outcome.log.entries == taken.log.entries
    assert outcome.left == own.log.tail(FIVE.log.head_number)
    assert outcome.given_up == GivenUp(dismissed=((E, FIVE.log.roster.members[E].name),))
    back = adopt(outcome.log, own.log.entries, local=NOTHING_LOCAL)
    assert isinstance(back, Fork)
    assert back.ours_stands


def test_withdrawals_and_removed_anchors_are_given_up_by_name():
    pool, new = FIVE.copy(), pool_identity(C, 2)
    pool.append(pool.accepted(C, new))
    pool.append(e.AnchorInstalled("ca", "ca", server_identity().certificate.der, ()))
    own, taken = pool.copy(), pool.copy()
    own.append(own.withdrawn(C, own.keys[C]))
    own.append(e.AnchorRemoved(server_identity().certificate.thumbprint))
    taken.take_over(B, C, D)
    assert isinstance(adopt(own.log, taken.log.entries, local=NOTHING_LOCAL), Fork)
    local = Local(settled=pool.log.head_number)
    outcome = adopt(own.log, taken.log.entries, local=local)
    assert isinstance(outcome, Adopted)
    name, gone = pool.log.roster.members[C].name, pool.keys[C].certificate.thumbprint
    assert outcome.given_up.withdrawn == ((C, name, gone),)
    assert outcome.given_up.anchors == (server_identity().certificate.thumbprint,)


@pytest.mark.parametrize(
    ("pool", "others"),
    [(FIVE, (C,)), (FIVE, ()), (POOL, ()), (Pool.found(B), ()), (Pool.found(B, C, D), (C,))],
    ids=["2 of 5", "1 of 5", "1 of 3", "1 of 2", "2 of 4"],
)
def test_half_of_the_members_do_not_endorse_a_takeover(pool, others):
    first = pool.taken_over(B)
    outcome = adopt(pool.log, [first, pool.endorsed(first, B, *others)], local=NOTHING_LOCAL)
    assert isinstance(outcome, Stopped)
    assert isinstance(outcome.why, BadEntry)
    assert outcome.why.rule == "takeover"


def test_endorsements_count_once_each_from_members_other_than_the_replaced():
    pool, first = FIVE, FIVE.taken_over(B)
    stranger = pool_identity(host_number(9))
    one = pool.endorsement(first, C)
    wrong = {
        "twice": (one, one),
        "taker twice": (pool.endorsement(first, B), one),
        "replaced": (pool.endorsement(first, A), one),
        "stranger": (one, e.Endorsement(host_number(9), stranger.sign(b"x"))),
        "in another's name": (one, e.Endorsement(D, one.signature)),
        "of another takeover": (one, pool.endorsement(pool.taken_over(C), D)),
        "out of order": (pool.endorsement(first, D), one),
        "one bad beside enough": (one, pool.endorsement(first, D), e.Endorsement(E, b"s")),
        "altered": (one, e.Endorsement(D, pool.endorsement(first, D).signature[:-1] + b"\0")),
    }
    after = {"number": first.entry.number + 1, "previous": first.hash}
    for case, endorsements in wrong.items():
        second = pool.sign(e.TakeoverEndorsed(first.hash, endorsements), B, **after)
        outcome = adopt(pool.log, [first, second], local=NOTHING_LOCAL)
        assert isinstance(outcome, Stopped), case
        assert isinstance(outcome.why, BadEntry), case
        assert outcome.why.rule == "takeover", case
    enough = (one, pool.endorsement(first, D))
    misnamed = pool.sign(e.TakeoverEndorsed("0" * 64, enough), B, **after)
    outcome = adopt(pool.log, [first, misnamed], local=NOTHING_LOCAL)
    assert isinstance(outcome, Stopped)
    assert outcome.why.rule == "takeover"
    right = pool.sign(e.TakeoverEndorsed(first.hash, (one, pool.endorsement(first, D))), B, **after)
    assert isinstance(adopt(pool.log, [first, right], local=NOTHING_LOCAL), Adopted)


@pytest.mark.parametrize("by", [A, C])
def test_only_the_taker_signs_that_it_is_endorsed(by):
    first = FIVE.taken_over(B)
    second = FIVE.endorsed(first, B, C, D)
    stolen = FIVE.sign(second.entry.body, by, number=second.entry.number, previous=first.hash)
    outcome = adopt(FIVE.log, [first, stolen], local=NOTHING_LOCAL)
    assert isinstance(outcome, Stopped)
    assert outcome.why.rule == "writer"


def test_a_takeover_alone_in_an_offer_waits_for_its_endorsement():
    first = FIVE.taken_over(B)
    assert adopt(FIVE.log, [first], local=NOTHING_LOCAL) == AlreadyHeld()
    assert adopt(grown(FIVE, "x").log, [first], local=NOTHING_LOCAL) == AlreadyHeld()


def test_an_alone_takeover_moves_only_who_was_ordered():
    taken = ALONE.copy()
    taken.admit(B)
    own = taken.copy()
    signed = taken.append(e.TakenOver(B, A), B, alone=True)
    taken.append(e.AddressChanged(B, "x"))
    outcome = adopt(own.log, taken.log.entries, local=NOTHING_LOCAL)
    assert isinstance(outcome, Stopped)
    assert isinstance(outcome.why, TakeoverNeedsOrder)
    for order in (signed.hash, taken.log.head_hash):
        moved = adopt(own.log, taken.log.entries, local=Local(ordered=frozenset({order})))
        assert isinstance(moved, Adopted)
        assert moved.log.roster.coordinator == B
    gone_on = grown(own, "1", "2", "3")
    assert isinstance(adopt(gone_on.log, taken.log.entries, local=NOTHING_LOCAL), Fork)
    moved = adopt(gone_on.log, taken.log.entries, local=Local(ordered=frozenset({signed.hash})))
    assert isinstance(moved, Adopted)
    assert moved.left == gone_on.log.tail(own.log.head_number)


def test_an_order_covers_what_is_before_it_and_nothing_after():
    pool = POOL.copy()
    pool.append(e.TakenOver(B, A), B, alone=True)
    ordered = pool.append(e.AddressChanged(B, "x"))
    pool.append(e.TakenOver(C, B), C, alone=True)
    outcome = adopt(POOL.log, pool.log.entries, local=Local(ordered=frozenset({ordered.hash})))
    assert isinstance(outcome, Adopted)
    assert outcome.log.head_hash == ordered.hash
    assert isinstance(outcome.then, Stopped)
    assert isinstance(outcome.then.why, TakeoverNeedsOrder)


def test_an_order_does_not_make_bad_entries_good():
    bad = POOL.sign(e.VerificationRequired(), B)
    outcome = adopt(POOL.log, [bad], local=Local(ordered=frozenset({bad.hash})))
    assert isinstance(outcome, Stopped)


def test_a_fork_of_the_coordinators_own_is_settled_by_order():
    own, other = grown(POOL, "a", "b"), grown(POOL, "x")
    order = Local(ordered=frozenset({other.log.head_hash}))
    outcome = adopt(own.log, other.log.entries, local=order)
    assert isinstance(outcome, Adopted)
    assert outcome.log.entries == other.log.entries
    assert len(outcome.left) == 2


def test_made_up_members_do_not_outvote_the_ones_before_the_fork():
    """A compromised coordinator dismisses all on a branch of its own and lets puppets take over."""
    own = grown(FIVE, "honest")
    evil = FIVE.copy()
    for host in (B, C, D):
        evil.append(e.HostDismissed(host, "silence"))
    for number in (21, 22, 23, 24):
        evil.admit(host_number(number))
    evil.take_over(host_number(21), host_number(22), host_number(23), host_number(24))
    outcome = adopt(own.log, evil.log.entries, local=NOTHING_LOCAL)
    assert isinstance(outcome, Fork)
    assert not outcome.ours_stands


def test_members_readmitted_with_other_keys_do_not_endorse_for_their_old_selves():
    own = grown(FIVE, "honest")
    evil = FIVE.copy()
    for host in (B, C, D):
        evil.append(e.HostDismissed(host, "to be replaced"))
        evil.admit(host, pool_identity(host, 66))
    evil.take_over(B, C, D)
    assert isinstance(adopt(own.log, evil.log.entries, local=NOTHING_LOCAL), Fork)


def test_a_takeover_deeper_in_a_branch_counts_if_the_members_before_the_fork_endorsed_it():
    """The coordinator wrote two branches; most members were on the other one when it was lost."""
    own, most = grown(FIVE, "seen by us only"), grown(FIVE, "seen by most")
    most.take_over(B, C, D)
    outcome = adopt(own.log, most.log.entries, local=NOTHING_LOCAL)
    assert isinstance(outcome, Adopted)
    assert outcome.left == own.log.tail(FIVE.log.head_number)
    assert outcome.log.head_hash == most.log.head_hash


def rewritten(pool: Pool, by, *others, local: Local = NOTHING_LOCAL):
    """What `own` says to a takeover of long ago that follows the last entry of `pool`."""
    evil = pool.copy()
    evil.take_over(by, *others)
    return lambda own: adopt(own.log, evil.log.entries, local=local)


def test_most_members_of_long_ago_dismissed_since_do_not_rewrite_what_followed():
    own = POOL.copy()
    for host in (D, E, host_number(6)):
        own.admit(host)
    own.append(e.HostDismissed(B, "worn out"))
    own.append(e.HostDismissed(C, "worn out"))
    assert isinstance(rewritten(POOL, B, C)(own), Fork)


def test_a_few_old_members_do_not_rewrite_the_history_of_a_pool_that_has_grown():
    own = POOL.copy()
    for number in range(4, 12):
        own.admit(host_number(number))
    assert isinstance(rewritten(POOL, B, C)(own), Fork)


def test_keys_withdrawn_since_do_not_rewrite_what_followed():
    own = POOL.copy()
    for host in (B, C):
        own.append(own.accepted(host, pool_identity(host, 2)))
        own.append(own.withdrawn(host, own.keys[host]))
    assert isinstance(rewritten(POOL, B, C)(own), Fork)


def test_a_coordinator_cut_off_that_dismissed_the_others_moves_over_if_it_knows_nothing_was_committed():
    own = FIVE.copy()
    for host in (C, D):
        own.append(e.HostDismissed(host, "does not answer"))
    before = FIVE.log.head_number
    assert isinstance(rewritten(FIVE, B, C, D)(own), Fork)
    moved = rewritten(FIVE, B, C, D, local=Local(settled=before))(own)
    assert isinstance(moved, Adopted)
    assert [host for host, _ in moved.given_up.dismissed] == [C, D]
    for settled in (before + 1, before + 2):
        refused = rewritten(FIVE, B, C, D, local=Local(settled=settled))(own)
        assert isinstance(refused, Fork)


def test_two_endorsed_takeovers_of_one_predecessor_move_nobody():
    one, other = FIVE.copy(), FIVE.copy()
    one.take_over(B, C, D)
    other.take_over(C, D, E)  # D voted twice
    outcome = adopt(one.log, other.log.entries, local=NOTHING_LOCAL)
    assert isinstance(outcome, Fork)
    assert not outcome.ours_stands


def test_two_endorsements_of_one_takeover_move_nobody():
    first = FIVE.taken_over(B)
    one = FIVE.log.extended(first, FIVE.endorsed(first, B, C, D))
    other = FIVE.log.extended(first, FIVE.endorsed(first, B, C, E))
    assert isinstance(adopt(one, other.entries, local=NOTHING_LOCAL), Fork)


# Votes.


def test_a_voter_does_not_help_the_replaced_coordinator_to_commit():
    first = FIVE.taken_over(B)
    vote = Local(vote=Vote(FIVE.log.head_hash, first.hash))
    late = grown(FIVE, "late")
    assert adopt(FIVE.log, late.log.entries, local=vote) == Bound(vote.vote)
    handed = FIVE.copy()
    handed.append(e.CoordinatorChanged(C))
    assert adopt(FIVE.log, handed.log.entries, local=vote) == Bound(vote.vote)


def test_a_voter_follows_its_own_takeover_and_any_endorsed_one():
    mine, other = FIVE.copy(), FIVE.copy()
    first, _ = mine.take_over(B, C, D)
    other.take_over(C, D, E)
    vote = Local(vote=Vote(FIVE.log.head_hash, first.hash))
    assert isinstance(adopt(FIVE.log, mine.log.entries, local=vote), Adopted)
    assert isinstance(adopt(FIVE.log, other.log.entries, local=vote), Adopted)


def test_a_voter_is_released_by_a_commit_or_an_order_and_an_old_vote_does_not_bind():
    late = grown(FIVE, "late")
    first = FIVE.taken_over(B)
    vote = Vote(FIVE.log.head_hash, first.hash)
    entry = frozenset({late.log.head_hash})
    assert isinstance(adopt(FIVE.log, late.log.entries, local=Local(entry, vote)), Adopted)
    released = Local(vote=vote, committed=entry)
    assert isinstance(adopt(FIVE.log, late.log.entries, local=released), Adopted)
    later = grown(late, "later")
    assert isinstance(adopt(late.log, later.log.entries, local=Local(vote=vote)), Adopted)


# Logs that begin at a checkpoint.


def test_a_live_part_grows_forks_and_compares_like_a_whole_log():
    pool = FIVE.copy()
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    number = pool.log.head_number
    own, other = grown(pool, "ours"), grown(pool, "theirs", "more")
    live = own.log.from_checkpoint(number)
    assert adopt(live, own.log.entries, local=NOTHING_LOCAL) == AlreadyHeld()
    assert isinstance(adopt(live, other.log.entries, local=NOTHING_LOCAL), Fork)
    assert isinstance(adopt(live, grown(own, "on").log.entries, local=NOTHING_LOCAL), Adopted)
    taken = FIVE.copy()
    taken.take_over(B, C, D)
    moved = adopt(live, taken.log.entries, local=NOTHING_LOCAL)
    assert isinstance(moved, Adopted)
    assert moved.log.roster == taken.log.roster
    restored = Log.verify(
        live.entries, base=Roster.restore(FIVE.log.roster.snapshot()), ordered=ANY_ORDER
    )
    assert isinstance(adopt(restored, other.log.tail(number), local=NOTHING_LOCAL), Fork)
