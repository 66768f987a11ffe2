"""The demonstration's hosts: their folders, their set-up and their daemons' processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pooltrust.command.client import Client, NoDaemon
from pooltrust.errors import Unreachable, failure
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import StateFolder
from pooltrust.host.founding import set_up

ADDRESSES = {"h1": "127.0.0.1", "h2": "127.0.0.2", "h3": "127.0.0.3"}
START_SECONDS = 30.0
STOP_SECONDS = 10.0


@failure("DEMONSTRATION_FAILED", cure="Its daemon's log says more: {log}")
class HostDidNotStart(Unreachable):
    """{name} did not start: {why}."""

    name: str
    why: str
    log: str


@dataclass(slots=True)
class Host:
    """One host of the demonstration."""

    name: str
    address: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "pooltrust.toml"

    @property
    def socket(self) -> Path:
        """Its daemon's Unix socket."""
        return Config.read(self.config).socket

    @property
    def log(self) -> Path:
        """What its daemon says."""
        return self.folder / "daemon.log"

    @property
    def server_certificate(self) -> Path:
        """A copy of its server certificate, for clients that are to trust it."""
        return self.folder / "server.pem"

    def found(self, port: int) -> str | None:
        """Set the host up unless it is; returns its administrator's password then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            self.config.write_text(_config(self.name, self.address, port))
        config = Config.read(self.config)
        if StateFolder(config.folder).log.exists():
            return None
        return set_up(config, datetime.now(UTC)).password

    def start(self) -> None:
        """Start its daemon, in a session of its own so that Ctrl-C reaches only us."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "pooltrust", "host", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until its daemon answers.  Raises HostDidNotStart."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise HostDidNotStart(self.name, _last_line(self.log), str(self.log))
            with suppress(NoDaemon), Client(self.socket):
                return
            time.sleep(0.02)
        raise HostDidNotStart(self.name, f"no answer in {START_SECONDS:.0f} s", str(self.log))


def make(folder: Path) -> list[Host]:
    """The three hosts under this folder."""
    return [Host(name, address, folder / name) for name, address in ADDRESSES.items()]


def stop(hosts: Iterable[Host]) -> None:
    """Stop every daemon and wait until it is gone; one that does not go is killed."""
    end([host.process for host in hosts if host.process is not None])


def end(running: Sequence[subprocess.Popen[Any]]) -> None:
    """End these processes and wait until they are gone; one that does not go is killed."""
    for process in running:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def keep_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def _config(name: str, address: str, port: int) -> str:
    return (
        f"# One host of the demonstration.\n"
        f'[host]\nname = "{name}"\naddress = "{address}"\nport = {port}\n\n'
        f'[state]\nfolder = "state"\n\n[socket]\npath = "{name}.sock"\n'
    )


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word"
