"""HTTP and JSON-RPC as hosts answer them, and as they must not."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

import pytest

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
        b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n",
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
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 100_000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert len(answered(data + b"0\r\n\r\n").body) == 100_000
        assert tracemalloc.get_traced_memory()[1] - before < 4 * len(data)
    finally:
        tracemalloc.stop()


def test_a_closed_channel_dials_nobody():
    async def dial() -> Connection:
        raise AssertionError("it was dialled")

    channel = Channel("h1:443", dial)
    channel.close()
    with pytest.raises(ConnectionLost, match="before the call was made"):
        asyncio.run(channel.call("session.logout"))
