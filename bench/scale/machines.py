"""Sixteen hosts, or any number, on loopback: real daemons, each a process of its own.

Whatever is started here is ended here, by its process id.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import cpu_seconds
from pooltrust.command.client import Client
from pooltrust.command.demo import hosts as processes
from pooltrust.command.demo.hosts import Host

NETWORK = "127.0.9"
PATIENCE = 300.0
"""Seconds, generous: the machine may be busy with something else."""


@dataclass(frozen=True)
class Field:
    """Hosts that were set up with one port; the first has this password."""

    hosts: tuple[Host, ...]
    port: int
    password: str


@contextmanager
def founded(count: int) -> Iterator[Field]:
    """So many hosts, each set up as a pool of its own without verification.

    None of them runs yet; those that run at the end are stopped, and nothing is left of any.
    """
    folder = Path(tempfile.mkdtemp(prefix="pt-", dir="/tmp"))  # a socket's path has few bytes
    addresses = [f"{NETWORK}.{number}" for number in range(1, count + 1)]
    hosts = tuple(
        Host(f"h{number}", address, folder / f"h{number}")
        for number, address in enumerate(addresses, 1)
    )
    port = free_port(addresses)
    try:
        passwords = [_set_up(host, port) for host in hosts]
        yield Field(hosts, port, passwords[0])
    finally:
        processes.stop(hosts)
        shutil.rmtree(folder)


def free_port(addresses: Sequence[str]) -> int:
    """A port that is free on all of them."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind((addresses[0], 0))
            port: int = probe.getsockname()[1]
        if all(_is_free(address, port) for address in addresses):
            return port
    raise RuntimeError(f"no port is free on all of {len(addresses)} addresses")


def call(host: Host, name: str, *arguments: object) -> Any:
    """Call a host's API as root over its Unix socket.  Raises the failure with all its words."""
    with Client(host.socket) as client:
        return client.call(name, *arguments)


def this_host(host: Host) -> str:
    """The reference of its own record."""
    with Client(host.socket) as client:
        return client.this_host()


def log_bytes(host: Host) -> int:
    """The size of its trust log."""
    return (host.folder / "state" / "trust.log").stat().st_size


def alike(hosts: Sequence[Host]) -> bool:
    """Whether their logs are of one length, which is read off the disk and disturbs nobody."""
    return len({log_bytes(host) for host in hosts}) == 1


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for it.  Raises RuntimeError when patience has an end."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.005)


def spent(hosts: Sequence[Host]) -> float:
    """The CPU time (s) of these daemons since they were started."""
    return sum(cpu_seconds(host.process.pid) for host in hosts if host.process is not None)


def memory(host: Host) -> dict[str, float]:
    """MB by their names in proc(5): `Rss` is what it has, `Pss` its share of that, …"""
    if host.process is None:
        return {}
    lines = Path(f"/proc/{host.process.pid}/smaps_rollup").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return {name.rstrip(":"): int(kib) * 1024 / 1e6 for name, kib, *_ in fields}


def _set_up(host: Host, port: int) -> str:
    host.folder.mkdir()
    host.config.write_text(
        f'[host]\nname = "{host.name}"\naddress = "{host.address}"\nport = {port}\n'
        f'[state]\nfolder = "state"\n[socket]\npath = "{host.name}.sock"\n'
        "[verification]\nat_founding = false\n"
    )
    return host.found(port) or ""


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
