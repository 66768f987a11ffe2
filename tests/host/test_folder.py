"""One daemon to a state folder, nobody else writes to it, and its starts are counted."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pooltrust.errors import BadStateFolder, StateFolderInUse
from pooltrust.host.folder import Start, StateFolder
from pooltrust.terms import Thumbprint

HOLDER = """
import sys, time
from pathlib import Path
from pooltrust.host.folder import StateFolder
lock = StateFolder.open(Path(sys.argv[1])).lock()
print("held", flush=True)
time.sleep(60)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_its_user_alone(tmp_path: Path):
    folder = StateFolder.open(tmp_path / "a" / "state")
    assert mode(folder.root) == 0o700
    assert mode(folder.identities) == 0o700


def test_it_is_opened_again_as_it_was(tmp_path: Path):
    (tmp_path / "state").mkdir(mode=0o755)
    StateFolder.open(tmp_path / "state")
    StateFolder.open(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o755


@pytest.mark.parametrize("wide", [0o720, 0o702, 0o777])
def test_one_that_others_may_write_to_is_refused_with_the_cure(tmp_path: Path, wide: int):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(wide)
    with pytest.raises(BadStateFolder, match="chmod go-w"):
        StateFolder.open(tmp_path / "state")


def test_keys_in_a_folder_that_others_may_write_to_are_refused_too(tmp_path: Path):
    StateFolder.open(tmp_path).identities.chmod(0o770)
    with pytest.raises(BadStateFolder, match="identities"):
        StateFolder.open(tmp_path)


def test_one_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(BadStateFolder, match=f"belongs to user {mine} and this is user {mine + 1}"):
        StateFolder.open(tmp_path)


def test_a_file_in_its_place_is_refused(tmp_path: Path):
    (tmp_path / "state").write_text("")
    with pytest.raises(BadStateFolder, match="exists"):
        StateFolder.open(tmp_path / "state")


def test_two_identities_of_one_host_have_two_files(tmp_path: Path):
    folder = StateFolder.open(tmp_path)
    old, new = (folder.identity("pool", Thumbprint.of(der)) for der in (b"old", b"new"))
    assert old != new
    for path in (old, new, folder.identity("server", Thumbprint.of(b"old"))):
        path.touch()
    (folder.identities / ".pool-half-written").touch()
    assert sorted([old, new]) == folder.identity_files("pool")


def test_a_second_daemon_is_told_who_holds_the_folder(tmp_path: Path):
    folder = StateFolder.open(tmp_path)
    lock = folder.lock()
    assert f"{os.getpid()}\n" == folder.lock_file.read_text()
    with pytest.raises(StateFolderInUse, match=f"process {os.getpid()}"):
        folder.lock()
    lock.release()
    lock.release()
    assert not folder.lock_file.exists()
    folder.lock().release()


def test_a_killed_daemon_leaves_no_lock(tmp_path: Path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        folder = StateFolder.open(tmp_path)
        with pytest.raises(StateFolderInUse, match=f"process {holder.pid}"):
            folder.lock()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    folder.lock().release()


def test_a_lock_that_its_holder_removes_meanwhile_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = StateFolder.open(tmp_path)
    true_flock = fcntl.flock
    removed: list[bool] = []

    def flock(descriptor: int, how: int) -> None:
        if not removed:
            folder.lock_file.unlink()
            removed.append(True)
        true_flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    lock = folder.lock()
    assert folder.lock_file.read_text() == f"{os.getpid()}\n"
    with pytest.raises(StateFolderInUse):
        folder.lock()
    lock.release()


def test_a_lock_file_with_anything_in_it_is_only_a_file(tmp_path: Path):
    folder = StateFolder.open(tmp_path)
    folder.lock_file.write_bytes(b"\xff\x00 not a pid" * 100)
    lock = folder.lock()
    assert f"{os.getpid()}\n" == folder.lock_file.read_text()
    lock.release()


def test_starts_are_counted_under_one_instance(tmp_path: Path):
    folder = StateFolder.open(tmp_path)
    first, second = folder.started(), folder.started()
    assert (first.number, second.number) == (1, 2)
    assert first.instance == second.instance
    assert mode(folder.start_file) == 0o600
    assert first.instance != StateFolder.open(tmp_path / "other").started().instance


def test_a_copied_folder_shows_by_its_counter(tmp_path: Path):
    folder = StateFolder.open(tmp_path)
    copied = folder.start_file
    folder.started()
    before = copied.read_bytes()
    second, third = folder.started(), folder.started()
    assert Start(second.instance, 3, third.run) == third
    assert second.run != third.run
    copied.write_bytes(before)
    assert folder.started().number == 2


@pytest.mark.parametrize("damage", [b"", b"x 1", b"0" * 32, b"0" * 32 + b" -1", b"\xff" * 40])
def test_a_damaged_counter_is_named_and_not_begun_anew(tmp_path: Path, damage: bytes):
    folder = StateFolder.open(tmp_path)
    folder.start_file.write_bytes(damage)
    with pytest.raises(BadStateFolder, match="starts holds no instance id"):
        folder.started()
    assert damage == folder.start_file.read_bytes()


def test_a_counter_that_can_not_be_stored_is_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = StateFolder.open(tmp_path)
    folder.started()
    before = folder.start_file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadStateFolder, match="No space left"):
        folder.started()
    assert before == folder.start_file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["identities", "starts"]
