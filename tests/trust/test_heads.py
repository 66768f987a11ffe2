"""Heads: who may say one, when an entry is committed, when a host is current or may append."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.trust import entries as e
from pooltrust.trust.heads import (
    FRESH,
    BadHead,
    Head,
    Life,
    Seen,
    SignedHead,
    committed,
    copied,
    is_current,
    may_append,
    sign_head,
)

from .pools import A, B, C, D, E, Pool, host_number, pool_identity

POOL = Pool.found(B, C, D)
LOG = POOL.log
ROSTER = LOG.roster
NONCE = b"n" * 32


def head(host=B, key=None, **changed) -> SignedHead:
    key = key or POOL.keys[host]
    said = Head(LOG.pool, LOG.head_number, LOG.head_hash, NONCE, host, key.certificate.thumbprint)
    return sign_head(dataclasses.replace(said, **changed), key)


def seen(host, age=1.0, number=None, hash=None, vouches=True) -> Seen:
    return Seen(host, number or LOG.head_number, hash or LOG.head_hash, 1000.0 - age, vouches)


def test_a_members_head_is_taken():
    said = head(start=7, instance="one").verify(ROSTER, nonce=NONCE)
    assert (said.host, said.number, said.hash) == (B, LOG.head_number, LOG.head_hash)
    assert (said.start, said.instance) == (7, "one")


REFUSED = {
    "another pool's": lambda: head(pool="0" * 64),
    "played again": lambda: head(nonce=b"m" * 32),
    "in another's name": lambda: head(host=C, key=POOL.keys[B]),
    "by a stranger": lambda: head(host=host_number(9), key=pool_identity(host_number(9))),
    "by another key of its name": lambda: head(key=pool_identity(B, 5)),
    "altered": lambda: SignedHead(
        head().payload.replace(b'"start":0', b'"start":1'), head().signature
    ),
    "an entry's signature": lambda: SignedHead(head().payload, POOL.keys[B].sign(head().payload)),
    "garbage": lambda: SignedHead(b"{}", b"s"),
    "too long": lambda: SignedHead(b'"' + b"x" * 5000 + b'"', b"s"),
}


@pytest.mark.parametrize("signed", REFUSED.values(), ids=REFUSED.keys())
def test_a_head_is_refused(signed):
    with pytest.raises(BadHead):
        signed().verify(ROSTER, nonce=NONCE)


def test_a_head_is_signed_only_with_the_identity_that_it_names():
    with pytest.raises(ValueError, match="another signer"):
        head(signer=POOL.keys[C].certificate.thumbprint)


@pytest.mark.parametrize(
    ("holders", "done"),
    [
        ({A, B}, True),
        ({A, B, C, D}, True),
        ({A}, False),
        ({B, C, D}, False),
        ({A, E, host_number(9)}, False),
        (set(), False),
    ],
)
def test_committed_is_at_least_half_with_the_coordinator(holders, done):
    assert committed(ROSTER, holders) is done


@settings(max_examples=100)
@given(st.integers(1, 7), st.data())
def test_a_commit_and_an_endorsed_takeover_always_share_a_member(size, data):
    hosts = [host_number(n) for n in range(1, size + 1)]
    members = dict.fromkeys(hosts)
    roster = dataclasses.replace(ROSTER, members=members)
    holders = data.draw(st.sets(st.sampled_from(hosts)))
    endorsers = data.draw(st.sets(st.sampled_from(hosts))) - {A}
    if committed(roster, holders) and 2 * len(endorsers) > size:
        assert holders & endorsers


CURRENT = {
    "coordinator's word": (B, [seen(A)], True),
    "coordinator's word at the last moment": (B, [seen(A, FRESH - 0.001)], True),
    "word of a coordinator that has lost its pool": (B, [seen(A, vouches=False)], False),
    "which counts as any member's": (B, [seen(A, vouches=False), seen(C)], True),
    "coordinator's word too old": (B, [seen(A, FRESH)], False),
    "coordinator's word from the future": (B, [seen(A, -1)], False),
    "coordinator at a later entry": (B, [seen(A, number=9, hash="0" * 64)], False),
    "coordinator on another branch": (B, [seen(A, hash="0" * 64)], False),
    "one other member": (B, [seen(C)], False),
    "two others: more than half with itself": (B, [seen(C), seen(D)], True),
    "the same one twice": (B, [seen(C), seen(C, 2)], False),
    "its own word": (B, [seen(B), seen(C)], False),
    "strangers": (B, [seen(host_number(8)), seen(host_number(9))], False),
    "coordinator about itself": (A, [seen(A)], False),
    "coordinator with one: half with itself": (A, [seen(B)], True),
    "coordinator with two": (A, [seen(B), seen(C)], True),
    "nothing, as after a start": (B, [], False),
    "no member": (host_number(9), [seen(A), seen(B), seen(C), seen(D)], False),
}


@pytest.mark.parametrize(("me", "heads", "current"), CURRENT.values(), ids=CURRENT.keys())
def test_current(me, heads, current):
    assert is_current(ROSTER, me, heads, 1000.0) is current


def test_a_pool_of_one_is_current():
    assert is_current(Pool.found().log.roster, A, [], 0.0)


def test_the_coordinator_of_two_is_current_by_the_other_one_only():
    roster = Pool.found(B).log.roster
    assert not is_current(roster, A, [], 1000.0)
    assert is_current(roster, A, [Seen(B, roster.number, roster.head, 999.0, True)], 1000.0)


def test_a_dismissed_host_is_never_current():
    pool = POOL.copy()
    pool.append(e.HostDismissed(B, "over"))
    roster = pool.log.roster
    heads = [Seen(host, roster.number, roster.head, 1000.0, True) for host in (A, C, D)]
    assert not is_current(roster, B, heads, 1000.0)


APPEND = {
    "nobody answered": (A, [], False),
    "half answered": (A, [seen(B, 10**6)], True),
    "one lags behind": (A, [seen(B, number=2, hash=LOG.hash_at(2))], True),
    "one holds more": (A, [seen(B), seen(C, number=LOG.head_number + 1)], False),
    "one holds something else": (A, [seen(B), seen(C, hash="0" * 64)], False),
    "one holds something else further back": (A, [seen(B, number=2, hash="0" * 64)], False),
    "strangers": (A, [seen(host_number(9))], False),
    "itself": (A, [seen(A)], False),
    "not the coordinator": (B, [seen(A), seen(C), seen(D)], False),
}


@pytest.mark.parametrize(("me", "heads", "may"), APPEND.values(), ids=APPEND.keys())
def test_a_coordinator_appends_after_a_start_when_half_have_shown_no_more(me, heads, may):
    assert may_append(ROSTER, me, heads, LOG.hash_at) is may


def test_a_coordinator_of_one_appends_at_once():
    log = Pool.found().log
    assert may_append(log.roster, A, [], log.hash_at)


def test_who_is_behind_the_checkpoint_does_not_stop_the_coordinator():
    pool = POOL.copy()
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    live = pool.log.from_checkpoint(pool.log.head_number)
    heads = [seen(B, number=2, hash=LOG.hash_at(2))]
    assert may_append(live.roster, A, heads, live.hash_at)


def test_a_copy_shows_by_its_start_counter_and_instance():
    first = head(start=5, instance="one", run="x").head.life
    seen = {
        (start, instance, run): copied(first, Life(instance, start, run))
        for start, instance, run in itertools.product((4, 5, 6), ("one", "two"), "xy")
    }
    assert {life for life, why in seen.items() if why is None} == {
        (5, "one", "x"),
        (6, "one", "x"),
        (6, "one", "y"),
    }
    assert seen[4, "one", "x"] == "its start counter went back from 5 to 4"
    assert seen[5, "one", "y"] == "two hosts are in their start 5"
    assert {seen[start, "two", "x"] for start in (4, 5, 6)} == {
        "another installation uses its keys"
    }
