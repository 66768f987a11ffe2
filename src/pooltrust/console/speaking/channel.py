"""JSON-RPC to one host.  Every connection of it is dialled by the same trust decision.

Several calls can run at once: each has a connection of its own, and idle ones are used again.
A call whose connection is lost is not repeated, because it may have been carried out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from pooltrust.console.speaking.http import Answer, BrokenAnswer, post
from pooltrust.errors import Repeated, Unreachable, failure
from pooltrust.tls.dial import Connection

CALL_SECONDS = 900.0
MOST_IDLE = 4

Dial = Callable[[], Awaitable[Connection]]


@failure("CONNECTION_LOST")
class ConnectionLost(Unreachable):
    """The connection to {where} was lost: {why}."""

    where: str
    why: str
    remedy: str = "The console connects again by itself; see whether the change was made."


class Reported(Repeated):
    """What the host answered instead of a result."""

    coordinator = ""
    """Of HOST_IS_SLAVE: the thumbprint that is to be met there, if the host told it."""


class Channel:
    """Calls to one host."""

    def __init__(self, where: str, dial: Dial) -> None:
        self._where = where
        self._dial = dial
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._id = 0
        self._closed = False

    async def call(self, method: str, *parameters: Any, seconds: float = CALL_SECONDS) -> Any:
        """The result.  Raises Reported, ConnectionLost, and as dialling does."""
        self._id += 1
        request = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": self._id}
        answer = await self._exchange(orjson.dumps(request), seconds)
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError as why:
            words = f"it answered HTTP {answer.status} and no JSON"
            raise ConnectionLost(self._where, words) from why
        try:
            return result_of(said)
        except Reported as why:
            why.coordinator = answer.coordinator
            raise

    async def _exchange(self, body: bytes, seconds: float) -> Answer:
        connection = self._usable() or await self._dialled()
        self._open.add(connection)
        keeps = False
        try:
            async with asyncio.timeout(seconds):
                answer = await post(connection, "/jsonrpc", body)
            keeps = answer.keeps
            return answer
        except TimeoutError as why:
            raise ConnectionLost(self._where, f"no answer within {seconds:g} s") from why
        except (OSError, EOFError) as why:
            raise ConnectionLost(self._where, "it was closed before the answer") from why
        except BrokenAnswer as why:
            raise ConnectionLost(self._where, str(why)) from why
        finally:
            self._open.discard(connection)
            if keeps and not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
            else:
                connection.writer.transport.abort()

    async def _dialled(self) -> Connection:
        """Its session is one of this channel: nothing of it goes out once that is closed."""
        if not self._closed:
            connection = await self._dial()
            if not self._closed:
                return connection
            connection.writer.transport.abort()
        raise ConnectionLost(self._where, "it was closed before the call was made")

    def _usable(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.reader.at_eof() and not connection.writer.transport.is_closing():
                return connection
            connection.writer.transport.abort()
        return None

    def end(self) -> None:
        """Make no more calls; those that are under way are let finish.

        A host that joins another pool ends its sessions before it answers the call for it.
        """
        self._closed = True
        while self._idle:
            self._idle.pop().writer.transport.abort()

    def close(self) -> None:
        """Cut every connection; whoever waits for an answer hears that it was lost."""
        self.end()
        for connection in self._open:
            connection.writer.transport.abort()


def result_of(said: Any) -> Any:
    """The result of an answer in either version of the protocol.  Raises Reported."""
    if not isinstance(said, dict) or ("result" not in said and "error" not in said):
        raise Reported("INTERNAL_ERROR", ["the answer is no JSON-RPC"])
    error = said.get("error")
    if not error:
        if "result" not in said:
            raise Reported("INTERNAL_ERROR", ["the answer has neither a result nor an error"])
        return said["result"]
    if isinstance(error, list) and error:  # version 1 of the protocol
        return _raise(str(error[0]), error[1:])
    if isinstance(error, dict):
        data = error.get("data")
        given = data if isinstance(data, list) else [] if data is None else [data]
        return _raise(str(error.get("message", "")), given)
    return _raise(str(error), [])


def _raise(code: str, parameters: Sequence[Any]) -> Any:
    raise Reported(code, [str(one) for one in parameters])
