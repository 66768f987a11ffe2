"""Running the program as people do, in processes: commands, and hosts with their daemons.

Whatever is started here is ended here, by its process id, whether the test passes or not.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from machine import find_free_port
from pooltrust.command.client import Client
from pooltrust.command.status import ask
from pooltrust.errors import Failure

PROGRAM = [sys.executable, "-m", "pooltrust"]
START_SECONDS = 30.0
STOP_SECONDS = 15.0
SOON = 10.0
"""Seconds in which a pool is as it should be again; most of them for a slow machine."""

T = TypeVar("T")


def pooltrust(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one command to its end.  `options` are those of subprocess.run."""
    words = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **options)


@dataclass
class Host:
    """One host: its folder, and its daemon while one runs."""

    name: str
    address: str
    port: int
    folder: Path
    password: str = ""
    process: subprocess.Popen[bytes] | None = None
    listen: str = ""
    """Where its daemon listens and dials from, if that is not its address."""
    settings: str = ""
    """What else stands in its configuration."""
    environment: dict[str, str] = field(default_factory=dict)
    """What its daemon finds in its environment besides ours."""
    program: Sequence[str] = tuple(PROGRAM)
    """What is started as its daemon, with the words for a daemon after it."""

    @property
    def config(self) -> Path:
        return self.folder / "pooltrust.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.name}.sock"

    @property
    def log(self) -> Path:
        """What its daemon says."""
        return self.folder / "daemon.log"

    @property
    def pid(self) -> int:
        """Its running daemon's process id."""
        return int((self.state / "lock").read_text())

    def init(self, *options: str, verification: bool = True) -> Host:
        self.folder.mkdir()
        self.config.write_text(
            f'[host]\nname = "{self.name}"\naddress = "{self.address}"\nport = {self.port}\n'
            f'listen = "{self.listen or self.address}"\n'
            f'[state]\nfolder = "state"\n[socket]\npath = "{self.name}.sock"\n'
            f"[verification]\nat_founding = {str(verification).lower()}\n{self.settings}"
        )
        done = pooltrust("host", "init", "--config", self.config, *options)
        assert done.returncode == 0, done.stderr
        self.password = done.stdout.split("password")[1].split()[0]
        return self

    def run(self) -> Host:
        """Start its daemon and wait until it answers."""
        self.start()
        within(START_SECONDS, self.is_up)
        return self

    def start(self) -> None:
        """Start its daemon, and do not wait."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "host", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
            )

    def is_up(self) -> bool:
        assert self.process is None or self.process.poll() is None, self.log.read_text()
        return bool(self.status())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End its daemon by this signal; returns its exit status.  Twice is once."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        assert self.stop(signal.SIGKILL) == -signal.SIGKILL

    def call(self, name: str, *arguments: object) -> Any:
        """Call the API as root over its Unix socket.  Raises the failure with all its words."""
        with Client(self.socket) as client:
            return client.call(name, *arguments)

    def status(self) -> dict[str, Any]:
        with Client(self.socket) as client:
            return ask(client)

    def members(self) -> dict[str, dict[str, Any]]:
        """What it knows of each member, by its name."""
        return {member["name"]: member for member in self.status()["members"]}

    def probe(self) -> dict[str, dict[str, str]]:
        """What it sees in a handshake with each member, made now, by the member's name."""
        names = {member["host"]: name for name, member in self.members().items()}
        with Client(self.socket) as client:
            seen = client.call("pooltrust.probe_members", client.this_host())
        return {names[one["uuid"]]: one for one in seen}

    def join(self, coordinator: Host) -> None:
        """Join by the password of root."""
        at = f"{coordinator.address}:{coordinator.port}"
        self.call("pool.join", at, "root", coordinator.password)


@contextmanager
def own_hosts(
    count: int, *, off: Sequence[str] = (), run: bool = True, options: Sequence[str] = ()
) -> Iterator[list[Host]]:
    """The hosts h1, h2, …, each set up as a pool of its own, and running; any may be stopped.

    Those named in `off` are founded without verification.  Without `run` none is started yet.
    `options` are those of `pooltrust host init`, for each.
    """
    addresses = [f"127.0.0.{number}" for number in range(1, count + 1)]
    port = find_free_port(*addresses)
    with short_folder() as folder:
        hosts = [
            Host(f"h{number}", address, port, folder / f"h{number}")
            for number, address in enumerate(addresses, 1)
        ]
        try:
            with ThreadPoolExecutor() as threads:
                list(
                    threads.map(
                        lambda one: one.init(*options, verification=one.name not in off), hosts
                    )
                )
                list(threads.map(Host.run, hosts if run else ()))
            yield hosts
        finally:
            for host in hosts:
                host.stop()


@contextmanager
def short_folder() -> Iterator[Path]:
    """An empty folder in /tmp: the path of a Unix socket has few bytes."""
    folder = Path(tempfile.mkdtemp(prefix="pt-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def within(seconds: float, look: Callable[[], T]) -> T:
    """Look again and again until there is something to see; fails after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        try:
            seen = look()
            if seen:
                return seen
            last = repr(seen)
        except (Failure, OSError) as why:
            last = str(why)
        assert time.monotonic() < until, f"not within {seconds:g} s; last seen: {last}"
        time.sleep(0.02)


def processes(folder: Path) -> dict[int, str]:
    """The command line of every process that names something under this folder, by its id."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if str(folder) in words:
                    found[int(entry.name)] = words
    return found


def listens(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0


def contents(*folders: Path, but: Sequence[str] = ()) -> dict[str, bytes]:
    """Every file under these folders with its bytes, except those of these names."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name not in but
    }
