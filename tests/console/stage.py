"""A pool of three hosts in processes, a host beside it, a console, and a browser: as a person has them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pools.stage import PROGRAM, STOP_SECONDS, Host, own_hosts

from .browser import Browser, chromium

ADDRESS = "Server (name or address, maybe with :port)"


@dataclass
class Console:
    """`pooltrust console`, in a process; it can be ended and started again."""

    known: Path
    process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it; returns its link."""
        self.process = subprocess.Popen(
            [*PROGRAM, "console", "--known-servers", str(self.known)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(STOP_SECONDS) == 0
            self.process = None

    @property
    def servers(self) -> list[dict[str, Any]]:
        """The known servers in its file."""
        return list(json.loads(self.known.read_text())["servers"]) if self.known.exists() else []


def add_server(browser: Browser, where: str, password: str = "any") -> None:
    """Add a server, as a person does."""
    browser.click("Add server", area="#bar")
    browser.fill(ADDRESS, where)
    browser.fill("Password", password)
    browser.press("Enter")


@dataclass
class Stage:
    """Everything."""

    hosts: list[Host]
    console: Console
    browser: Browser

    @property
    def h1(self) -> Host:
        return self.hosts[0]

    def add(self, host: Host) -> None:
        """Add a server, as a person does."""
        add_server(self.browser, f"{host.address}:{host.port}", host.password)

    def go(self, *path: str) -> None:
        """To a page of the first server."""
        first = self.browser.run("document.querySelector('#tree a').hash.split('/')[1]")
        self.browser.run(f"location.hash = '#/{first}/{'/'.join(path)}'")

    def to_host(self, host: Host) -> None:
        uuid = host.status()["host"]
        self.go("host", uuid, "general")
        self.browser.wait(f"document.querySelector('main h1')?.innerText === '{host.name}'")

    def close(self) -> None:
        """Close the dialog."""
        self.browser.click("Close", area="#dialog")

    def server_thumbprint(self, host: Host) -> str:
        return str(host.members()[host.name]["server"]["thumbprint"])

    def pool_thumbprint(self, host: Host) -> str:
        return str(host.members()[host.name]["pool"]["thumbprint"])


@contextmanager
def stage() -> Iterator[Stage]:
    """h1, h2 and h3 are a pool, h4 is on its own; none verifies: each was set up as upgraded."""
    with own_hosts(4, options=("--upgraded-from", "7.6")) as hosts, chromium() as browser:
        for host in hosts[1:3]:
            host.join(hosts[0])
        console = Console(hosts[0].folder.parent / "known_servers.json")
        try:
            browser.open(console.start())
            yield Stage(hosts, console, browser)
        finally:
            console.stop()
