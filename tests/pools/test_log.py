"""The trust log in its file: shown and checked offline, damage named by its line, a tear mended."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .demonstration import Demo
from .stage import Host, own_hosts, pooltrust

Lines = list[bytes]


@pytest.fixture
def copied(demo: Demo, tmp_path: Path) -> Host:
    """A copy of the demonstration's first host, whose log has three entries.  It does not run."""
    host = demo.hosts["h1"]
    shutil.copytree(host.state, tmp_path / "state", ignore=shutil.ignore_patterns("lock"))
    shutil.copy(host.config, tmp_path)
    return Host("h1", host.address, host.port, tmp_path)


def trust_log(host: Host) -> Path:
    return host.state / "trust.log"


def test_it_shows_every_entry_in_words(demo: Demo):
    done = pooltrust("log", "show", "--config", demo.hosts["h2"].config)
    first, second, third = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert first.startswith("    1  ") and "founded" in first and "name=h1" in first
    assert first.endswith("[root by pooltrust host init]")
    for name, line in (("h2", second), ("h3", third)):
        assert "host-admitted" in line and f"name={name}" in line and "met=password" in line
        assert line.endswith("[root by pool.join]")


def test_it_shows_every_entry_as_it_was_signed(demo: Demo):
    done = pooltrust("log", "show", "--json", trust_log(demo.hosts["h3"]))
    assert (done.returncode, done.stderr) == (0, "")
    signed = [
        line.split(b"\t")[0] for line in trust_log(demo.hosts["h3"]).read_bytes().splitlines()
    ]
    assert done.stdout.encode().splitlines() == signed
    assert [json.loads(line)["number"] for line in done.stdout.splitlines()] == [1, 2, 3]


def test_it_is_checked_offline_and_changed_by_nobody(copied: Host, demo: Demo):
    trust_log(copied).chmod(0o400)
    done = pooltrust("log", "verify", "--config", copied.config)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The log holds: 3 entries, every hash, signature and rule checked." in done.stdout
    assert all(shown in done.stdout for shown in demo.page.thumbprints.values())


def altered(lines: Lines) -> Lines:
    return [lines[0], lines[1].replace(b'"h2"', b'"h4"'), lines[2]]


def garbled(lines: Lines) -> Lines:
    return [lines[0], b"!" + lines[1], lines[2]]


def removed(lines: Lines) -> Lines:
    return [lines[0], lines[2]]


def swapped(lines: Lines) -> Lines:
    return [lines[0], lines[2], lines[1]]


def repeated(lines: Lines) -> Lines:
    return [lines[0], lines[0], lines[1], lines[2]]


@pytest.mark.parametrize("damage", [altered, garbled, removed, swapped, repeated])
def test_the_damaged_line_is_named(copied: Host, damage: Callable[[Lines], Lines]):
    log = trust_log(copied)
    lines = log.read_bytes().splitlines(keepends=True)
    damaged = damage(lines)
    assert damaged != lines
    log.write_bytes(b"".join(damaged))
    for command in (("log", "verify"), ("host", "run")):
        done = pooltrust(*command, "--config", copied.config)
        assert done.returncode == 1
        assert f"The trust log {log} can't be used: line 2: " in done.stderr
        assert "replace the log with that of another member" in done.stderr
    assert log.read_bytes() == b"".join(damaged)


def test_a_last_line_that_a_crash_cut_off_is_mended_at_the_next_start():
    with own_hosts(2) as (first, second):
        second.join(first)
        whole = trust_log(first).read_bytes()
        first.kill()
        torn = whole.splitlines(keepends=True)[-1][:-20]
        trust_log(first).write_bytes(whole + torn)
        first.run()
        assert trust_log(first).read_bytes() == whole
        assert first.status()["entries"] == "2"
        assert first.probe()["h2"]["verified"] == "true"
