"""The files: cut anywhere, corrupted anywhere, disk full at any call; never half done, never silent."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from pooltrust.errors import CannotStore, CorruptLog, UpgradeThisHost
from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import (
    RESERVE,
    LogFile,
    delete_identity,
    open_log,
    read_identity,
    read_log,
    read_vote,
    replace_file,
    verify_log,
    write_identity,
    write_vote,
)
from pooltrust.trust.takeover import Vote

from .pools import A, B, C, D, E, Pool, pool_identity
from .test_entry import with_payload

POOL = Pool.found(B, C)
LINES = [signed.line() for signed in POOL.log.entries]
WHOLE = b"".join(LINES)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trust.log"


@pytest.fixture
def stored(path):
    LogFile.create(path, POOL.log.entries)
    return path


class Disk:
    """Calls of `os` that fail when their turn comes; everything else is the real disk."""

    def __init__(self, monkeypatch):
        self.calls: list[str] = []
        self.fails: dict[int, int] = {}
        self.short = 0
        for name in ("write", "fsync", "ftruncate"):
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name, real):
        def call(descriptor, *more):
            self.calls.append(name)
            if len(self.calls) - 1 in self.fails:
                code = self.fails[len(self.calls) - 1]
                if name == "write":
                    real(descriptor, bytes(more[0])[:7])  # some of it was written
                raise OSError(code, os.strerror(code))
            if name == "write" and self.short:
                return real(descriptor, bytes(more[0])[: self.short])
            return real(descriptor, *more)

        return call

    def fail(self, *turns, code=errno.EIO):
        self.calls.clear()
        self.fails = dict.fromkeys(turns, code)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


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


def test_a_torn_tail_is_cut_at_every_byte(path):
    start = len(LINES[0]) + len(LINES[1])
    for end in range(start, len(WHOLE)):
        path.write_bytes(WHOLE[:end])
        file, entries = LogFile.open(path)
        assert entries == list(POOL.log.entries[:2]), end
        assert path.read_bytes() == WHOLE[:start]
        file.close()
    file.close()
    file, _ = LogFile.open(path)
    file.append(POOL.log.entries[2:])
    assert path.read_bytes() == WHOLE


def test_appending_nothing_writes_nothing(stored, disk):
    file, _ = LogFile.open(stored)
    disk.fail()
    file.append([])
    assert (disk.calls, file.number) == ([], 3)


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


def test_a_second_writer_is_noticed_and_nothing_is_overwritten(stored):
    one, _ = LogFile.open(stored)
    two, _ = LogFile.open(stored)
    one.append([POOL.sign(e.AddressChanged(B, "one"))])
    data = stored.read_bytes()
    with pytest.raises(CannotStore, match="somebody else"):
        two.append([POOL.sign(e.AddressChanged(B, "two"))])
    assert stored.read_bytes() == data


def test_another_log_takes_the_place_of_the_old_one_as_a_whole(stored):
    other = Pool.found(B, port=8443)
    file, _ = LogFile.open(stored)
    file.replace(other.log.entries)
    assert file.number == 2
    file.append([other.append(e.AddressChanged(B, "x"))])
    assert open_log(stored)[1].head_hash == other.log.head_hash


@pytest.mark.parametrize("turn", [0, 1], ids=["write", "fsync"])
def test_a_replacement_that_fails_leaves_the_old_log_in_use(stored, disk, turn):
    file, _ = LogFile.open(stored)
    disk.fail(turn)
    with pytest.raises(CannotStore):
        file.replace(Pool.found(port=8443).log.entries)
    assert stored.read_bytes() == WHOLE
    assert not list(stored.parent.glob(".*"))
    disk.fail()
    file.append([POOL.sign(e.AddressChanged(B, "x"))])
    assert open_log(stored)[1].head_number == 4


def test_a_crash_before_the_rename_leaves_the_old_log(stored, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    file, _ = LogFile.open(stored)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pathlib.Path.rename", crash)
        file.replace(Pool.found(port=8443).log.entries)
    assert open_log(stored)[1].head_hash == POOL.log.head_hash


def test_a_temporary_file_of_a_crash_is_no_obstacle(stored):
    stored.with_name(".trust.log.new").write_bytes(b"half")
    LogFile.create(stored, POOL.log.entries[:1])
    assert stored.read_bytes() == LINES[0]


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


def test_evidence_is_kept_once_and_bounded(stored, monkeypatch):
    file, _ = LogFile.open(stored)
    fork = [POOL.sign(e.AddressChanged(B, text)) for text in ("x", "y")]
    assert file.keep_evidence(fork[:1])
    assert file.keep_evidence(fork)
    kept = stored.with_name("trust.log.evidence")
    assert read_log(kept) == fork
    monkeypatch.setattr("pooltrust.trust.store.EVIDENCE_LIMIT", kept.stat().st_size + 10)
    assert not file.keep_evidence([POOL.sign(e.AddressChanged(B, "z"))])
    assert read_log(kept) == fork


# Identities.


def test_a_key_is_stored_with_its_certificate_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "pool.pem"
    old_mask = os.umask(0)
    try:
        written = write_identity(path, pool_identity(A))
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert read_identity(path) == written
    assert read_identity(path).identity.sign(b"x")
    assert "PRIVATE" not in repr(written)


def test_an_identity_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A, 2)
    assert [item.name for item in tmp_path.iterdir()] == ["pool.pem"]


def test_a_crash_before_the_rename_leaves_the_old_pair(tmp_path, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pathlib.Path.rename", crash)
        write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A)


@pytest.mark.parametrize("turn", [0, 1], ids=["write", "fsync"])
def test_a_full_disk_leaves_the_old_pair_and_no_stray_key(tmp_path, disk, turn):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    disk.fail(turn, code=errno.ENOSPC)
    with pytest.raises(CannotStore):
        write_identity(path, pool_identity(A, 2))
    assert read_identity(path).identity == pool_identity(A)
    assert [item.name for item in tmp_path.iterdir()] == ["pool.pem"]


def test_everything_is_synced_before_and_after_the_rename(tmp_path, monkeypatch):
    done = []
    sync, rename = os.fsync, type(tmp_path).rename

    def synced(descriptor):
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("folder" if folder else "file")
        sync(descriptor)

    def renamed(self, target):
        done.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr("pathlib.Path.rename", renamed)
    replace_file(tmp_path / "x", b"data", 0o600)
    assert done == ["file", "rename", "folder"]


def test_a_mismatched_pair_is_refused_before_the_rename(tmp_path):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    mismatched = pool_identity(A, 2)
    wrong = object.__new__(Identity)
    for name, value in (
        ("certificate", mismatched.certificate),
        ("chain", ()),
        ("_key", pool_identity(B)._key),
    ):
        object.__setattr__(wrong, name, value)
    with pytest.raises(BadIdentity):
        write_identity(path, wrong)
    assert read_identity(path).identity == pool_identity(A)


@pytest.mark.parametrize("data", [b"", b"junk", b"x" * (1024 * 1024 + 1)])
def test_a_file_that_is_no_identity_is_refused(tmp_path, data):
    path = tmp_path / "pool.pem"
    path.write_bytes(data)
    with pytest.raises(BadIdentity):
        read_identity(path)


def test_a_deleted_identity_is_gone_and_twice_is_once(tmp_path):
    path = tmp_path / "pool.pem"
    write_identity(path, pool_identity(A))
    delete_identity(path)
    delete_identity(path)
    assert not list(tmp_path.iterdir())


def test_a_vote_is_stored_and_replaced(tmp_path):
    path = tmp_path / "vote"
    assert read_vote(path) is None
    for digit in "12":
        vote = Vote(digit * 64, "f" * 64)
        write_vote(path, vote)
        assert read_vote(path) == vote
    path.write_bytes(b"{}\n")
    with pytest.raises(ValueError):
        read_vote(path)


def test_entries_of_a_larger_pool_survive_the_file(path):
    pool = Pool.found(B, C, D, E)
    pool.take_over(B, C, D)
    LogFile.create(path, pool.log.entries)
    assert verify_log(path).roster == pool.log.roster
