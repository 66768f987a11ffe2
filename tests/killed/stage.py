"""A pool of daemons that die on order, and what happens when one does in the midst of an act."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from nemesis.quiet import defects, disagreements, settled
from pools.stage import SOON, START_SECONDS, Host, own_hosts, within
from pooltrust.command.client import NoDaemon, Reported

TESTS = Path(__file__).resolve().parent.parent
CALL_SECONDS = 150.0
"""In which a call is answered, whoever died; the client itself gives up after 120 s."""
LAST_LINES = 30

Moment = tuple[str, int]
"""Who dies, and at which of its moments."""


@dataclass(frozen=True)
class Orders:
    """The orders of one daemon; see dying.py."""

    file: Path

    @property
    def moments(self) -> list[str]:
        """Each moment since the orders were given."""
        told = self.file.with_suffix(".moments")
        return told.read_text().splitlines() if told.exists() else []

    def give(self, last: int = 0) -> None:
        """Count moments from now on, and die at this one; at none if it is 0."""
        self.file.with_suffix(".moments").unlink(missing_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(str(last))
        os.replace(new, self.file)

    def end(self) -> bool:
        """Take them back; false if the daemon carries them out, and so is dead in a moment."""
        try:
            self.file.unlink()
        except FileNotFoundError:
            return False
        return True


@dataclass
class Mortals:
    """Hosts h1, h2, … whose daemons die on order; the first of them is a coordinator at first."""

    hosts: dict[str, Host]
    orders: dict[str, Orders]
    folder: Path
    members: list[str] = field(default_factory=list)
    """Who is in the pool when it is quiet."""
    references: dict[str, str] = field(default_factory=dict)
    """How calls name each host."""
    kept: dict[str, str] = field(default_factory=dict)
    """The pool identity of each, before an act."""

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    @property
    def pool(self) -> list[Host]:
        return [self.hosts[name] for name in self.members]

    @property
    def leader(self) -> str:
        """Who coordinates the pool, as h2 knows it; that one is a member at all times."""
        return str(self["h2"].status()["coordinator"].split()[0])

    def join(self, *names: str) -> None:
        """Make them members, one after another."""
        for name in names:
            self[name].join(self["h1"])
            self.members.append(name)
        settled(self.pool)

    def keep(self) -> None:
        """Remember what is on the disks, for `restore`."""
        self._stop()
        for name, host in self.hosts.items():
            shutil.copytree(host.state, self.folder / f"{name}.kept")
        self._start()

    def restore(self) -> None:
        """Have every host as it was when it was kept."""
        self._stop(signal.SIGKILL)
        for name, host in self.hosts.items():
            shutil.rmtree(host.state)
            shutil.copytree(self.folder / f"{name}.kept", host.state)
        self._start()

    def moments(self, act: Callable[[], None], of: Sequence[str]) -> dict[str, list[str]]:
        """Carry out this act with nobody hurt; what the moments of these hosts were in it."""
        for name in of:
            self.orders[name].give()
        act()
        for name in of:
            self.orders[name].end()
        return {name: self.orders[name].moments for name in of}

    def killed(self, act: Callable[[], None], at: Moment) -> str:
        """Carry out this act, in which this host dies at this moment and is started at once.

        Returns how the act ended for who ordered it.
        """
        name, number = at
        self.orders[name].give(number)
        with ThreadPoolExecutor(1) as threads:
            ordered = threads.submit(answer, act)
            within(CALL_SECONDS, lambda: ordered.done() or self._died(name))
            if not self.orders[name].end():
                within(SOON, lambda: self._died(name))
                self._revive(name)
            return ordered.result(CALL_SECONDS)

    def agree(self) -> None:
        """Those of one pool do not disagree about any entry, and no daemon found a defect."""
        assert disagreements(self.pool) == []
        assert defects(self.hosts.values()) == []

    def tell(self) -> None:
        """Print what each daemon said last, for who looks into a failure."""
        for host in self.hosts.values():
            lines = host.log.read_text().splitlines()[-LAST_LINES:]
            print(f"--- {host.name}", *lines, sep="\n")

    def _died(self, name: str) -> bool:
        process = self[name].process
        return process is None or process.poll() is not None

    def _revive(self, name: str) -> None:
        host = self[name]
        assert host.process is not None
        assert host.process.returncode == -signal.SIGKILL, host.log.read_text()
        host.process = None
        host.run()

    def _stop(self, number: int = signal.SIGTERM) -> None:
        for host in self.hosts.values():
            host.stop(number)

    def _start(self) -> None:
        for host in self.hosts.values():
            host.start()
        for host in self.hosts.values():
            within(START_SECONDS, host.is_up)


def answer(act: Callable[[], None]) -> str:
    """How an act ends for who orders it: "done", "no answer" or the code of a failure."""
    try:
        act()
    except NoDaemon:
        return "no answer"
    except Reported as why:
        return why.code
    return "done"


@contextmanager
def mortals(count: int, *, off: Sequence[str] = ()) -> Iterator[Mortals]:
    """Hosts that run, each as a pool of its own; those named in `off` without verification."""
    with own_hosts(count, off=off, run=False) as hosts:
        folder = hosts[0].folder.parent
        orders = {host.name: Orders(folder / f"{host.name}.orders") for host in hosts}
        for host in hosts:
            host.program = (sys.executable, "-m", "killed.dying", str(orders[host.name].file))
            host.environment = {"PYTHONPATH": str(TESTS)}
        pool = Mortals({host.name: host for host in hosts}, orders, folder, ["h1"])
        pool._start()
        for host in hosts:
            reference = host.call("host.get_by_uuid", host.status()["host"])
            pool.references[host.name] = reference
        yield pool
