"""A log file that is replaced, by this host or under its hands: nothing is written into the void."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from pooltrust.errors import CannotStore
from pooltrust.trust import entries as e
from pooltrust.trust.store import LogFile, open_log

from .conftest import LINES, POOL, WHOLE
from .pools import B, C, Pool


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


def moved_over(path):
    """As `mv`, `sed -i` and a restored copy do."""
    other = path.with_name("copy")
    shutil.copy(path, other)
    other.rename(path)


def edited(path):
    path.write_bytes(path.read_bytes() + LINES[0])


def cut_short(path):
    path.write_bytes(WHOLE[:-1])


def moved_away(path):
    path.rename(path.with_name("old"))


UNDER_THE_HAND = {
    moved_over: "another file was put in its place",
    edited: "somebody else has written to it",
    cut_short: "somebody else has written to it",
    moved_away: "it was moved away or deleted",
    os.remove: "it was moved away or deleted",
}


@pytest.mark.parametrize(("change", "words"), UNDER_THE_HAND.items())
@pytest.mark.parametrize("how", ["append", "replace"])
def test_a_file_that_is_no_longer_the_one_that_was_read_takes_no_entry(stored, change, words, how):
    file, _ = LogFile.open(stored)
    change(stored)
    there = stored.read_bytes() if stored.exists() else None
    pool = POOL.copy()
    pool.append(e.HostDismissed(C, "stolen"))
    for _ in range(2):
        with pytest.raises(CannotStore, match=words):
            if how == "append":
                file.append(pool.log.tail(file.number))
            else:
                file.replace(pool.log.entries)
    assert words in file.broken
    assert file.number == 3
    assert (stored.read_bytes() if stored.exists() else None) == there


def test_a_file_that_is_replaced_during_a_write_is_noticed_before_it_counts(stored, monkeypatch):
    file, _ = LogFile.open(stored)
    sync = os.fsync

    def synced(descriptor):
        sync(descriptor)
        moved_over(stored)

    monkeypatch.setattr(os, "fsync", synced)
    with pytest.raises(CannotStore, match="another file was put in its place"):
        file.append([POOL.sign(e.HostDismissed(C, "stolen"))])
    assert file.number == 3


def test_a_file_that_is_replaced_while_it_is_opened_is_not_cut(stored, monkeypatch):
    other = Pool.found(B, C, port=8443)
    data = b"".join(signed.line() for signed in other.log.entries)
    stored.write_bytes(WHOLE[:-9])
    read = type(stored).read_bytes

    def read_then_replaced(path):
        found = read(path)
        path.write_bytes(data)
        return found

    with monkeypatch.context() as patch, pytest.raises(CannotStore, match="somebody else"):
        patch.setattr("pathlib.Path.read_bytes", read_then_replaced)
        LogFile.open(stored)
    assert stored.read_bytes() == data


def test_a_new_log_that_cannot_be_opened_leaves_the_old_one_in_use(stored, monkeypatch):
    file, _ = LogFile.open(stored)
    branch = POOL.copy()
    branch.append(e.AddressChanged(B, "10.9.9.9"))

    def full(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch, pytest.raises(CannotStore, match="Too many open files"):
        patch.setattr("pooltrust.trust.store.log_file.FileIO", full)
        file.replace(branch.log.entries)
    assert stored.read_bytes() == WHOLE
    assert not list(stored.parent.glob(".*"))
    assert not file.broken
    file.append([POOL.sign(e.HostDismissed(C, "stolen"))])
    assert C not in open_log(stored)[1].roster.members


def test_a_new_log_that_a_power_cut_may_take_back_is_not_written_on(stored, disk):
    """The caller still believes its old log: an entry of that must not follow the new one."""
    file, _ = LogFile.open(stored)
    branch = POOL.copy()
    branch.append(e.AddressChanged(B, "10.9.9.9"))
    disk.fail(2)
    with pytest.raises(CannotStore, match="it was replaced, but a power cut may bring the old one"):
        file.replace(branch.log.entries)
    disk.fail()
    with pytest.raises(CannotStore, match="restart this host"):
        file.append([POOL.sign(e.HostDismissed(C, "stolen"))])
    assert open_log(stored)[1].head_hash == branch.log.head_hash


def test_nobody_is_told_that_nothing_changed_when_it_may_have(stored, disk):
    file, _ = LogFile.open(stored)
    disk.fail(2)
    with pytest.raises(CannotStore) as failed:
        file.replace(POOL.log.entries)
    assert "Nothing was changed" not in str(failed.value)
    disk.fail(2)
    with pytest.raises(CannotStore) as failed:
        LogFile.create(stored, POOL.log.entries)
    assert "Nothing was changed" not in str(failed.value)
    disk.fail(0)
    with pytest.raises(CannotStore, match="Nothing was changed"):
        LogFile.create(stored, POOL.log.entries)
