"""What `pooltrust log verify` says of a log file, and that it changes nothing."""

from __future__ import annotations

import pytest

from pooltrust.command import log
from pooltrust.trust import entries as e
from pooltrust.trust.store import LogFile, open_log, torn_file
from trust.pools import B, C, Pool

POOL = Pool.found(B, C)
WHOLE = b"".join(signed.line() for signed in POOL.log.entries)
LAST = len(POOL.log.at(3).line())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trust.log"


def said(path, capsys) -> str:
    before = path.read_bytes()
    assert log.verify(path) == 0
    assert path.read_bytes() == before
    return capsys.readouterr().out


def test_a_whole_log_is_said_to_hold_and_no_more(path, capsys):
    LogFile.create(path, POOL.log.entries)
    words = said(path, capsys)
    assert words.startswith("The log holds: 3 entries, every hash, signature and rule checked.")
    assert words.splitlines()[-1].strip().startswith("server")


def test_bytes_that_a_crash_cut_off_are_reported_before_and_after_the_daemon_cut_them(path, capsys):
    path.write_bytes(WHOLE[:-9])
    words = said(path, capsys)
    assert words.startswith("The log holds: 2 entries")
    assert f"The last {LAST - 9} bytes are no whole entry and don't count" in words
    assert f"The daemon moves them to {torn_file(path)} when it starts." in words
    open_log(path)
    words = said(path, capsys)
    assert "no whole entry" not in words
    assert f"Bytes that were cut off the end at an earlier start are in {torn_file(path)}." in words


def test_a_dismissal_that_lost_its_newline_is_reported_and_counts(path, capsys):
    pool = POOL.copy()
    pool.append(e.HostDismissed(C, "stolen"))
    path.write_bytes(b"".join(signed.line() for signed in pool.log.entries)[:-1])
    words = said(path, capsys)
    assert words.startswith("The log holds: 4 entries")
    assert str(C) not in words
    assert "The last entry has lost its newline" in words
