"""Records count by the signature of the host that led when they were written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pooltrust.host.records.seal import BadSeal, check_seal, sealed
from pooltrust.host.records.store import Dump, Revision
from pooltrust.trust import entries as e
from pooltrust.trust.leading import FOUNDER, keys_of, leader, led_since
from trust.pools import A, B, C, D, Pool, pool_identity

ROWS = {"accounts": {"root": {"salt": "x", "iterations": 100_000}}}
POOL = Pool.found(B, C, D)
TAKEN = POOL.copy()
TAKEN.take_over(B, C, D)
CHANGE = TAKEN.log.head_number - 1


def dump(change: int = FOUNDER, counter: int = 3, rows: Any = ROWS) -> Dump:
    return Dump(Revision(change, counter), rows)


def by_founder(**other: Any) -> Dump:
    return sealed(dump(**other), POOL.log, A, pool_identity(A))


def by_taker(pool: Pool = TAKEN) -> Dump:
    return sealed(dump(CHANGE, 0), pool.log, B, pool.keys[B])


def test_a_coordinators_records_count_while_it_leads_and_after_it_was_replaced():
    check_seal(by_founder(), POOL.log)
    check_seal(by_founder(), TAKEN.log)
    check_seal(by_taker(), TAKEN.log)


def test_they_cross_the_wire():
    check_seal(Dump.from_wire(by_founder().to_wire()), POOL.log)


def test_they_count_when_their_signer_was_refreshed_since():
    pool = POOL.copy()
    new = pool_identity(A, 2)
    pool.append(pool.accepted(A, new))
    by_new = sealed(dump(), pool.log, A, new)
    check_seal(by_new, pool.log)
    pool.append(pool.withdrawn(A, pool_identity(A)), key=new)
    check_seal(by_founder(), pool.log)
    check_seal(by_new, pool.log)
    with pytest.raises(BadSeal, match="was not their coordinator's"):
        check_seal(by_new, POOL.log)  # which has not heard of that certificate


def changed(of: Dump, **row: Any) -> Dump:
    return replace(of, seal={**(of.seal or {}), **row})


def other_branch() -> Dump:
    pool = POOL.copy()
    pool.append(e.AddressChanged(B, "x"))
    pool.log = POOL.log
    first = pool.taken_over(B, call="another")
    pool.log = pool.log.extended(first, pool.endorsed(first, B, C, D))
    return by_taker(pool)


BAD: dict[str, Callable[[], Dump]] = {
    "no seal": dump,
    "a member's": lambda: sealed(dump(), POOL.log, B, pool_identity(B)),
    "a member's in the coordinator's name": lambda: sealed(dump(), POOL.log, A, pool_identity(B)),
    "another row": lambda: replace(by_founder(), tables={"accounts": {"root": {"salt": "y"}}}),
    "one table more": lambda: replace(by_founder(), tables={**ROWS, "more": {"a": {"b": 1}}}),
    "one table less": lambda: replace(by_founder(), tables={}),
    "another revision": lambda: replace(by_founder(), revision=Revision(FOUNDER, 4)),
    "the taker's before it took over": by_taker,
    "of a change that is none": lambda: sealed(dump(2), POOL.log, A, pool_identity(A)),
    "of a change to come": lambda: sealed(dump(99), POOL.log, A, pool_identity(A)),
    "no signature": lambda: changed(by_founder(), signature="AAAA"),
    "no base64": lambda: changed(by_founder(), signature="?"),
    "no text": lambda: changed(by_founder(), signature=7, signer=8),
    "no thumbprint": lambda: changed(by_founder(), signer="AA"),
}


@pytest.mark.parametrize("made", BAD.values(), ids=BAD.keys())
def test_records_that_do_not_count(made: Callable[[], Dump]):
    with pytest.raises(BadSeal):
        check_seal(made(), POOL.log)


def test_records_of_another_branch_do_not_count():
    with pytest.raises(BadSeal, match="were changed"):
        check_seal(other_branch(), TAKEN.log)


def test_who_leads_since_when():
    pool = TAKEN.copy()
    assert led_since(POOL.log) == FOUNDER
    assert led_since(pool.log) == CHANGE
    assert (leader(pool.log, FOUNDER), leader(pool.log, CHANGE)) == (A, B)
    pool.append(e.AddressChanged(C, "x"))
    assert led_since(pool.log) == CHANGE
    assert led_since(pool.log, after=CHANGE) == FOUNDER
    pool.append(e.CoordinatorChanged(C))
    assert led_since(pool.log) == pool.log.head_number
    assert leader(pool.log, pool.log.head_number) == C
    assert leader(pool.log, CHANGE + 1) is None
    assert [one.thumbprint for one in keys_of(pool.log, C, pool.log.head_number)] == [
        pool_identity(C).certificate.thumbprint
    ]
