"""Files in both directions between a host and whoever types: what is offered, and to whom."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from api.fake import FakeContext
from api.samples import stocked
from certificates.test_requesting import CHAIN, answer
from daemons import run, running, until
from operations.stage import Pool
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.verbs import waiting
from pooltrust.api.sessions import Origin
from pooltrust.host.serving.thin import command_line, progress
from pooltrust.host.serving.thin.offers import FOLDER, Offers

from .stage import Ran, console, remote, xe
from .test_wire import Probe
from .within import Nothing, carried_out

ELSEWHERE = Origin("192.0.2.1")


def test_an_authority_answers_a_request_by_files(pool: Pool, tmp_path: Path) -> None:
    hosts = h1, h2 = pool(2)
    asked, leaf, chain = (tmp_path / name for name in ("h2.csr", "leaf.pem", "chain.pem"))
    chain.write_text(CHAIN)

    async def story() -> None:
        async with running(*hosts):
            for verb, by in (
                ("host-server-certificate-install", h1),
                ("host-certificate-request-install", h2),
            ):
                asked.unlink(missing_ok=True)
                words = ("host=h2", f"filename={asked}", "names=h2.example.org")
                assert await console(by, "host-certificate-request", *words) == Ran(0, "", "")
                leaf.write_text(answer(asked.read_text()))
                files = (f"certificate={leaf}", f"certificate-chain={chain}")
                ran = await console(by, verb, "host=h2", *files)
                assert ran.code == 0, ran
                shown = await console(h1, "host-get-server-certificate", "host=h2")
                assert leaf.read_text().strip() in shown.out
            again = await console(h2, "host-certificate-request-get", "host=h2")
            assert again.out.strip() == "" and not h2.folder.request.exists()

    run(story(), 60)


def test_an_offer_is_taken_once_and_while_its_command_waits() -> None:
    offers = Offers()
    with offers.offering(b"text") as path:
        assert path.startswith(FOLDER) and len(path) > 40
        assert offers.take(path) == b"text"
        assert offers.take(path) is None
    with offers.offering(b"text") as path:
        pass
    assert offers.take(path) is None


def test_what_nobody_offers_is_not_there(pool: Pool) -> None:
    (h1,) = pool(1)

    def get(path: str) -> bytes:
        sock = Probe.local(h1).sock
        sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return sock.recv(4096)

    async def story() -> None:
        async with running(h1):
            for path in ("/cli/", "/cli/x", "/cli/../cli/x"):
                assert b" 404 " in await asyncio.to_thread(get, path)

    run(story())


class Watched(Nothing):
    """Counts who is watched over."""

    def __init__(self) -> None:
        self.users: list[str] = []

    def watching(self, seat: Seat) -> AbstractAsyncContextManager[None]:
        self.users.append(seat.words.get("username"))
        return super().watching(seat)


@pytest.mark.parametrize(
    ("words", "password", "users"),
    [
        ("pool-list", "right", ["root"]),
        ("pool-list", "wrong", []),
        ("pool-eject", "right", []),
        ("help", "right", []),
        ("nothing", "right", []),
    ],
)
def test_nobody_is_told_what_goes_on_before_they_have_logged_in(
    words: str, password: str, users: list[str]
) -> None:
    watched = Watched()
    carried_out(stocked(), words, origin=ELSEWHERE, around=watched, password=password)
    assert watched.users == users


class Terminal(Nothing):
    """Watches as a host does for a client that shows it, and waits for what it shows."""

    def __init__(self, context: FakeContext) -> None:
        self.context = context
        self.shown: asyncio.Queue[bytes] = asyncio.Queue()

    @asynccontextmanager
    async def watching(self, seat: Seat) -> AsyncIterator[None]:
        async with progress.Progress(seat, self.shown.put):
            self.first = await self.shown.get()
            yield


def test_whoever_waits_is_told_each_phase_of_an_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    context = stocked()
    terminal = Terminal(context)
    assert carried_out(context, "pool-list", "--minimal", around=terminal).code == 0
    assert struct.unpack_from("<ii", terminal.first, 4) == (9, 16)
    assert terminal.first.endswith(b": dismiss\n") and b"%" in terminal.first


def test_a_stranger_has_less_patience_than_who_has_logged_in() -> None:
    stream: Any = command_line._Stream(None, None, None)  # type: ignore[arg-type]
    around = command_line._Around(stream, Offers(), progress=False)
    assert stream.seconds == command_line.HEAD_SECONDS
    around.watching(None)  # type: ignore[arg-type]
    assert stream.seconds == command_line.IDLE_SECONDS > command_line.HEAD_SECONDS


def test_a_reset_ends_whoever_waits_over_tls_and_answers_who_ordered_it(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "TURN_SECONDS", 0.2)
    (h1,) = pool(1)
    new, home = "--no-warn-new-certificates", {"HOME": str(tmp_path)}

    async def story() -> None:
        async with running(h1):
            never = remote(h1, new, "event-wait", "class=pool", "name-label=never")
            waits = asyncio.create_task(xe(*never, environment=home))
            local = asyncio.create_task(console(h1, "event-wait", "class=pool", "name-label=now"))
            await until(lambda: len(h1.daemon.context.sessions) == 2)
            reset = remote(h1, new, "host-reset-server-certificate", "host=h1")
            assert await xe(*reset, environment=home) == Ran(0, "", "")
            ended = await waits
            assert ended.code == 1 and "The connection was lost" in ended.err
            assert not local.done()
            uuid = (await console(h1, "pool-list", "--minimal")).out.strip()
            await console(h1, "pool-param-set", f"uuid={uuid}", "name-label=now")
            assert (await local).code == 0

    run(story(), 60)


def test_who_has_left_is_not_waited_for(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TURN_SECONDS", 0.2)
    (h1,) = pool(1)

    def leave() -> None:
        probe = Probe.local(h1)
        probe.post("event-wait", "class=pool", "name-label=never")
        probe.greet()
        probe.sock.close()

    async def story() -> None:
        async with running(h1):
            left = asyncio.create_task(asyncio.to_thread(leave))
            await until(lambda: len(h1.daemon.context.sessions) == 1)
            await left
            await until(lambda: len(h1.daemon.context.sessions) == 0)

    run(story())
