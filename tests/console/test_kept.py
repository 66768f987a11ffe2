"""The files that say whom the console believes: several consoles at once, and other users."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from pooltrust.console.trusting import kept
from pooltrust.console.trusting.kept import BadKnownServers
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.trust import Trust
from pooltrust.terms import Thumbprint

WHEN = "2026-11-28T12:00:00Z"


def host(name: str, certificate: str = "a") -> Known:
    thumbprint = str(Thumbprint.of(certificate.encode()))
    return Known("P", name, name, thumbprint, (f"{name}:443",), WHEN, WHEN, "shown")


def names(trust: Trust) -> set[str]:
    return {one.host for one in trust.known.entries}


def test_two_consoles_with_one_file_lose_nothing_of_each_other(tmp_path: Path):
    first, second = (Trust(tmp_path / "known.json") for _ in range(2))
    first.learn([host("h1"), host("h2")], keep=True)
    second.learn([host("h3")], keep=True)
    assert names(first) == names(second) == {"h1", "h2", "h3"}

    first.forget(["h1"])
    second.learn([host("h2", "new")], keep=True)
    assert names(Trust(tmp_path / "known.json")) == {"h2", "h3"}
    at = first.at("h2:443")
    assert at is not None and at.thumbprint == host("h2", "new").thumbprint


def test_many_at_once_lose_nothing(tmp_path: Path):
    def add(number: int) -> None:
        trust = Trust(tmp_path / "known.json")
        for n in range(8):
            trust.learn([host(f"h{number}-{n}")], keep=True)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(names(Trust(tmp_path / "known.json"))) == 32


def test_a_console_that_never_lets_go_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    trust = Trust(tmp_path / "known.json")
    trust.learn([host("h1")], keep=True)
    monkeypatch.setattr(kept, "LOCK_SECONDS", 0.05)
    lock = os.open(tmp_path / ".known.json.lock", os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BadKnownServers, match="another console has been writing it"):
            trust.learn([host("h2")], keep=True)
    finally:
        os.close(lock)
    assert names(trust) == {"h1"}


@pytest.mark.parametrize("mode", [0o660, 0o606])
def test_a_file_that_others_can_write_is_not_believed(tmp_path: Path, mode: int):
    file = tmp_path / "known.json"
    trust = Trust(file)
    trust.learn([host("h1")], keep=True)
    file.chmod(mode)
    for ask in (lambda: Trust(file), lambda: trust.at("h1:443")):
        with pytest.raises(BadKnownServers, match=r"others may write there.*chmod go-w"):
            ask()
    file.chmod(0o644)
    assert trust.at("h1:443") is not None


@pytest.mark.parametrize("mode", [0o770, 0o1777])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(BadKnownServers, match="others may write there"):
        Trust(folder / "known.json").learn([host("h1")], keep=True)
    (folder / "known.json").write_text('{"servers": []}')
    with pytest.raises(BadKnownServers, match="others may write there"):
        Trust(folder / "known.json")


def test_a_file_of_another_user_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Trust(tmp_path / "known.json").learn([host("h1")], keep=True)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4000)
    if os.getuid() == 0:
        assert names(Trust(tmp_path / "known.json")) == {"h1"}  # what root made is as good as ours
        os.chown(tmp_path / "known.json", 1234, -1)
    with pytest.raises(BadKnownServers, match="it belongs to user"):
        Trust(tmp_path / "known.json")


def test_what_is_no_plain_file_is_neither_read_nor_waited_for(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text('{"servers": []}')
    (tmp_path / "link.json").symlink_to(elsewhere)
    with pytest.raises(BadKnownServers, match="symbolic link"):
        Trust(tmp_path / "link.json")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(BadKnownServers, match="no file of at most"):
        Trust(tmp_path / "pipe.json")
