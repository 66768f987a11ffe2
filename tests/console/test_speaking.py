"""HTTP and JSON-RPC as hosts answer them, and as they must not."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from typing import Any
from unittest.mock import Mock

import pytest

from pooltrust.console.pools.place import Place
from pooltrust.console.pools.state import State
from pooltrust.console.speaking.channel import Channel, ConnectionLost, Reported, result_of
from pooltrust.console.speaking.http import Answer, BrokenAnswer, read_answer
from pooltrust.tls.dial import Connection


def answered(data: bytes) -> Answer:
    async def read() -> Answer:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_answer(reader)

    return asyncio.run(read())


@pytest.mark.parametrize(
    "data, expected",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}more", Answer(200, b"{}", True)),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\n{}",
            Answer(200, b"{}", False),
        ),
        (b"HTTP/1.0 500 Oh\nContent-Length: 0\n\n", Answer(500, b"", False)),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", Answer(200, b"to the end", False)),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
            Answer(200, b"abcd", True),
        ),
    ],
)
def test_an_answer_ends_by_length_by_chunks_or_with_the_connection(data: bytes, expected: Answer):
    assert answered(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 xxx\r\n\r\n",
        b"HTTP/1.1 \xb2\xb2\xb2 squared\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 40_000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_refused(data: bytes):
    with pytest.raises(BrokenAnswer):
        answered(data)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
def test_half_an_answer_is_none(data: bytes):
    with pytest.raises(EOFError):
        answered(data)


@pytest.mark.parametrize(
    "said, code, parameters",
    [
        ({"error": {"code": 1, "message": "A", "data": ["b"]}}, "A", ["b"]),
        ({"error": ["A", "b", 3], "result": None}, "A", ["b", "3"]),
        ({"error": {"message": "A"}}, "A", []),
        ({"error": "A"}, "A", []),
        ([], "INTERNAL_ERROR", ["the answer is no JSON-RPC"]),
        ({}, "INTERNAL_ERROR", ["the answer is no JSON-RPC"]),
    ],
)
def test_a_failure_has_its_code_and_parameters(said: Any, code: str, parameters: list[str]):
    with pytest.raises(Reported) as why:
        result_of(said)
    assert (why.value.code, why.value.parameters()) == (code, parameters)


@pytest.mark.parametrize("said", [{"result": 3}, {"result": 3, "error": None}])
def test_both_versions_of_the_protocol_have_results(said: Any):
    assert result_of(said) == 3


def test_chunks_of_one_byte_take_no_more_memory_than_their_bytes():
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 40_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert len(answered(data + b"0\r\n\r\n").body) == 40_000
        assert tracemalloc.get_traced_memory()[1] - before < 4 * len(data)
    finally:
        tracemalloc.stop()


class Slow:
    """A host that answers `pool.join` when it is told to, and whose sessions end meanwhile."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.asked = asyncio.Event()
        self.left = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                method = json.loads(await reader.readexactly(length))["method"]
                said: dict[str, Any] = {"result": ["system.listMethods"]}
                if method == "pool.join":
                    self.asked.set()
                    await self.answers.wait()
                    said = {"result": "joined"}
                elif method == "event.from":
                    await self.asked.wait()
                    said = {"error": {"message": "SESSION_INVALID", "data": ["OpaqueRef:x"]}}
                body = json.dumps(said).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        except asyncio.IncompleteReadError:
            self.left += 1
        finally:
            writer.close()


def test_a_host_that_ends_its_sessions_when_it_joins_is_heard_out(monkeypatch: pytest.MonkeyPatch):
    host, told = Slow(), list[Any]()

    async def story() -> None:
        server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        place = Place(State("p1", "127.0.0.1", port, "root"), "x", Mock(), told.append)

        async def dial() -> Connection:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            return Connection(Mock(), "TLSv1.3", reader, writer, "127.0.0.1", port, Mock())

        monkeypatch.setattr(place, "_dialled", dial)
        running = asyncio.create_task(place._once())
        while place._channel is None:
            await asyncio.sleep(0.01)
        join = asyncio.create_task(place.call("pool.join", ["127.0.0.2", "root", "x"]))
        with pytest.raises(Reported):  # the sessions of its former pool are over
            await running
        with pytest.raises(ConnectionLost):
            await place.call("pool.get_all", [])
        host.answers.set()
        assert await join == "joined"
        while host.left < 2:  # and neither connection is kept
            await asyncio.sleep(0.01)
        server.close()

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_closed_channel_dials_nobody():
    async def dial() -> Connection:
        raise AssertionError("it was dialled")

    channel = Channel("h1:443", dial)
    channel.close()
    with pytest.raises(ConnectionLost, match="before the call was made"):
        asyncio.run(channel.call("session.logout"))
