"""The chain: whatever is altered, reordered, foreign or missing is found; a new signature is not news."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.errors import BadEntry, Failure
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.log import chain as chain_module
from pooltrust.trust.roster import ANY_ORDER
from pooltrust.trust.roster import fold as real_fold

from .pools import A, B, C, D, E, Pool, pool_identity, server_identity
from .test_entry import turned


def long_story() -> Pool:
    """A log with every sort of turn in it."""
    pool = Pool.found(B, C, D)
    pool.append(pool.server_changed(C, server_identity("new")))
    pool.append(pool.accepted(B, pool_identity(B, 2)))
    pool.append(pool.withdrawn(B, pool.keys[B]))
    pool.keys[B] = pool_identity(B, 2)
    pool.append(e.HostDismissed(D, "over"))
    pool.take_over(B, C)
    pool.append(e.AnchorInstalled("ca", "ca", server_identity().certificate.der, ()))
    pool.admit(E)
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    pool.append(e.CoordinatorChanged(C))
    pool.append(e.HostDismissed(A, "old"))
    return pool


STORY = long_story()
ENTRIES = STORY.log.entries
OTHER = Pool.found(B, port=8443)
INDEX = st.integers(0, len(ENTRIES) - 1)


@settings(max_examples=30)
@given(INDEX)
def test_the_fold_is_deterministic_and_its_prefixes_agree(index):
    log = Log.verify(ENTRIES[: index + 1]) if _whole(index) else None
    if log:
        assert log.roster == STORY.log.roster_at(index + 1)
        assert log.roster.fingerprint() == STORY.log.roster_at(index + 1).fingerprint()
        assert Log.verify(log.entries).roster == log.roster


def _whole(index: int) -> bool:
    return ENTRIES[index].entry.kind != "taken-over"


@settings(max_examples=150, deadline=None)
@given(INDEX, st.data())
def test_an_altered_entry_is_detected(index, data):
    signed = ENTRIES[index]
    place = data.draw(st.integers(0, len(signed.payload) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    payload = bytearray(signed.payload)
    payload[place] ^= bit
    altered = SignedEntry(bytes(payload), signed.signature)
    with pytest.raises(Failure):
        Log.verify([*ENTRIES[:index], altered, *ENTRIES[index + 1 :]])


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(len(ENTRIES))))
def test_a_reordered_log_is_detected(order):
    if order == sorted(order):
        return
    with pytest.raises(BadEntry):
        Log.verify([ENTRIES[index] for index in order])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(ENTRIES) - 2))
def test_an_entry_removed_before_the_head_is_detected(index):
    with pytest.raises(BadEntry):
        Log.verify([*ENTRIES[:index], *ENTRIES[index + 1 :]])


@settings(max_examples=30, deadline=None)
@given(INDEX, st.integers(0, 1))
def test_a_foreign_entry_is_detected(index, which):
    with pytest.raises(BadEntry):
        Log.verify([*ENTRIES[:index], OTHER.log.entries[which], *ENTRIES[index + 1 :]])


@settings(max_examples=30, deadline=None)
@given(INDEX)
def test_an_entry_twice_is_detected(index):
    with pytest.raises(BadEntry):
        Log.verify([*ENTRIES[: index + 1], *ENTRIES[index:]])


@settings(max_examples=50, deadline=None)
@given(st.sets(INDEX))
def test_a_replaced_signature_changes_nothing(which):
    entries = [turned(s) if i in which else s for i, s in enumerate(ENTRIES)]
    log = Log.verify(entries)
    assert log.head_hash == STORY.log.head_hash
    assert log.roster == STORY.log.roster


@settings(max_examples=50, deadline=None)
@given(INDEX, INDEX)
def test_a_signature_of_another_entry_is_detected(index, other):
    if index == other:
        return
    moved = SignedEntry(ENTRIES[index].payload, ENTRIES[other].signature)
    with pytest.raises(BadEntry):
        Log.verify([*ENTRIES[:index], moved, *ENTRIES[index + 1 :]])


def test_a_log_of_nothing_is_no_log():
    with pytest.raises(BadEntry):
        Log.verify([])


def test_a_verified_prefix_is_never_verified_again(monkeypatch):
    folded = []

    def counting(roster, signed, **more):
        folded.append(signed)
        return real_fold(roster, signed, **more)

    monkeypatch.setattr(chain_module, "fold", counting)
    pool = STORY.copy()
    signed = pool.append(e.VerificationRequired()) if not pool.log.roster.verification else None
    signed = signed or pool.append(e.AddressChanged(C, "c.example"))
    assert folded == [signed]


def test_growing_shares_and_never_disturbs_a_log_that_is_held():
    before = STORY.log
    left, right = STORY.copy(), STORY.copy()
    left.append(e.AddressChanged(C, "left"))
    right.append(e.AddressChanged(C, "right"))
    left.append(e.AddressChanged(C, "further left"))
    assert before.entries == ENTRIES
    assert before.tail(before.head_number) == ()
    assert [s.entry.body.address for s in left.log.tail(before.head_number)] == [
        "left",
        "further left",
    ]
    assert [s.entry.body.address for s in right.log.tail(before.head_number)] == ["right"]
    assert Log.verify(left.log.entries).roster == left.log.roster
    assert Log.verify(right.log.entries).roster == right.log.roster


def test_an_entry_that_is_refused_leaves_the_log_as_it_was():
    log = STORY.log
    with pytest.raises(BadEntry):
        log.extended(STORY.sign(e.AddressChanged(C, "x")), STORY.sign(e.AddressChanged(C, "y")))
    assert log.entries == ENTRIES
    assert log.extended(STORY.sign(e.AddressChanged(C, "x"))).head_number == len(ENTRIES) + 1


def test_entries_and_rosters_are_found_by_number_also_far_back(monkeypatch):
    monkeypatch.setattr(chain_module, "RECENT", 2)
    monkeypatch.setattr(chain_module, "STRIDE", 4)
    log = Log.verify(ENTRIES)
    assert len(log._kept) < len(ENTRIES)
    for number in range(1, len(ENTRIES) + 1):
        assert log.at(number) == ENTRIES[number - 1]
        assert log.hash_at(number) == ENTRIES[number - 1].hash
        assert log.roster_at(number).head == ENTRIES[number - 1].hash
        assert log.roster_at(number).number == number
    assert log.tail(len(ENTRIES) - 2) == ENTRIES[-2:]
    assert log.hash_at(0) is None
    assert log.hash_at(len(ENTRIES) + 1) is None
    for number in (0, len(ENTRIES) + 1, -1):
        with pytest.raises(KeyError):
            log.at(number)
        with pytest.raises(KeyError):
            log.roster_at(number)


def test_a_takeover_without_its_endorsement_never_ends_a_log():
    pool = Pool.found(B, C)
    signed = pool.taken_over(B)
    with pytest.raises(BadEntry, match="endorsement is missing"):
        pool.log.extended(signed)
    with pytest.raises(BadEntry, match="endorsement is missing"):
        Log.verify([*pool.log.entries, signed])


@pytest.mark.parametrize("follower", ["coordinator", "taker", "planned"])
def test_nothing_but_the_endorsement_follows_a_takeover(follower):
    pool = Pool.found(B, C)
    signed = pool.taken_over(B)
    after = {"number": pool.log.head_number + 2, "previous": signed.hash}
    body = e.CoordinatorChanged(B) if follower == "planned" else e.AddressChanged(C, "x")
    nxt = pool.sign(body, B if follower == "taker" else A, **after)
    with pytest.raises(BadEntry, match="endorsed first"):
        pool.log.extended(signed, nxt)


def test_a_joiner_stages_the_log_of_the_coordinator_that_it_pinned():
    certificate = STORY.keys[C].certificate.thumbprint
    staged = Log.staged(ENTRIES, pool=STORY.log.pool, coordinator=certificate)
    assert staged.roster == STORY.log.roster
    with pytest.raises(BadEntry, match="not the one that was met"):
        Log.staged(ENTRIES, pool=STORY.log.pool, coordinator=STORY.keys[B].certificate.thumbprint)
    with pytest.raises(BadEntry, match="not the one that was met"):
        Log.staged(
            ENTRIES, pool=STORY.log.pool, coordinator=pool_identity(D).certificate.thumbprint
        )
    with pytest.raises(BadEntry, match="another pool"):
        Log.staged(ENTRIES, pool=OTHER.log.pool, coordinator=certificate)


def test_a_joiner_is_not_shown_a_log_cut_before_the_coordinator_was_replaced():
    old = STORY.keys[A].certificate.thumbprint
    cut = next(i for i, s in enumerate(ENTRIES) if s.entry.kind == "taken-over")
    assert Log.staged(ENTRIES[:cut], pool=STORY.log.pool, coordinator=old)
    with pytest.raises(BadEntry):
        Log.staged(ENTRIES, pool=STORY.log.pool, coordinator=old)


def test_who_was_accepted_once_is_told_up_to_its_end_and_nothing_later():
    log = STORY.log
    dismissed = next(s for s in ENTRIES if s.entry.body == e.HostDismissed(D, "over"))
    story = log.story_of(pool_identity(D).certificate)
    assert story[-1] == dismissed
    withdrawn = next(s for s in ENTRIES if s.entry.kind == "certificate-withdrawn")
    assert log.story_of(pool_identity(B).certificate)[-1] == withdrawn
    assert log.story_of(STORY.keys[C].certificate) == ENTRIES
    assert log.story_of(pool_identity(D, 7).certificate) == ()
    assert log.story_of(server_identity().certificate) == ()
    again = STORY.copy()
    again.admit(D, pool_identity(D))
    assert again.log.story_of(pool_identity(D).certificate) == again.log.entries
    again.append(e.HostDismissed(D, "once more"))
    again.append(e.AddressChanged(C, "secret"))
    assert again.log.story_of(pool_identity(D).certificate) == again.log.entries[:-1]


def test_a_log_with_an_alone_takeover_is_read_from_ones_own_file():
    pool = Pool.found(B)
    pool.append(e.TakenOver(B, A), B, alone=True)
    pool.append(e.HostDismissed(A, "burnt"))
    assert Log.verify(pool.log.entries, ordered=ANY_ORDER).roster.coordinator == B
    with pytest.raises(Failure, match="pool-emergency-reset-master"):
        Log.verify(pool.log.entries)
