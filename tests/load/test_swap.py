"""Both identities are swapped a hundred times under load, and nobody notices.

A real pool of two hosts in two processes, two hundred clients that stay and fifty that come every
second in a third; h2 is the member that stays connected and comes again.  Whom a connection met is
compared with what was served while it was made.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from daemons import PASSWORD, found, run, running, until
from machine import find_free_port
from pooltrust.host.belief import Identities
from pooltrust.host.configuration.config import Config
from pooltrust.host.peers import link
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.terms import HostId
from pooltrust.tls.dial import dial

from . import clients
from .listening import accept, kept, stored
from .scenes import Stage, quiet

TESTS = Path(__file__).resolve().parent.parent
SWAPS = 100
EVERY_SECONDS = 0.2
EVERY_TENTH_IS_RSA = 10


@dataclass(frozen=True)
class Served:
    """One identity's turn; at its two ends it is not certain which of two is served."""

    thumbprint: str
    since: float
    until: float


class Process:
    """A program of these tests, which answers each line with one of JSON."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"it ended: {self._log.read_text()[-2000:]}"
        return json.loads(line)

    def end(self) -> Any:
        """Its last word, when there is nothing more to be told."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.answer()


@contextmanager
def program(module: str, *arguments: object, log: Path) -> Iterator[Process]:
    """Run one, and end it."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    with log.open("w") as said:
        process = subprocess.Popen(
            words, cwd=TESTS, stdin=-1, stdout=-1, stderr=said, text=True, env=os.environ
        )
    try:
        yield Process(process, log)
    finally:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Config]:
    """Two hosts, not joined yet, and a hundred identities of each sort for the first.

    The first of each is the one that it was set up with.
    """
    folder = tmp_path_factory.mktemp("swap")
    port = find_free_port("127.0.0.1", "127.0.0.2")
    hosts = [found(folder / f"h{n}", f"h{n}", f"127.0.0.{n}", port) for n in (1, 2)]
    (first,) = hosts[0].folder.identity_files("pool")
    (server,) = hosts[0].folder.identity_files("server")
    me = HostId(Identity.read(first.read_bytes()).certificate.common_name)
    for sort, path in (("pool", first), ("server", server)):
        (folder / f"{sort}-000.pem").symlink_to(path)
    now = datetime.now(UTC)
    for n in range(1, SWAPS):
        stored(folder / f"pool-{n:03}.pem", mint_pool_identity(me, now))
        kind = KeyKind.P256 if n % EVERY_TENTH_IS_RSA else KeyKind.RSA2048
        stored(
            folder / f"server-{n:03}.pem",
            mint_server_identity(["h1"], ["127.0.0.1"], now, kind=kind),
        )
    for host in hosts:
        (folder / f"{host.config.name}.config").write_bytes(pickle.dumps(host.config))
    return folder, hosts[0].config


def certificates(folder: Path, sort: str) -> list[Certificate]:
    """The prepared ones, in the order in which they are served."""
    paths = sorted(folder.glob(f"{sort}-*.pem"))
    return [Identity.read(path.read_bytes()).certificate for path in paths]


def turns(order: list[Certificate], swaps: list[dict[str, float]]) -> list[Served]:
    """When each identity was served, by what the host says of its swaps."""
    served = [0, *(int(swap["identity"]) for swap in swaps)]
    since = [0.0, *(swap["began"] for swap in swaps)]
    ends = [*(swap["ended"] for swap in swaps), float("inf")]
    return [
        Served(str(order[which].thumbprint), a, b)
        for which, a, b in zip(served, since, ends, strict=True)
    ]


def misfits(met: list[list[Any]], turns: list[Served]) -> list[list[Any]]:
    """The connections that met an identity that was not served while they were made."""
    return [
        each
        for each in met
        if not any(
            turn.thumbprint == each[2] and turn.since <= each[1] and each[0] <= turn.until
            for turn in turns
        )
    ]


def test_a_connection_that_met_what_was_not_served_is_found() -> None:
    turn = Served("A", 10.0, 20.0)
    assert misfits([[9, 10, "A"], [12, 13, "A"], [20, 21, "A"]], [turn]) == []
    wrong = [[8, 9, "A"], [21, 22, "A"], [12, 13, "B"]]
    assert wrong == misfits(wrong, [turn])


def test_a_hundred_swaps_under_load_are_met_by_nobody_but_the_old_and_the_new(
    prepared: tuple[Path, Config], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, h1 = prepared
    trusted = folder / "trusted"
    trusted.write_text("".join(one.pem() for one in certificates(folder, "server")))
    with ExitStack() as stack:

        def started(module: str, name: str, *arguments: object) -> Process:
            log = folder / f"{name}.log"
            return stack.enter_context(program(f"load.{module}", *arguments, log=log))

        host = started("one_host", "h1", folder / "h1.config", folder)
        member = started("one_host", "h2", folder / "h2.config", folder)
        assert host.answer() == member.answer() == "ready"
        assert member.ask(f"join {host.ask('code')}") == "joined"
        crowd = started("clients", "clients", "127.0.0.1", h1.port, PASSWORD, trusted)
        assert crowd.answer() == "up"
        assert member.ask("call") == "calling"
        began, swaps = time.monotonic(), []
        for n in range(SWAPS):
            time.sleep(max(0.0, began + n * EVERY_SECONDS - time.monotonic()))
            swaps.append(host.ask("swap"))
        took = time.monotonic() - began
        clients_say, member_says, host_says = crowd.end(), member.ask("report"), host.ask("report")
    with capsys.disabled():
        print(summary(took, clients_say, member_says, host_says))

    assert clients_say["failures"] == member_says["failures"] == []
    for sort, met in (("server", clients_say["met"]), ("pool", member_says["met"])):
        assert misfits(met, turns(certificates(folder, sort), swaps)) == []
    different = [len({each[2] for each in said["met"]}) for said in (clients_say, member_says)]
    assert different[0] > 0.9 * SWAPS and different[1] > 0.5 * SWAPS
    assert min(clients_say["live"]) > 0.5 * took / clients.PAUSE_SECONDS
    assert min(member_says["answers"]) > SWAPS / 2
    assert clients_say["new"] > 0.95 * took * clients.NEW_A_SECOND
    assert complaints(folder / "h1.log") == complaints(folder / "h2.log") == []


def test_a_member_that_is_refreshed_while_it_is_dialled_is_met(stage: Stage) -> None:
    h1, h2 = stage.h1, stage.h2
    newer = mint_pool_identity(stage.expected("h1").host, datetime.now(UTC))

    async def slow_dial(*where: Any, **how: Any) -> Any:
        if how["expect"] == stage.expected("h1"):
            await accept(h1.daemon, newer)
            await until(lambda: h2.roster.number == h1.roster.number)
            served = Identities(kept(h1.folder, newer), h1.daemon.belief.identities.server)
            await h1.daemon.belief.serve(served)
        return await dial(*where, **how)

    async def story() -> None:
        async with running(h1, h2):
            await quiet(h1, h2)
            with patch.object(link, "dial", slow_dial):
                async with h2.daemon.peers.link(h1.me) as met:
                    assert newer.certificate.thumbprint == met.connection.met.thumbprint
                    assert met.verified

    run(story())


def complaints(log: Path) -> list[str]:
    """What a host told its journal that is no ordinary event."""
    return [line for line in log.read_text().splitlines() if line.split()[1] != "info"]


def summary(took: float, clients: Any, member: Any, host: Any) -> str:
    """Figures to look at; none is judged."""
    return (
        f"\n{SWAPS} swaps of both identities in {took:.1f} s: {clients['new']} new connections, "
        f"{clients['calls']} calls (p50 {clients['p50'] * 1000:.1f} ms, p99 "
        f"{clients['p99'] * 1000:.0f} ms, longest {clients['longest'] * 1000:.0f} ms), "
        f"{len(member['met'])} of a member.\n"
        f"The host's loop was late by {host['longest'] * 1000:.0f} ms at the most, "
        f"p99 {host['p99'] * 1000:.1f} ms; it used {host['cpu']:.1f} s of CPU."
    )
