"""What is noted beside a log: a vote that is never mislaid, and a count that is never too high."""

from __future__ import annotations

import errno

import pytest

from pooltrust.errors import CannotStore
from pooltrust.trust import entries as e
from pooltrust.trust.store import (
    Noted,
    forget_noted,
    read_noted,
    read_settled,
    read_vote,
    settled_file,
    vote_file,
    write_settled,
    write_vote,
)
from pooltrust.trust.takeover import Vote

from .pools import B, C, Pool

POOL = Pool.found(B, C)
FIRST = POOL.taken_over(B)
OTHER = POOL.taken_over(C)


def test_the_takeover_voted_for_is_stored_and_replaced_and_tells_the_vote(tmp_path):
    path = tmp_path / "vote"
    assert read_vote(path) is None
    for candidate in (FIRST, OTHER):
        write_vote(path, candidate)
        assert read_vote(path) == candidate
        assert Vote.of(candidate) == Vote(POOL.log.head_hash, candidate.hash)
    write_vote(path, None)
    assert read_vote(path) is None


@pytest.mark.parametrize("data", [b"", b"{}\n", b"junk", FIRST.line()[:-1], b"\xff" * 40])
def test_a_vote_that_cannot_be_read_is_an_error_and_not_no_vote(tmp_path, data):
    path = tmp_path / "vote"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="no takeover"):
        read_vote(path)


def test_a_vote_that_could_not_be_stored_leaves_the_one_before(tmp_path, disk):
    path = tmp_path / "vote"
    write_vote(path, FIRST)
    disk.fail(1, code=errno.ENOSPC)
    with pytest.raises(CannotStore):
        write_vote(path, OTHER)
    assert read_vote(path) == FIRST


def test_what_is_settled_counts_for_the_very_log_it_was_noted_of(tmp_path):
    path = settled_file(tmp_path / "trust.log")
    assert read_settled(path, POOL.log) is None
    write_settled(path, POOL.log, 2)
    assert read_settled(path, POOL.log) == 2
    assert read_settled(path, Pool.found(C, B).log) is None
    longer = POOL.copy()
    longer.append(e.AddressChanged(B, "x"))
    assert read_settled(path, longer.log) == 2


@pytest.mark.parametrize("data", [b"", b"2", b"two x\n", b"-1 x\n", b"99999999999999999999 x\n"])
def test_a_count_that_cannot_be_read_is_no_count(tmp_path, data):
    path = settled_file(tmp_path / "trust.log")
    path.write_bytes(data)
    assert read_settled(path, POOL.log) is None


def test_the_notes_of_another_pool_do_not_count(tmp_path):
    log = tmp_path / "trust.log"
    write_vote(vote_file(log), FIRST)
    write_settled(settled_file(log), POOL.log, 3)
    assert read_noted(log, POOL.log) == Noted(FIRST, 3)
    assert read_noted(log, Pool.found(B, port=1).log) == Noted()
    forget_noted(log)
    assert list(tmp_path.iterdir()) == []
    assert read_noted(log, POOL.log) == Noted()
