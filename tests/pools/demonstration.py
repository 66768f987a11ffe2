"""`pooltrust demo` as a process: started, read, interrupted, and ended at any price."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from machine import find_free_port

from .page import Page
from .stage import PROGRAM, START_SECONDS, STOP_SECONDS, Host, processes, short_folder, within


class Demo:
    """`pooltrust demo`: what it printed, and the hosts that it runs."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.seconds = 0.0
        """From its start to its page."""
        self._process: subprocess.Popen[bytes] | None = None
        self._printed = folder.with_name(folder.name + ".printed")

    @property
    def hosts(self) -> dict[str, Host]:
        return {
            name: Host(name, f"127.0.0.{number}", self.port, self.folder / name, self.password)
            for number, name in enumerate(("h1", "h2", "h3"), 1)
        }

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text().strip()

    @property
    def printed(self) -> str:
        return self._printed.read_text()

    @property
    def page(self) -> Page:
        return Page(self.printed)

    def begin(self) -> Demo:
        """Start it, in a session of its own: what gets its Ctrl-C is its process group."""
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [*PROGRAM, "demo", "--folder", str(self.folder), "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )
        return self

    def start(self) -> Demo:
        """Start it and wait for its whole page."""
        began = time.monotonic()
        self.begin()
        within(START_SECONDS, lambda: self.page.is_whole or not self.is_running)
        self.seconds = time.monotonic() - began
        assert self.is_running, self.printed
        return self

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def interrupt(self, times: int = 1, by: int = signal.SIGINT) -> int:
        """Press Ctrl-C so often, or send another signal of the terminal; wait for its end."""
        assert self._process is not None
        for _ in range(times):
            os.killpg(self._process.pid, by)
            time.sleep(0.05)
        return self._process.wait(STOP_SECONDS)

    def end(self) -> None:
        """End it and every daemon of it, at any price."""
        if self._process is not None and self.is_running:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self._process.kill()
            self._process.wait()
        for pid in processes(self.folder):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running_demo() -> Iterator[Demo]:
    """A demonstration from an empty folder, on a port of its own."""
    with short_folder() as folder:
        demo = Demo(folder / "pool", find_free_port("127.0.0.1", "127.0.0.2", "127.0.0.3"))
        try:
            yield demo.start()
        finally:
            demo.end()
