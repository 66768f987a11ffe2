"""The processes of a measurement: started on their core, known by their port, stopped by their id.

With two cores or more the servers share the first and the load generator has the last, so that a
server's figures do not depend on where the scheduler happens to put its client.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ADDRESS = "127.0.0.1"
READY_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """A server under measurement; `ready` is how many seconds it took until it listened."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    ready: float

    @property
    def pid(self) -> int:
        """The process whose CPU counts, together with that of its children."""
        return self.process.pid

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
    return port


def start(name: str, command: Sequence[str], port: int, log: Path) -> Server:
    """Start a server and wait until it listens.  Raises RuntimeError, with the end of its log."""
    begun = time.monotonic()
    with on_core(server_cores()), log.open("wb") as words:
        process = subprocess.Popen(command, stdout=words, stderr=words, stdin=subprocess.DEVNULL)
    while not _listens(port):
        if process.poll() is not None or time.monotonic() - begun > READY_SECONDS:
            process.kill()
            process.wait()
            raise RuntimeError(f"{name} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.005)
    return Server(name, process, port, time.monotonic() - begun)


@contextmanager
def on_core(cores: set[int]) -> Iterator[None]:
    """Processes started meanwhile stay on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def server_cores() -> set[int]:
    """The first core that this process may use."""
    return {min(os.sched_getaffinity(0))}


def load_cores() -> set[int]:
    """The last core that this process may use."""
    return {max(os.sched_getaffinity(0))}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((ADDRESS, port)) == 0
