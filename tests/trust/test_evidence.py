"""Entries of another branch: kept once, bounded, and never lost in silence."""

from __future__ import annotations

from pooltrust.trust import entries as e
from pooltrust.trust.store import Evidence, LogFile, read_log

from .conftest import POOL
from .pools import B

FORK = [POOL.sign(e.AddressChanged(B, f"10.0.0.{number}")) for number in range(10, 20)]
LINE = len(FORK[0].line())


def test_evidence_is_kept_once(stored):
    file, _ = LogFile.open(stored)
    assert file.keep_evidence(FORK[:1]) == Evidence(tuple(FORK[:1]))
    assert file.keep_evidence(FORK[:2]) == Evidence(tuple(FORK[:2]))
    kept = stored.with_name("trust.log.evidence")
    assert read_log(kept) == FORK[:2]
    assert kept.read_bytes() == FORK[0].line() + FORK[1].line()


def test_of_more_evidence_than_there_is_room_the_oldest_and_the_newest_are_kept(
    stored, monkeypatch
):
    lengths = [len(signed.line()) for signed in FORK]
    monkeypatch.setattr("pooltrust.trust.store.evidence.LIMIT", 4 * max(lengths))
    file, _ = LogFile.open(stored)
    kept = stored.with_name("trust.log.evidence")
    first = file.keep_evidence(FORK[:6])
    assert first == Evidence((*FORK[:2], *FORK[4:6]), lost=2)
    assert read_log(kept) == list(first.kept)
    # What is newer takes the room of what was newest; what came first stays.
    assert file.keep_evidence(FORK[6:7]) == Evidence((FORK[6],), lost=1)
    assert read_log(kept) == [*FORK[:2], *FORK[5:7]]
    assert kept.stat().st_size <= 4 * max(lengths)


def test_a_takeover_without_its_endorsement_is_evidence_too(stored):
    file, _ = LogFile.open(stored)
    taken = POOL.taken_over(B)
    file.keep_evidence([taken])
    file.keep_evidence(FORK[:1])
    kept = stored.with_name("trust.log.evidence")
    assert kept.read_bytes() == taken.line() + FORK[0].line()
