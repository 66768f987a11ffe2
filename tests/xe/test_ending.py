"""A client that is to be heard no more, at a moment when its command is about to begin."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest

from api.fake import FakeContext
from daemons import run
from pooltrust.api.cli.wire import frames
from pooltrust.api.sessions import Origin
from pooltrust.host.serving.thin import command_line
from pooltrust.host.serving.thin.command_line import CommandLine
from pooltrust.host.telling.journal import Journal

CERTIFIED = Origin("127.0.0.9", names=frozenset({"monitor.example.org"}))
BODY = b"host-list\nusername=\npassword="
REQUEST = b"POST /cli HTTP/1.0\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


@pytest.mark.parametrize("when", ["it has said nothing yet", "the commands are being loaded", ""])
def test_whose_certificate_is_revoked_before_its_command_begins_is_not_let_in(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """What it has sent already was read, and the certificate was asked for no more."""
    real = command_line._commands

    async def story() -> bytes:
        loop = asyncio.get_running_loop()
        line = CommandLine(FakeContext(), Journal(logging.Logger("h1")))

        def revoked() -> None:
            line.end(lambda origin: bool(origin.names))

        def identify(_: Any) -> Origin:
            if when == "it has said nothing yet":
                loop.call_soon(revoked)
            return CERTIFIED

        async def revoke() -> None:
            revoked()

        def loading() -> Any:
            if when == "the commands are being loaded":
                asyncio.run_coroutine_threadsafe(revoke(), loop).result(10)
            return real()

        monkeypatch.setattr(command_line, "_commands", loading)
        server = await loop.create_server(lambda: line.protocol(identify), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(REQUEST + frames.HELLO)
        said = b""
        with suppress(ConnectionResetError):  # what it went on sending was not read
            said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        server.close()
        await line.close()
        return said

    said = run(story())
    assert bool(said) == (when == "")
