"""One real host in a process of its own, which does what it is told on its standard input.

`swap` replaces both identities by the next prepared ones; `call` lets it dial its coordinator from
then on; `report` says what came of it.  Every answer is one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from pooltrust.errors import Failure
from pooltrust.host.belief import Identities
from pooltrust.host.daemon import Daemon
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.identity import Identity
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import IdentityFile

from .listening import accept

PULSE_SECONDS = 0.002
LIVE = 3
NEW_A_SECOND = 5


def prepared(folder: Path, sort: str) -> list[IdentityFile]:
    """The identities of this sort that were prepared, in the order in which they are served."""
    paths = sorted(folder.glob(f"{sort}-*.pem"))
    return [IdentityFile(path, Identity.read(path.read_bytes())) for path in paths]


class Swapping:
    """Serves one pair of prepared identities after the other, and begins again after the last."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self._daemon = daemon
        self._pools, self._servers = prepared(folder, "pool"), prepared(folder, "server")
        self._served = 0

    async def swap(self) -> dict[str, float]:
        """Swap both; from when to when it was not certain which one is served."""
        self._served = (self._served + 1) % len(self._pools)
        pool, server = self._pools[self._served], self._servers[self._served]
        old = await accept(self._daemon, pool.identity)
        began = time.monotonic()
        await self._daemon.belief.serve(Identities(pool=pool, server=server))
        ended = time.monotonic()
        await self._daemon.scribe.append(old, by="root", call="test")
        return {"identity": self._served, "began": began, "ended": ended}


class Calling:
    """A member that talks to its coordinator: some connections for good, and new ones."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.met: list[tuple[float, float, str]] = []
        self.answers = [0] * LIVE
        self.failures: list[str] = []

    def start(self) -> None:
        live = [self._keep_talking(n) for n in range(LIVE)]
        self._tasks = [asyncio.ensure_future(each) for each in [*live, self._keep_coming()]]

    async def report(self) -> dict[str, Any]:
        self._stop.set()
        await asyncio.gather(*self._tasks)
        return {"met": self.met, "answers": self.answers, "failures": self.failures}

    async def _keep_talking(self, n: int) -> None:
        async with self._meeting("live") as link:
            while not self._stop.is_set():
                after = self._daemon.belief.roster.number
                answer = await link.ask("log", after=after, within=5.0)
                lines = [SignedEntry.from_line(one.encode()) for one in answer["entries"]]
                assert [one.entry.number for one in lines] == list(
                    range(after + 1, after + 1 + len(lines))
                )
                self.answers[n] += 1
                await asyncio.sleep(0.1)

    async def _keep_coming(self) -> None:
        while not self._stop.is_set():
            async with self._meeting("new"):
                await asyncio.sleep(1 / NEW_A_SECOND)

    @asynccontextmanager
    async def _meeting(self, which: str) -> Any:
        coordinator = self._daemon.belief.roster.coordinator
        began = time.monotonic()
        try:
            async with self._daemon.peers.link(coordinator) as link:
                met = link.connection.met.thumbprint
                self.met.append((began, time.monotonic(), str(met)))
                yield link
        except (Failure, AssertionError, OSError) as why:
            self.failures.append(f"{which}: {type(why).__name__} {why}")


class Pulse:
    """How late the event loop is, in seconds, whenever somebody wants a turn."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._task = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        while True:
            due = time.monotonic() + PULSE_SECONDS
            await asyncio.sleep(PULSE_SECONDS)
            self.late.append(time.monotonic() - due)

    def report(self) -> dict[str, float]:
        self._task.cancel()
        late = sorted(self.late)
        return {"longest": late[-1], "p99": late[len(late) * 99 // 100], "cpu": time.process_time()}


@dataclass(frozen=True)
class _Root:
    user: str = "root"


async def _main(configuration: Path, folder: Path) -> None:
    config = pickle.loads(configuration.read_bytes())
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    async with AsyncExitStack() as stack:
        journal = Journal.open("info")
        daemon = await Daemon.start(config, journal, stack)
        # What would end each swap by itself, before its time, and delete what is swapped back.
        await daemon.upkeep.close()
        daemon.server_identity.settle_soon = lambda: None  # type: ignore[method-assign]
        daemon.keys._heal_soon = lambda: None  # type: ignore[method-assign]
        swapping, calling, pulse = Swapping(daemon, folder), Calling(daemon), Pulse()
        _say("ready")
        while line := (await reader.readline()).decode().strip():
            match line.split():
                case ["code"]:
                    _say(await daemon.context.create_join_code(60, _Root()))  # type: ignore[arg-type]
                case ["join", code]:
                    await daemon.context.join_with_code(code, _Root())  # type: ignore[arg-type]
                    _say("joined")
                case ["swap"]:
                    _say(await swapping.swap())
                case ["call"]:
                    calling.start()
                    _say("calling")
                case ["report"]:
                    _say({**await calling.report(), **pulse.report()})


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_main(Path(sys.argv[1]), Path(sys.argv[2])))
