"""Hosts in the test's own event loop: set up once, copied for each story, started and stopped.

Real daemons with real sockets on addresses of their own; only the process is shared.  What each
tells its journal is kept as values.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from machine import find_free_port
from pooltrust.command.client import Client
from pooltrust.host.accounts.local import Accounts
from pooltrust.host.configuration.config import Config
from pooltrust.host.daemon import Daemon
from pooltrust.host.folder import StateFolder
from pooltrust.host.founding import set_up
from pooltrust.host.records.database import Database
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import KeyKind
from pooltrust.pool.code import JoinCode
from pooltrust.terms import HostId
from pooltrust.tls.handshake import is_of_a_cut_line
from pooltrust.trust.roster import Roster

PASSWORD = "mabel-counts-17-herons"
ITERATIONS = 100_000
"""The fewest that a joiner accepts."""


@dataclass(frozen=True)
class Line:
    """One line of a journal."""

    level: str
    event: str
    facts: Mapping[str, Any]


class Told(logging.Handler):
    """Keeps a journal's lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        facts = dict(getattr(record, "pooltrust_facts", {}))
        if record.exc_info:
            facts["exception"] = record.exc_info[1]
        self.lines.append(Line(record.levelname.lower(), record.getMessage(), facts))


@dataclass
class Host:
    """A host that was set up; `daemon` while it runs."""

    config: Config
    password: str = PASSWORD
    told: Told = field(default_factory=Told)
    _daemon: Daemon | None = None
    _stack: AsyncExitStack | None = None

    @property
    def daemon(self) -> Daemon:
        assert self._daemon is not None, f"{self.config.name} does not run"
        return self._daemon

    @property
    def roster(self) -> Roster:
        return self.daemon.belief.roster

    @property
    def me(self) -> HostId:
        return self.daemon.belief.me

    @property
    def folder(self) -> StateFolder:
        return StateFolder(self.config.folder)

    async def start(self) -> None:
        logger = logging.Logger(self.config.name, logging.DEBUG)
        logger.addHandler(self.told)
        async with AsyncExitStack() as stack:
            self._daemon = await Daemon.start(self.config, Journal(logger), stack)
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        if self._stack is not None:
            stack, self._stack, self._daemon = self._stack, None, None
            await stack.aclose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def lines(self, event: str) -> list[Line]:
        return [line for line in self.told.lines if line.event == event]

    def configured(self, **changes: Any) -> Host:
        """The same host with other settings."""
        return Host(replace(self.config, **changes), self.password)

    def copied(self, folder: Path) -> Host:
        """A copy of this host, which does not run, in another folder."""
        shutil.copytree(self.config.folder, folder)
        return self.configured(folder=folder, socket=folder / "pooltrust.sock")

    async def code(self, lifetime: int = 600) -> JoinCode:
        """A join code made here, as an administrator on this host makes one."""
        return JoinCode.parse(await self.ask("pooltrust.create_join_code", lifetime))

    async def join(self, to: Host, address: str | None = None) -> None:
        """Join by password, over this host's own API."""
        there = address or to.config.address
        await self.ask("pool.join", there, "root", to.password)

    async def join_with(self, code: JoinCode) -> None:
        """Join by code, over this host's own API."""
        await self.ask("pooltrust.join_with_code", code.text())

    async def ask(self, call: str, *arguments: Any) -> Any:
        """Call this host's API over its Unix socket.  Raises Reported."""
        return await asyncio.to_thread(self._ask, call, arguments)

    def _ask(self, call: str, arguments: tuple[Any, ...]) -> Any:
        with Client(self.config.socket) as client:
            return client.call(call, *arguments)


def found(folder: Path, name: str, address: str, port: int, **other: Any) -> Host:
    """Set a host up; its administrator has `PASSWORD`.  Not in a running loop."""
    settings: dict[str, Any] = {
        "name": name,
        "address": address,
        "listen": address,
        "names": (),
        "port": port,
        "folder": folder,
        "socket": folder / "pooltrust.sock",
        "verification_at_founding": True,
        "expired_pool_identity": "alert",
        "server_key": KeyKind.P256,
        "pool_lifetime": timedelta(days=365),
        "server_lifetime": timedelta(days=3650),
        "passwords": "pool",
        "pam_service": "pooltrust",
        "session_hours": 24,
        "log_level": "debug",
    }
    now, before = other.pop("now", datetime.now(UTC)), other.pop("upgraded_from", "")
    host = Host(Config(**settings | other))
    set_up(host.config, now, upgraded_from=before)
    asyncio.run(_known_password(host.folder.database))
    return host


async def _known_password(database: Path) -> None:
    store = await Database.open(database)
    accounts = Accounts(Guarded(store), iterations=ITERATIONS)
    await accounts.set_password("root", PASSWORD)
    accounts.close()
    await store.close()


@asynccontextmanager
async def running(*hosts: Host, later: Sequence[Host] = ()) -> AsyncIterator[None]:
    """These hosts, started; whichever still run at the end are stopped, those of `later` too."""
    try:
        for host in hosts:
            await host.start()
        yield
    finally:
        for host in (*hosts, *later):
            await host.stop()


async def until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until this holds.  Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def tree(host: Host) -> dict[str, bytes]:
    """Every file of a state folder, byte for byte, but what it notes by itself as it hears."""
    root = host.config.folder
    noted = (".settled", "heads")
    files = (
        path
        for path in root.rglob("*")
        if path.is_file() and not any(name in path.name for name in noted)
    )
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def run(story: Coroutine[Any, Any, Any], seconds: float = 30.0) -> Any:
    """Run a story on uvloop; whatever the loop complains of fails the test."""
    complaints: list[dict[str, Any]] = []

    def complained(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not is_of_a_cut_line(context):
            complaints.append(context)

    async def told() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(complained)
        async with asyncio.timeout(seconds):
            return await story

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(told())
    assert complaints == [], complaints
    return result


ADDRESSES = {f"h{number}": f"127.0.7.{number}" for number in range(1, 6)}


class Stock:
    """Hosts that were set up once; every story takes copies of them, all with one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        everywhere = *ADDRESSES.values(), "127.0.7.8", "127.0.7.9"
        self.port = find_free_port(*everywhere)
        self.other_port = find_free_port(*everywhere)
        self._kept: dict[object, tuple[Host, ...]] = {}

    def host(self, folder: Path, name: str = "h1", **settings: Any) -> Host:
        """A host that was just set up, copied into `folder`.  Not in a running loop."""
        key = (name, *sorted(settings.items()))
        if key not in self._kept:
            new = self.folder / str(len(list(self.folder.iterdir())))
            facts = {"port": self.port} | settings
            self._kept[key] = (found(new, name, ADDRESSES[name], **facts),)
        return self._kept[key][0].copied(folder / name)

    def pool(self, folder: Path, *names: str, **settings: Any) -> tuple[Host, ...]:
        """A pool of these hosts, the first its coordinator, joined as an administrator does it."""
        key = (names, *sorted(settings.items()))
        if key not in self._kept:
            new = self.folder / f"pool-{len(list(self.folder.iterdir()))}"
            hosts = tuple(self.host(new, name, **settings) for name in names)
            run(_joined(hosts))
            self._kept[key] = hosts
        return tuple(host.copied(folder / host.config.name) for host in self._kept[key])


async def _joined(hosts: tuple[Host, ...]) -> None:
    first, *others = hosts
    async with running(*hosts):
        for host in others:
            await host.join_with(await first.code())
        await until(lambda: all(alike(first, host) for host in others))


def alike(one: Host, other: Host) -> bool:
    """Whether two running hosts hold the same log and the same records."""
    a, b = one.daemon, other.daemon
    same_log = a.belief.roster.head == b.belief.roster.head
    return same_log and a.store.revision == b.store.revision


_STOCK: list[Stock] = []


def stock(factory: pytest.TempPathFactory) -> Stock:
    """The one stock of this test run."""
    if not _STOCK:
        _STOCK.append(Stock(factory.mktemp("stock")))
    return _STOCK[0]
