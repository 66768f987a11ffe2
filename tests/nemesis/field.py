"""A pool of real daemons whose processes, wires and clocks are in the hands of the tests.

Each daemon listens at an address of its own behind the proxy of wires.py.  Who was dead, and when,
is kept: traffic may fail then and at no other time.  One that was only stopped answers later.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from machine import find_free_port
from pools.stage import Host, short_folder, within

from .clocks import Clock
from .wires import Pair, Plug, Wires

KNOWN_AT = "127.0.20."
"""Where the pool has its hosts, and the proxy answers."""
LISTEN_AT = "127.0.21."
"""Where the daemons listen."""
UP_SECONDS = 30.0


@dataclass
class Absence:
    """A host that was killed, in monotonic seconds; it lasts until it answers again."""

    host: str
    began: float
    ended: float = float("inf")


@dataclass
class Field:
    """The hosts by name, and what holds them together."""

    hosts: dict[str, Host]
    wires: Wires
    folder: Path
    clocks: dict[str, Clock] = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    _pids: set[int] = field(default_factory=set)

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    @property
    def names(self) -> list[str]:
        return list(self.hosts)

    @property
    def running(self) -> list[str]:
        """Those whose daemon was started and is not stopped."""
        here = (name for name, host in self.hosts.items() if host.process is not None)
        return [name for name in here if name not in self.paused]

    def kill(self, name: str) -> None:
        """SIGKILL."""
        absence = Absence(name, time.monotonic())
        self.absences.append(absence)
        self.paused.discard(name)  # a stopped process dies like any other
        self.hosts[name].kill()

    def begin(self, name: str) -> None:
        """Start it, and do not wait."""
        host = self.hosts[name]
        host.start()
        assert host.process is not None
        self._pids.add(host.process.pid)

    def start(self, name: str) -> None:
        """Start it, and wait until it answers."""
        self.begin(name)
        self._answers(name)

    def start_all(self) -> None:
        """Start those that do not run, together, and wait until every host answers."""
        for name, host in self.hosts.items():
            if host.process is None:
                self.begin(name)
        for name in self.hosts:
            self._answers(name)

    def pause(self, name: str) -> None:
        """SIGSTOP."""
        self.paused.add(name)
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT, and do not wait."""
        if name in self.paused:  # it may have been killed meanwhile
            self._signal(name, signal.SIGCONT)
            self.paused.discard(name)

    def everything_well(self) -> None:
        """Wires mended, every host running.  Clocks stay as they are."""
        self.wires.mend()
        for name in sorted(self.paused):
            self.resume(name)
        self.start_all()

    def between(self, some: Iterable[str], others: Iterable[str]) -> list[Pair]:
        """Every pair between these two groups, both ways."""
        groups = list(some), list(others)
        pairs = [(a, b) for a in groups[0] for b in groups[1] if a != b]
        return pairs + [(b, a) for a, b in pairs]

    def end(self) -> None:
        """End every daemon, at any price."""
        for name in list(self.paused):
            with suppress(ProcessLookupError):
                self._signal(name, signal.SIGCONT)
        for host in self.hosts.values():
            if host.process is not None:
                host.stop(signal.SIGKILL)
        for pid in self._pids:  # what libfaketime leaves when it is killed
            for left in Path("/dev/shm").glob(f"*faketime_s*_{pid}"):
                left.unlink(missing_ok=True)

    def _answers(self, name: str) -> None:
        within(UP_SECONDS, self.hosts[name].is_up)
        now = time.monotonic()
        for absence in self.absences:
            if absence.host == name:
                absence.ended = min(absence.ended, now)

    def _signal(self, name: str, number: int) -> None:
        process = self.hosts[name].process
        assert process is not None
        os.kill(process.pid, number)


@contextmanager
def field_of(count: int, *, clocks: bool = False, off: Iterable[str] = ()) -> Iterator[Field]:
    """Hosts h1, h2, …, each running as a pool of its own; with `clocks`, those can be moved.

    Those named in `off` are founded without verification.
    """
    plugs = [Plug(f"h{n}", f"{KNOWN_AT}{n}", f"{LISTEN_AT}{n}") for n in range(1, count + 1)]
    port = find_free_port(*(a for plug in plugs for a in (plug.address, plug.listen)))
    with ExitStack() as ends:
        folder = ends.enter_context(short_folder())
        field = Field({}, ends.enter_context(Wires(plugs, port)), folder)
        ends.callback(field.end)
        for plug in plugs:
            host = Host(plug.name, plug.address, port, folder / plug.name, listen=plug.listen)
            field.hosts[plug.name] = host
            if clocks:
                field.clocks[plug.name] = clock = Clock(folder / f"{plug.name}.clock")
                clock.set(0)
                host.environment = clock.environment
        with ThreadPoolExecutor() as threads:
            set_up = [
                threads.submit(host.init, verification=host.name not in off)
                for host in field.hosts.values()
            ]
            for one in set_up:
                one.result()
        field.start_all()
        yield field


def join_all(field: Field) -> None:
    """Make them one pool, the first host its coordinator."""
    first, *others = field.hosts.values()
    for host in others:
        host.join(first)
