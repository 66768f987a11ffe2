"""The demonstration, from an empty folder to its page, to Ctrl-C, and back again."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine import find_free_port

from .demonstration import Demo
from .page import Cell
from .stage import listens, pooltrust, processes, short_folder

NAMES = ("h1", "h2", "h3")


@pytest.fixture
def another() -> Iterator[Demo]:
    """A demonstration that is not started yet, in a folder with a space in its path."""
    with short_folder() as folder:
        demo = Demo(folder / "my pool", find_free_port("127.0.0.1", "127.0.0.2", "127.0.0.3"))
        yield demo
        demo.end()


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=30)


def test_from_an_empty_folder_to_the_page_takes_seconds(demo: Demo):
    print(f"ready in {demo.seconds:.2f} s")
    # 10 s on a machine of its own; tests share theirs.
    assert demo.seconds < 30


def test_the_page_shows_three_hosts_with_both_identities_of_each(demo: Demo):
    expected = [
        (name, "coordinator" if name == "h1" else "supporter", f"127.0.0.{n}", identity)
        for n, name in enumerate(NAMES, 1)
        for identity in ("server", "pool")
    ]
    assert [tuple(row[:4]) for row in demo.page.hosts] == expected
    assert len(set(demo.page.thumbprints.values())) == 6
    assert all("days)" in row[5] for row in demo.page.hosts)


def test_nine_handshakes_are_verified_each_with_the_certificate_actually_met(demo: Demo):
    pool = {name: demo.page.thumbprints[name, "pool"][:23] for name in NAMES}
    expected = {(a, b): Cell(pool[b], "verified") for a in NAMES for b in NAMES}
    assert demo.page.handshakes == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_page_tells_what_is_served(demo: Demo, name: str):
    """Not only what the log says: the thumbprints are those of the files that TLS reads."""
    host = demo.hosts[name]
    files = {path.stem for path in (host.state / "identities").iterdir()}
    shown = demo.page.thumbprints
    plain = {f"{sort}-{shown[name, sort].replace(':', '').lower()}" for sort in ("server", "pool")}
    assert files == plain


def test_the_line_with_the_xenapi_module_works_word_for_word(demo: Demo):
    done = shell(demo.page.xenapi)
    assert (done.returncode, done.stderr) == (0, "")
    lines = set(done.stdout.splitlines())
    hosts = {f"{name} 127.0.0.{n}" for n, name in enumerate(NAMES, 1)}
    kinds = {"server": "host", "pool": "host_internal"}
    shown = {f"{kinds[sort]} {met}" for (_, sort), met in demo.page.thumbprints.items()}
    assert lines == hosts | shown


@pytest.mark.needs("openssl")
def test_the_line_with_openssl_works_word_for_word(demo: Demo):
    done = shell(demo.page.openssl)
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize("number", range(3))
def test_the_console_line_of_each_host_makes_a_shell_its_console(demo: Demo, number: int):
    done = shell(f"{demo.page.consoles[number]}\npooltrust host status")
    assert (done.returncode, done.stderr) == (0, "")
    said = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[:6])
    assert said["host"].startswith(f"{NAMES[number]} (")
    assert said["role"] == ("coordinator" if number == 0 else "supporter")
    assert said["coordinator"] == "h1 at 127.0.0.1"
    assert said["log"] == "3 entries; knows that it missed nothing"
    assert said["verification"] == "on"


def test_password_and_keys_are_for_their_owner_only(demo: Demo):
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(demo.folder / "password") == 0o400
    assert demo.page.password == demo.password
    for host in demo.hosts.values():
        assert mode(host.state) == mode(host.state / "identities") == 0o700
        keys = list((host.state / "identities").iterdir())
        assert [mode(key) for key in keys] == [0o400, 0o400]
        assert mode(host.socket) == 0o600
        private = {path.name for path in host.state.iterdir() if path.is_file()}
        assert {mode(host.state / name) for name in private} == {0o600}


@pytest.mark.parametrize("name", NAMES)
def test_its_daemons_have_nothing_to_complain_of(demo: Demo, name: str):
    lines = demo.hosts[name].log.read_text().splitlines()
    assert [line for line in lines if line.split()[1] != "info"] == []


def test_ctrl_c_leaves_nothing_behind_and_a_second_run_brings_the_same_pool_back(another: Demo):
    another.start()
    first, pools = another.page, {h.status()["pool"] for h in another.hosts.values()}
    assert len(processes(another.folder)) == 5  # itself, three daemons, the console

    assert another.interrupt() == 0
    leaves_nothing(another)

    another.start()
    assert another.page.thumbprints == first.thumbprints
    assert another.page.password == first.password
    assert another.page.handshakes == first.handshakes
    assert {h.status()["pool"] for h in another.hosts.values()} == pools
    # Its path has a space in it: the lines to copy are still whole.
    assert shell(another.page.xenapi).returncode == 0
    assert shell(another.page.openssl).returncode == 0
    assert "h3 (" in shell(f"{another.page.consoles[2]}\npooltrust host status").stdout

    another.interrupt(times=4)  # who is impatient leaves nothing behind either
    leaves_nothing(another)


def test_it_ends_with_its_terminal_and_says_so_when_its_password_is_gone(another: Demo):
    another.start()
    assert another.interrupt(by=signal.SIGHUP) == 0
    leaves_nothing(another)

    (another.folder / "password").unlink()
    done = pooltrust("demo", "--folder", another.folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        f"The pool in {another.folder} is there, but not the file with its password" in done.stderr
    )
    leaves_nothing(another)


def leaves_nothing(demo: Demo) -> None:
    assert processes(demo.folder) == {}
    assert [path for path in demo.folder.rglob("*") if path.is_socket()] == []
    assert list(demo.folder.rglob("lock")) == []
    assert [a for n in (1, 2, 3) if listens(a := f"127.0.0.{n}", demo.port)] == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_taken_port_is_said_with_the_program_that_has_it(another: Demo, number: int):
    address = f"127.0.0.{number}"
    with socket.create_server((address, another.port)):
        done = pooltrust("demo", "--folder", another.folder, "--port", another.port)
    mine = Path("/proc/self/cmdline").read_text().replace("\0", " ").strip()
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"Port {another.port} on {address} is taken by {mine[:200]}" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert list(another.folder.iterdir()) == []


def test_only_who_listens_on_that_very_address_is_named(another: Demo):
    """One port on two addresses: two programs."""
    program = f"import socket; s = socket.create_server(('127.0.0.2', {another.port})); input()"
    with (
        socket.create_server(("127.0.0.9", another.port)),
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
    ):
        try:
            while not listens("127.0.0.2", another.port):
                assert other.poll() is None
            done = pooltrust("demo", "--folder", another.folder, "--port", another.port)
        finally:
            other.kill()
    assert f"(process {other.pid})" in done.stderr


def test_the_port_of_a_pool_stays(demo: Demo):
    done = pooltrust("demo", "--folder", demo.folder, "--port", demo.port + 1)
    assert done.returncode == 1
    assert f"uses port {demo.port} for good" in done.stderr
