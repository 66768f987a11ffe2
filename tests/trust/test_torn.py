"""The end of a log file that a crash or an editor has left."""

from __future__ import annotations

import errno
import stat

import pytest

from pooltrust.errors import CorruptLog, UpgradeThisHost
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import (
    Contents,
    LogFile,
    Torn,
    open_log,
    read_log,
    torn_file,
    verify_log,
)

from .conftest import LINES, POOL, WHOLE
from .pools import A, B, C
from .test_entry import with_payload


def test_a_torn_tail_is_cut_at_every_byte(path):
    start = len(LINES[0]) + len(LINES[1])
    for end in range(start + 1, len(WHOLE) - 1):
        path.write_bytes(WHOLE[:end])
        file, entries = LogFile.open(path)
        assert entries == list(POOL.log.entries[:2]), end
        assert path.read_bytes() == WHOLE[:start]
        assert file.torn == Torn(end - start, torn_file(path))
        assert torn_file(path).read_bytes() == WHOLE[start:end]
        file.close()
    file.close()
    file, _ = LogFile.open(path)
    file.append(POOL.log.entries[2:])
    assert path.read_bytes() == WHOLE


@pytest.mark.parametrize("end", [0, 1, 700])
def test_a_log_torn_in_its_first_line_is_empty(path, end):
    path.write_bytes(WHOLE[:end])
    file, entries = LogFile.open(path)
    assert (entries, file.number, path.read_bytes()) == ([], 0, b"")


def test_reading_offline_changes_nothing(path):
    path.write_bytes(WHOLE[:-5])
    assert verify_log(path).head_number == 2
    assert len(read_log(path)) == 2
    assert path.read_bytes() == WHOLE[:-5]


def test_a_takeover_cut_from_its_endorsement_does_not_count(path):
    pool = POOL.copy()
    first, second = pool.take_over(B, C)
    for end in range(len(first.line()), len(first.line()) + len(second.line()), 211):
        path.write_bytes(WHOLE + (first.line() + second.line())[:end])
        assert verify_log(path).head_number == 3
        file, log = open_log(path)
        assert (log.head_number, file.number) == (3, 3)
        assert path.read_bytes() == WHOLE
    file.append([first, second])
    assert open_log(path)[1].roster.coordinator == B


def test_a_last_line_that_lost_only_its_newline_gets_it_back(path):
    """An editor that strips it must not undo a dismissal."""
    pool = POOL.copy()
    pool.append(e.HostDismissed(C, "stolen"))
    whole = b"".join(signed.line() for signed in pool.log.entries)
    path.write_bytes(whole[:-1])
    contents = Contents.read(path)
    assert (contents.unended, contents.torn) == (True, b"")
    assert C not in verify_log(path).roster.members
    assert len(read_log(path)) == 4
    assert path.read_bytes() == whole[:-1]
    file, log = open_log(path)
    assert (log.roster, file.number, file.torn) == (pool.log.roster, 4, None)
    assert path.read_bytes() == whole
    file.append([pool.append(e.AddressChanged(B, "x"))])
    assert open_log(path)[1].head_hash == pool.log.head_hash


def test_an_endorsement_that_lost_its_newline_counts_and_a_takeover_alone_does_not(path):
    pool = POOL.copy()
    first, second = pool.take_over(B, C)
    path.write_bytes(WHOLE + first.line() + second.line()[:-1])
    assert open_log(path)[1].roster.coordinator == B
    path.write_bytes(WHOLE + first.line()[:-1])
    file, log = open_log(path)
    assert (log.roster.coordinator, file.torn) == (A, Torn(len(first.line()) - 1, torn_file(path)))
    assert path.read_bytes() == WHOLE


@pytest.mark.parametrize(
    "line",
    [
        LINES[2],
        POOL.sign(e.AddressChanged(B, "x"), number=9).line(),
        with_payload(POOL.sign(e.AddressChanged(B, "x")), by="mallory").line(),
        POOL.sign(e.AddressChanged(B, "x"), B).line(),
    ],
    ids=["twice", "another number", "altered", "another writer"],
)
def test_a_last_line_without_its_newline_that_does_not_verify_is_cut_but_not_lost(path, line):
    path.write_bytes(WHOLE + line[:-1])
    assert (Contents.read(path).torn, Contents.read(path).unended) == (line[:-1], False)
    file, log = open_log(path)
    assert (log.head_number, file.torn) == (3, Torn(len(line) - 1, torn_file(path)))
    assert path.read_bytes() == WHOLE
    assert torn_file(path).read_bytes() == line[:-1]
    assert stat.S_IMODE(torn_file(path).stat().st_mode) == 0o600


def test_the_entry_of_a_newer_release_without_its_newline_is_not_thrown_away(path):
    newer = with_payload(POOL.sign(e.AddressChanged(B, "x")), kind="host-praised", body={})
    line = SignedEntry(newer.payload, POOL.keys[A].sign(newer.message)).line()
    path.write_bytes(WHOLE + line[:-1])
    with pytest.raises(UpgradeThisHost):
        open_log(path)
    assert path.read_bytes() == WHOLE + line


def test_a_corrupt_line_before_the_last_is_named_and_nothing_is_lost(path):
    data = WHOLE.replace(b'"h1"', b'"h9"')[:-1]
    path.write_bytes(data)
    with pytest.raises(CorruptLog, match="line 1"):
        open_log(path)
    assert path.read_bytes() + torn_file(path).read_bytes() == data


def test_a_whole_file_is_not_said_to_be_torn(stored):
    file, _ = open_log(stored)
    assert file.torn is None
    assert not torn_file(stored).exists()


def test_a_full_disk_keeps_no_host_from_starting_and_the_loss_is_said(path, disk):
    path.write_bytes(WHOLE[:-9])
    disk.fail(0, code=errno.ENOSPC)
    file, log = open_log(path)
    assert log.head_number == 2
    assert file.torn == Torn(len(LINES[2]) - 9, None)
