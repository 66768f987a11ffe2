"""`pooltrust demo`: start three hosts, join them, show what they prove to one another, and wait.

The pool is real and stays in its folder; a second run brings the same one back.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

from pooltrust.command.client import Client
from pooltrust.command.demo import hosts as processes
from pooltrust.command.demo.console import Console
from pooltrust.command.demo.hosts import ADDRESSES, Host, keep_secret
from pooltrust.command.demo.page import page
from pooltrust.command.demo.ports import check_free
from pooltrust.command.status import ask
from pooltrust.command.tables import Terminal
from pooltrust.errors import Refused, failure
from pooltrust.host.accounts.local import ADMINISTRATOR

PORT = 8443
CURRENT_SECONDS = 5.0
"""A host that is refused by the others never gets there; then the page shows why."""


@failure("PORT_IS_THE_POOLS")
class PortStays(Refused):
    """The pool in {folder} uses port {port} for good."""

    folder: str
    port: int
    remedy: str = "Leave --port out, or keep another pool in another folder: --folder"


@failure("PASSWORD_IS_LOST", cure="Remove that folder for a new pool, or name another: --folder")
class PasswordIsLost(Refused):
    """The pool in {folder} is there, but not the file with its password."""

    folder: str


def run(folder: Path, port: int | None) -> int:
    """Run the demonstration until Ctrl-C, SIGTERM or SIGHUP; nothing of it is left running.

    `port`: that of a new pool; None for the usual one, or the one that this pool has.
    """
    stop = _stop_at_signals()
    console: Console | None = None
    hosts = processes.make(folder.absolute())
    port = _settled_port(folder, port)
    check_free(ADDRESSES.values(), port)
    try:
        _set_up(hosts, folder, port)
        for host in hosts:
            host.start()
        for host in hosts:
            host.wait()
        _join(hosts, folder, port)
        _wait_until_current(hosts)
        console = Console(hosts[0], folder.absolute(), port)
        console.start()
        print(page(hosts, folder, port, Terminal.of(sys.stdout), console.link()), flush=True)
        _watch(hosts, stop)
    finally:
        _hear_no_signals()  # whoever is impatient now would leave daemons behind
        if console is not None:
            console.stop()
        processes.stop(hosts)
    print("Stopped.  The pool is kept in", folder, flush=True)
    return 0


def _settled_port(folder: Path, wanted: int | None) -> int:
    """The pool's port: chosen at the first run and kept."""
    file = folder / "port.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        return wanted or PORT
    kept = int(json.loads(file.read_text())["port"])
    if wanted not in (None, kept):
        raise PortStays(str(folder), kept)
    return kept


def _set_up(hosts: list[Host], folder: Path, port: int) -> None:
    (folder / "port.json").write_text(json.dumps({"port": port}) + "\n")
    for host in hosts:
        password = host.found(port)
        if password is None:
            continue
        print(f"{host.name} is set up: both identities, and a pool of one.", flush=True)
        if host is hosts[0]:
            keep_secret(folder / "password", password)
    if not (folder / "password").exists():
        raise PasswordIsLost(str(folder))


def _join(hosts: list[Host], folder: Path, port: int) -> None:
    first = hosts[0]
    password = (folder / "password").read_text().strip()
    for host in hosts[1:]:
        with Client(host.socket) as client:
            if len(ask(client)["members"]) > 1:
                continue
            client.call("pool.join", f"{first.address}:{port}", ADMINISTRATOR, password)
        print(f"{host.name} has joined the pool of {first.name}.", flush=True)


def _wait_until_current(hosts: list[Host]) -> None:
    """Each host first makes sure that it has missed nothing."""
    until = time.monotonic() + CURRENT_SECONDS
    for host in hosts:
        while time.monotonic() < until:
            with Client(host.socket) as client:
                status = ask(client)
            if status["current"] == "yes" and len(status["members"]) == len(hosts):
                break
            time.sleep(0.05)


def _watch(hosts: list[Host], stop: SimpleQueue[int]) -> None:
    """Wait for the end; a daemon that ends by itself is said."""
    told: set[str] = set()
    while not _told_to_stop(stop):
        for host in hosts:
            ended = host.process is not None and host.process.poll() is not None
            if ended and host.name not in told:
                told.add(host.name)
                print(f"{host.name} has ended; its log is {host.log}", flush=True)


def _told_to_stop(stop: SimpleQueue[int]) -> bool:
    """Wait for it, a second at most."""
    try:
        stop.get(timeout=1.0)
    except Empty:
        return False
    return True


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _stop_at_signals() -> SimpleQueue[int]:
    # No Event: a signal handler that sets one can wait for a lock that this very thread holds.
    stop: SimpleQueue[int] = SimpleQueue()

    def end(number: int, _frame: FrameType | None) -> None:
        if not stop.empty():
            raise KeyboardInterrupt  # asked twice: do not wait for what was under way
        stop.put(number)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, end)
    return stop


def _hear_no_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
