"""The demonstration's console: connected from the start to the pool, expecting its certificate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pooltrust.command.client import Client
from pooltrust.command.demo.hosts import Host, end
from pooltrust.command.status import ask


class Console:
    """One `pooltrust console` in a process of its own."""

    def __init__(self, coordinator: Host, folder: Path, port: int) -> None:
        self._coordinator = coordinator
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it.  Whom to expect is asked of the host itself, over its Unix socket."""
        with Client(self._coordinator.socket) as client:
            members = ask(client)["members"]
        at = self._coordinator
        [thumbprint] = [one["server"]["thumbprint"] for one in members if one["name"] == at.name]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "pooltrust", "console"),
                # In a folder that the console makes for itself: it refuses one that others write.
                *("--known-servers", str(self._folder / "console" / "known_servers.json")),
                *("--server", f"{at.address}:{self._port}", "--thumbprint", thumbprint),
                *("--password-file", str(self._folder / "password")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def link(self) -> str:
        """The link that it printed; or what it said instead."""
        assert self._process is not None and self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if line.strip().startswith("http"):
                return line.strip()
        return f"it did not start: {said.strip()}"

    def stop(self) -> None:
        """Stop it and wait until it is gone; if it does not go it is killed."""
        if self._process is not None:
            end([self._process])
