"""HTTP: whoever does not keep up is cut off, whoever speaks no HTTP is reported, with damping."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from api.fake import FakeContext
from daemons import Line, Told
from pooltrust.host.serving import guard
from pooltrust.host.serving.web import Web
from pooltrust.host.telling.journal import Journal

AT = "127.0.0.1"
GET = b"GET / HTTP/1.1\r\nHost: h1\r\n\r\n"
POST = b"POST /jsonrpc HTTP/1.1\r\nHost: h1\r\nContent-Length: %d\r\n\r\n%s"
ALIVE = b'{"method":"system.isAlive","id":1,"params":["x"]}'


@dataclass
class Spot:
    port: int
    told: Told

    @property
    def lines(self) -> list[Line]:
        return self.told.lines

    async def connected(self, **how: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, **how)

    async def said(self, data: bytes) -> bytes:
        """Everything that this is answered with, until the end."""
        reader, writer = await self.connected()
        writer.write(data)
        try:
            async with asyncio.timeout(5):
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def serving(context: Any = None) -> AsyncIterator[Spot]:
    told = Told()
    logger = logging.Logger("h1", logging.INFO)
    logger.addHandler(told)
    web = Web(context or FakeContext(), Journal(logger))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: web.remote(AT), "127.0.0.1", 0)
    try:
        yield Spot(server.sockets[0].getsockname()[1], told)
    finally:
        server.close()
        await web.close()


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(story, 15))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(guard, "ANSWER_SECONDS", 0.5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HT",
        POST % (100, b"half"),
        GET + b"POST / HTTP/1.1\r\nHost: h1\r\nContent-Length: 100\r\n\r\n",
    ],
)
def test_half_a_request_is_cut_off_in_time(data: bytes) -> None:
    async def story() -> None:
        async with serving() as spot:
            began = time.monotonic()
            await spot.said(data)
            assert 0.3 < time.monotonic() - began < 2
            [line] = spot.lines
            assert (
                line.event,
                line.facts["peer"],
                line.facts["reason"],
            ) == ("request-cut-off", AT, "late")

    run(story())


class Slow(FakeContext):
    """Takes its time with whatever needs a random number: a session."""

    async def login(self, *given: Any) -> Any:
        await asyncio.sleep(0.1)
        return await super().login(*given)


def test_half_a_head_behind_a_whole_request_is_cut_off_in_time() -> None:
    login = b'{"method":"session.login_with_password","id":1,"params":["root","x"]}'

    async def story() -> None:
        async with serving(Slow()) as spot:
            reader, writer = await spot.connected()
            writer.write(POST % (len(login), login))
            await asyncio.sleep(0.05)
            writer.write(b"GET / HT")
            began = time.monotonic()
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200")
            assert 0.3 < time.monotonic() - began < 2
            assert [line.facts["reason"] for line in spot.lines] == ["late"]
            writer.close()

    run(story())


def test_whole_requests_in_one_another_s_wake_are_all_answered() -> None:
    async def story() -> None:
        async with serving(Slow()) as spot:
            reader, writer = await spot.connected()
            for _ in range(3):
                writer.write((POST % (len(ALIVE), ALIVE)) * 2 + GET)
                await asyncio.sleep(0.01)
                writer.write(GET)
            answers = b""
            while answers.count(b"HTTP/1.1 200") < 12:
                answers += await reader.read(65536)
            await asyncio.sleep(0.8)
            writer.write(GET)
            assert await reader.read(65536)  # it was kept
            assert spot.lines == []
            writer.close()

    run(story())


def test_who_asks_and_never_reads_is_cut_off() -> None:
    async def story() -> None:
        async with serving() as spot:
            _, writer = await spot.connected(limit=1)
            began = time.monotonic()
            with pytest.raises(OSError):
                while time.monotonic() - began < 10:
                    writer.write(GET * 500)
                    await writer.drain()
                    await asyncio.sleep(0.001)
            assert [line.facts["reason"] for line in spot.lines] == ["answer not read"]
            writer.transport.abort()

    run(story())


def test_who_reads_slowly_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SLOWEST", 1024)
    big = b'{"method":"system.isAlive","id":1,"params":["%s"]}' % (b"x" * 250_000)
    count = 80

    async def story() -> None:
        async with serving() as spot:
            reader, writer = await spot.connected(limit=65536)
            writer.write((POST % (len(big), big)) * count)
            got, began = 0, time.monotonic()
            while got < count * 250_000:
                got += len(await reader.read(65536))
                await asyncio.sleep(0.006)
            assert time.monotonic() - began > 1.5
            assert spot.lines == []
            writer.close()

    run(story())


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"\0" * 60000 + b"\r\n\r\n", 400),
        (GET[:-2] + b"X-Long: " + b"z" * 6000 + b"\r\n\r\n", 431),
        (GET[:-2] + b"X-Many: z\r\n" * 64 + b"\r\n", 431),
        (b"GET /" + b"z" * 6000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: h1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    ],
)
def test_what_is_no_http_is_reported_once_in_a_short_line(bad: bytes, status: int, capfd) -> None:
    async def story() -> None:
        async with serving() as spot:
            for _ in range(20):
                said = await spot.said(bad)
                assert said[9:12] == b"%d" % status
                assert len(said) < 400  # nothing of it is repeated
            [line] = spot.lines
            assert (line.event, line.facts["peer"]) == ("request-refused", AT)
            assert line.level == "warning"
            assert not any("Traceback" in str(fact) for fact in line.facts.values())

    run(story())
    assert "".join(capfd.readouterr()) == ""


def test_a_head_of_as_many_lines_as_are_allowed_is_served() -> None:
    async def story() -> None:
        async with serving() as spot:
            last = b"Connection: close\r\n\r\n"
            said = await spot.said(GET[:-2] + b"X-Many: z\r\n" * 62 + last)
            assert said[9:12] == b"200" and spot.lines == []

    run(story())


@pytest.mark.parametrize("cut", [5, 40, -1])
def test_who_hangs_up_half_way_is_no_fault_of_ours(cut: int, capfd) -> None:
    async def story() -> None:
        async with serving() as spot:
            for _ in range(20):
                _, writer = await spot.connected()
                writer.write((POST % (len(ALIVE), ALIVE))[:cut])
                await asyncio.sleep(0.005)
                writer.transport.abort()
            await asyncio.sleep(0.1)
            assert spot.lines == []

    run(story())
    assert "".join(capfd.readouterr()) == ""
