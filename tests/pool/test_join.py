"""May this host join that pool: every reason against it, each with its cure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.pool.join import Facts, all_at_once, blockers
from pooltrust.terms import PoolId, host_id

H1, H2, H3 = (host_id(f"{digit * 8}-0000-4000-8000-000000000000") for digit in "123")

POOL = Facts(
    host=H1,
    name="h1",
    address="192.0.2.1",
    port=443,
    pool=PoolId("a" * 64),
    verification=True,
    members=2,
    coordinator=H1,
    coordinator_address="192.0.2.1",
    kinds=("checkpoint", "founded"),
)
JOINER = replace(
    POOL,
    host=H2,
    name="h2",
    address="192.0.2.2",
    pool=PoolId("b" * 64),
    members=1,
    coordinator=H2,
    coordinator_address="192.0.2.2",
)

MISMATCH = "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"
HAS_MEMBERS = "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"


def test_a_fresh_host_may_join() -> None:
    assert blockers(JOINER, POOL, frozenset({H1, H3})) == []


def test_verification_off_on_both_sides_is_no_obstacle() -> None:
    joiner, pool = replace(JOINER, verification=False), replace(POOL, verification=False)
    assert blockers(joiner, pool, frozenset()) == []


def test_a_joiner_that_can_read_more_than_the_pool_writes_is_no_obstacle() -> None:
    assert blockers(replace(JOINER, kinds=(*POOL.kinds, "newer")), POOL, frozenset()) == []


@pytest.mark.parametrize(
    ("joiner", "pool", "code", "words"),
    [
        ({"host": H1}, {}, "OPERATION_NOT_ALLOWED", "slave of itself"),
        ({"pool": POOL.pool}, {}, "OPERATION_NOT_ALLOWED", "already part of a pool"),
        ({"members": 3}, {}, HAS_MEMBERS, "xe pool-eject"),
        (
            {"verification": False},
            {},
            MISMATCH,
            "off at the joining host h2. Enable it on h2: xe pool-enable-tls-verification",
        ),
        (
            {},
            {"verification": False},
            MISMATCH,
            "off at the pool of h1. Enable it on the pool's coordinator h1: "
            "xe pool-enable-tls-verification",
        ),
        ({"port": 8443}, {}, "OPERATION_NOT_ALLOWED", 'Set "port = 443" under [host]'),
        ({"host": H3}, {}, "OPERATION_NOT_ALLOWED", f"a host with the UUID {H3} already"),
        ({"kinds": ("founded",)}, {}, "OPERATION_NOT_ALLOWED", "checkpoint: upgrade it first"),
    ],
)
def test_each_obstacle_has_its_code_and_says_what_to_do(
    joiner: dict[str, Any], pool: dict[str, Any], code: str, words: str
) -> None:
    found = blockers(replace(JOINER, **joiner), replace(POOL, **pool), frozenset({H1, H3}))
    assert [code] == [why.code for why in found]
    assert words in str(found[0])


def test_all_obstacles_are_told_at_once_each_with_its_cure() -> None:
    joiner = replace(JOINER, host=H3, members=2, verification=False, port=8443, kinds=("founded",))
    failure = all_at_once(blockers(joiner, POOL, frozenset({H1, H3})))
    assert failure.code == HAS_MEMBERS
    assert failure.parameters() == []
    for words in (
        "xe pool-eject",
        "off at the joining host h2",
        "xe pool-enable-tls-verification",
        '"port = 443"',
        f"UUID {H3} already",
        "upgrade it first",
    ):
        assert words in str(failure)


def test_one_obstacle_alone_carries_no_others() -> None:
    failure = all_at_once(blockers(replace(JOINER, members=2), POOL, frozenset()))
    assert failure.also == ()
    assert "Also" not in str(failure)


@settings(max_examples=60, deadline=None)
@given(
    members=st.integers(1, 3),
    joiner_on=st.booleans(),
    pool_on=st.booleans(),
    port=st.sampled_from([443, 8443]),
    known=st.booleans(),
    kinds=st.sets(st.sampled_from(["checkpoint", "founded", "newer"])),
)
def test_the_obstacles_are_exactly_those_that_there_are(
    members: int, joiner_on: bool, pool_on: bool, port: int, known: bool, kinds: set[str]
) -> None:
    joiner = replace(
        JOINER, members=members, verification=joiner_on, port=port, kinds=tuple(sorted(kinds))
    )
    pool = replace(POOL, verification=pool_on)
    expected = [
        members > 1,
        joiner_on != pool_on,
        port != POOL.port,
        known,
        not kinds >= set(POOL.kinds),
    ]
    assert sum(expected) == len(blockers(joiner, pool, frozenset({H2} if known else ())))
