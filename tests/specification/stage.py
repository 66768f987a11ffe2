"""The world of these tests, and looking at it from outside: openssl, files, `xe`, an API client.

h1, h2 and h3 are a pool that verifies.  h4 is a fresh host, h5 and h6 were upgraded from a release
without verification, and h7 too, with certificates that end soon; each is a pool of its own.  All are
daemons in processes of their own.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooltrust
from machine import find_free_port
from pools.demonstration import Demo
from pools.stage import START_SECONDS, Host, short_folder, within
from pooltrust.pki.certificate import Certificate, read_pem

XE = Path(pooltrust.__file__).parent / "xe" / "xe"
UPGRADED = ("--upgraded-from", "7.6")
QUICK = '[identity]\nserver_key = "p-256"\n'
SOON_OVER = QUICK + "pool_lifetime_days = 20\nserver_lifetime_days = 20\n"


@dataclass
class World:
    """Every host by its name; those beside the pool are set up, and run when they are asked for."""

    demo: Demo
    hosts: dict[str, Host]

    def __getitem__(self, name: str) -> Host:
        host = self.hosts[name]
        if host.process is None and name not in self.demo.hosts:
            host.run()
        return host

    @property
    def pool(self) -> list[Host]:
        return [self.hosts[name] for name in ("h1", "h2", "h3")]


@contextmanager
def world_of_hosts() -> Iterator[World]:
    port = find_free_port(*(f"127.0.0.{number}" for number in range(1, 8)))
    with short_folder() as folder:
        demo = Demo(folder / "pool", port).begin()
        beside = [
            Host(f"h{number}", f"127.0.0.{number}", port, folder / f"h{number}", settings=QUICK)
            for number in (4, 5, 6, 7)
        ]
        beside[-1].settings = SOON_OVER
        try:
            with ThreadPoolExecutor() as threads:
                list(threads.map(_init, beside))
            within(START_SECONDS, lambda: demo.page.is_whole or not demo.is_running)
            assert demo.is_running, demo.printed
            yield World(demo, demo.hosts | {host.name: host for host in beside})
        finally:
            for host in beside:
                host.stop()
            demo.end()


def _init(host: Host) -> None:
    host.init(*(() if host.name == "h4" else UPGRADED))


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def xe(host: Host, *words: object) -> Ran:
    """Typed at the console of this host."""
    return typed("--socket", host.socket, *words)


def typed(*words: object, home: Path | None = None) -> Ran:
    """Typed anywhere."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", XE, *map(str, words)],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"} | ({"HOME": str(home)} if home else {}),
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def good(host: Host, *words: object) -> str:
    """What a command shows that has nothing to complain of."""
    ran = xe(host, *words)
    assert (ran.code, ran.err) == (0, ""), ran
    return ran.out


def uuid_of(asked: Host, name: str) -> str:
    """As a person finds it: in the list of hosts."""
    found = re.findall(
        r"uuid \( RO\) +: (\S+)\n +name-label \( RW\): (\S+)", good(asked, "host-list")
    )
    return {label: uuid for uuid, label in found}[name]


def shown(host: Host, name: str = "") -> Certificate:
    """The certificate that `openssl s_client` meets there, under this TLS server name or none."""
    asked = ("-servername", name) if name else ("-noservername",)
    command = ["openssl", "s_client", "-connect", f"{host.address}:{host.port}", *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, input="")
    return read_pem(done.stdout)[0]


def fingerprint(pem: str) -> str:
    """As `openssl x509` has it."""
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, input=pem)
    return done.stdout.strip().partition("=")[2]


def chained(leaf: str, anchor: Path) -> bool:
    """Whether `openssl verify` believes it by this anchor alone."""
    command = ["openssl", "verify", "-no-CApath", "-partial_chain", "-CAfile", str(anchor)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, input=leaf)
    return done.returncode == 0


class Gui:
    """A graphical client as the host sees it: JSON-RPC over TLS, on one connection that is kept.

    It believes exactly this certificate, whatever it meets.  Raises ssl.SSLCertVerificationError.
    """

    def __init__(self, host: Host, password: str, believed: str, source: str = "127.0.0.1") -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=believed)
        self.connection = http.client.HTTPSConnection(
            host.address, host.port, context=context, timeout=20, source_address=(source, 0)
        )
        self._session = self._said("session.login_with_password", "root", password, "2.23", "gui")

    def call(self, name: str, *arguments: object) -> Any:
        return self._said(name, self._session, *arguments)

    def records(self, cls: str) -> list[dict[str, Any]]:
        return list(self.call(f"{cls}.get_all_records").values())

    def pool(self) -> dict[str, Any]:
        (pool,) = self.records("pool")
        return pool

    def alerts(self) -> set[str]:
        """The names of the messages that it would show."""
        return {one["name"] for one in self.records("message")}

    def _said(self, name: str, *arguments: object) -> Any:
        request = {"jsonrpc": "2.0", "method": name, "params": arguments, "id": 1}
        header = {"Content-Type": "application/json"}
        self.connection.request("POST", "/jsonrpc", json.dumps(request), header)
        answer = json.loads(self.connection.getresponse().read())
        if "error" in answer:
            raise Failed(answer["error"]["message"], *answer["error"]["data"])
        return answer["result"]


class Failed(Exception):
    """An API failure: code and parameters."""


@contextmanager
def gui(host: Host, password: str = "") -> Iterator[Gui]:
    """Connected to this host, whose certificate it was told before."""
    client = Gui(host, password or host.password, shown(host).pem())
    with closing(client.connection):
        yield client


def ended(connection: http.client.HTTPSConnection) -> bool:
    """Whether the other side has ended this connection, or does so soon."""
    if connection.sock is None:  # its last answer said so
        return True
    connection.sock.settimeout(15)
    try:
        return connection.sock.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).digest().hex(":").upper()


@contextmanager
def frozen(host: Host) -> Iterator[None]:
    """Its daemon does not run meanwhile, and does not know."""
    os.kill(host.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(host.pid, signal.SIGCONT)
