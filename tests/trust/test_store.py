"""The files: cut anywhere, corrupted anywhere, disk full at any call; never half done, never silent."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from pooltrust.errors import CannotStore, CorruptLog, UpgradeThisHost
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import (
    RESERVE,
    LogFile,
    open_log,
    read_log,
    verify_log,
)

from .conftest import LINES, POOL, WHOLE
from .pools import A, B, C, D, E, Pool
from .test_entry import with_payload


def test_what_was_appended_is_there_after_a_restart(path):
    file, entries = LogFile.open(path)
    assert entries == []
    file.append(POOL.log.entries[:1])
    file.append(POOL.log.tail(file.number))
    again, log = open_log(path)
    assert log.entries == POOL.log.entries
    assert again.number == 3
    assert path.read_bytes() == WHOLE
    assert read_log(path) == list(POOL.log.entries)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_appending_nothing_writes_nothing(stored, disk):
    file, _ = LogFile.open(stored)
    disk.fail()
    file.append([])
    assert (disk.calls, file.number) == ([], 3)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_corruption_is_named_with_its_line(path, line):
    before = sum(map(len, LINES[: line - 1]))
    for place in range(before, before + len(LINES[line - 1]), 31):
        data = bytearray(WHOLE)
        data[place] ^= 0x04
        path.write_bytes(data)
        with pytest.raises(CorruptLog) as stop:
            open_log(path)
        assert (stop.value.file, stop.value.line) == (str(path), line), place
        with pytest.raises(CorruptLog) as stop:
            verify_log(path)
        assert stop.value.line == line, place


def test_a_complete_bad_last_line_is_corruption_and_stays(path):
    path.write_bytes(WHOLE + b"\n")
    with pytest.raises(CorruptLog) as stop:
        LogFile.open(path)
    assert stop.value.line == 4
    assert path.read_bytes() == WHOLE + b"\n"


def test_a_line_missing_or_twice_is_corruption(path):
    path.write_bytes(LINES[0] + LINES[2])
    with pytest.raises(CorruptLog, match="line 2"):
        open_log(path)
    path.write_bytes(WHOLE + LINES[2])
    with pytest.raises(CorruptLog, match="line 4"):
        open_log(path)


def test_the_log_of_a_newer_release_asks_for_an_upgrade(path):
    newer = with_payload(POOL.sign(e.AddressChanged(B, "x")), kind="host-praised", body={})
    newer = SignedEntry(newer.payload, POOL.keys[A].sign(newer.message))
    path.write_bytes(WHOLE + newer.line())
    with pytest.raises(UpgradeThisHost):
        open_log(path)
    assert path.read_bytes() == WHOLE + newer.line()


def test_a_takeover_made_alone_is_kept(path):
    pool = POOL.copy()
    pool.append(e.TakenOver(B, A), B, alone=True)
    LogFile.create(path, pool.log.entries)
    assert open_log(path)[1].roster.coordinator == B


def test_short_writes_are_completed(stored, disk):
    file, _ = LogFile.open(stored)
    disk.short = 100
    signed = POOL.sign(e.AddressChanged(B, "x"))
    file.append([signed])
    assert stored.read_bytes() == WHOLE + signed.line()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("turn", [0, 1], ids=["write", "fsync"])
def test_a_failed_append_is_undone_and_can_be_tried_again(stored, disk, turn, code):
    file, _ = LogFile.open(stored)
    signed = POOL.sign(e.AddressChanged(B, "x"))
    disk.fail(turn, code=code)
    with pytest.raises(CannotStore, match=os.strerror(code)):
        file.append([signed])
    assert stored.read_bytes() == WHOLE
    assert "ftruncate" in disk.calls
    assert disk.calls[-1] == "fsync"
    assert file.number == 3
    assert not file.broken
    disk.fail()
    file.append([signed])
    assert stored.read_bytes() == WHOLE + signed.line()


@pytest.mark.parametrize("turns", [(0, 1), (0, 2)], ids=["ftruncate", "its fsync"])
def test_an_append_that_cannot_be_undone_stops_appending_until_a_restart(stored, disk, turns):
    file, _ = LogFile.open(stored)
    signed = POOL.sign(e.AddressChanged(B, "x"))
    disk.fail(*turns)
    with pytest.raises(CannotStore, match="could not be undone"):
        file.append([signed])
    disk.fail()
    with pytest.raises(CannotStore, match="restart this host"):
        file.append([signed])
    assert disk.calls == []
    again, log = open_log(stored)
    assert log.head_number == 3
    again.append([signed])
    assert open_log(stored)[1].head_number == 4


def test_a_dismissal_is_stored_on_a_full_disk_by_releasing_the_reserve(stored, disk):
    file, _ = LogFile.open(stored)
    reserve = stored.with_name("trust.log.reserve")
    assert reserve.stat().st_size == RESERVE
    pool = POOL.copy()
    ordinary = pool.sign(e.AddressChanged(B, "x"))
    disk.fail(0, code=errno.ENOSPC)
    with pytest.raises(CannotStore):
        file.append([ordinary])
    assert reserve.exists()
    dismissed = pool.append(e.HostDismissed(C, "lost"))
    # The second attempt is the write after: write, ftruncate, fsync, fsync of the folder; then the
    # new reserve finds no room.
    disk.fail(0, 6, code=errno.ENOSPC)
    file.append([dismissed])
    assert disk.calls[:6] == ["write", "ftruncate", "fsync", "fsync", "write", "fsync"]
    assert not reserve.exists()
    assert open_log(stored)[1].head_number == 4
    assert reserve.stat().st_size == RESERVE


def test_a_dismissal_without_room_even_so_says_so_and_leaves_the_file_whole(stored, disk):
    file, _ = LogFile.open(stored)
    dismissed = POOL.sign(e.HostDismissed(C, "lost"))
    disk.fail(0, 4, code=errno.ENOSPC)
    with pytest.raises(CannotStore):
        file.append([dismissed])
    assert stored.read_bytes() == WHOLE
    disk.fail()
    file.append([dismissed])
    assert open_log(stored)[1].head_number == 4


def test_what_the_disk_could_not_take_is_caught_up_before_anything_later(stored):
    file, _ = LogFile.open(stored)
    pool = POOL.copy()
    pool.append(e.AddressChanged(B, "x"))
    pool.append(e.AddressChanged(B, "y"))
    with pytest.raises(ValueError, match="do not follow"):
        file.append(pool.log.tail(4))
    with pytest.raises(ValueError, match="do not follow"):
        file.append(pool.log.tail(2))
    file.append(pool.log.tail(file.number))
    assert open_log(stored)[1].head_hash == pool.log.head_hash


def test_older_entries_are_archived_at_a_checkpoint(stored):
    pool = POOL.copy()
    pool.append(e.HostDismissed(C, "over"))
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    pool.append(e.AddressChanged(B, "x"))
    file, _ = LogFile.open(stored)
    file.append(pool.log.tail(file.number))
    live = file.archive(pool.log, 5)
    assert (live.first, live.head_number) == (5, 6)
    assert stored.with_name("trust.log.1-4").read_bytes() == b"".join(
        signed.line() for signed in pool.log.entries[:4]
    )
    pool.append(e.AddressChanged(B, "y"))
    file.append(pool.log.tail(file.number))
    again, log = open_log(stored)
    assert log.roster == pool.log.roster
    assert (log.first, again.number) == (5, 7)
    data = bytearray(stored.read_bytes())
    data[10] ^= 1
    stored.write_bytes(data)
    with pytest.raises(CorruptLog, match=r"line [12]:"):
        open_log(stored)


def test_corruption_after_a_snapshot_is_named_with_its_line(path):
    pool = POOL.copy()
    snapshot = pool.log.roster.snapshot()
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    pool.append(e.AddressChanged(B, "x"))
    LogFile.create(path, pool.log.tail(3), snapshot=snapshot)
    assert open_log(path)[1].head_number == 5
    path.write_bytes(path.read_bytes().replace(b'"address":"x"', b'"address":"z"'))
    with pytest.raises(CorruptLog, match="line 3: signature"):
        open_log(path)


def test_a_log_from_the_middle_needs_the_snapshot_before_it(path):
    with pytest.raises(ValueError, match="founding entry"):
        LogFile.create(path, POOL.log.tail(1))
    with pytest.raises(ValueError, match="founding entry"):
        LogFile.create(path, POOL.log.entries, snapshot=POOL.log.roster.snapshot())
    assert not path.exists()


def test_entries_of_a_larger_pool_survive_the_file(path):
    pool = Pool.found(B, C, D, E)
    pool.take_over(B, C, D)
    LogFile.create(path, pool.log.entries)
    assert verify_log(path).roster == pool.log.roster
