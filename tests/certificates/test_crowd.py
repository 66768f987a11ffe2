"""Two hundred clients at a host whose server identity changes."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemons import Host, run, running
from operations.stage import Pool, ref
from pki.offered.stage import Maker, key_text, made, private

CLIENTS, SOURCES = 200, 20
"""Clients, and the addresses from which they come: one alone may not have so many connections."""
DATES = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=90)
ROOT = Maker.named("root")
ALIVE = {"method": "system.isAlive", "params": []}


@dataclass
class Client:
    """One that verifies whom it meets, by these anchors alone."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def at(cls, host: Host, anchors: str, number: int) -> Client:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=anchors)
        dialled = asyncio.open_connection(
            host.config.address, host.config.port, ssl=context, server_hostname=host.config.address,
            local_addr=(f"127.0.0.{50 + number % SOURCES}", 0),
        )  # fmt: skip
        return cls(*await asyncio.wait_for(dialled, 60))

    def ask(self, request: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, **request}).encode()
        head = f"POST /jsonrpc HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)

    async def asked(self, request: dict[str, Any]) -> Any:
        self.ask(request)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 60)
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        return json.loads(await self.reader.readexactly(length))["result"]

    async def until_ended(self) -> bytes:
        """What comes until the host ends the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), 60)
        except ConnectionError:
            return b""
        finally:
            self.writer.close()


async def crowd(host: Host, anchors: str) -> list[Client]:
    """A third of them has said nothing yet, the others keep their connection after a call."""
    gate = asyncio.Semaphore(20)

    async def one(number: int) -> Client:
        async with gate:
            client = await Client.at(host, anchors, number)
            if number % 3:
                await client.asked(ALIVE)
            return client

    return list(await asyncio.gather(*(one(number) for number in range(CLIENTS))))


@pytest.mark.parametrize("how", ["install", "reset"])
def test_two_hundred_clients_are_disconnected_once_and_come_back_and_members_talk_on(
    pool: Pool, how: str
) -> None:
    hosts = h1, h2 = pool(2)
    names = (h2.config.name, h2.config.address)
    leaf = made("h2", private("rsa-2048"), ROOT, names=names, dates=DATES)

    async def change() -> str:
        host = await ref(h1, h2)
        if how == "reset":
            await h1.ask("host.reset_server_certificate", host)
            return str(await h1.ask("host.get_server_certificate", host))
        await h1.ask("host.install_server_certificate", host, leaf, key_text("rsa-2048"), "")
        return made("root", ROOT.key, ca=True, names=(), dates=DATES)

    async def story() -> None:
        async with running(*hosts), h1.daemon.peers.link(h2.me) as link:
            before = str(await h1.ask("host.get_server_certificate", await ref(h1, h2)))
            clients = await crowd(h2, before)
            await link.ask("report")
            anchors = await change()
            ends = await asyncio.gather(*(one.until_ended() for one in clients))
            assert ends == [b""] * CLIENTS
            again = await crowd(h2, anchors)
            # The members' connection is the one that it was.
            assert "report" in await link.ask("report")
            with pytest.raises(ssl.SSLCertVerificationError):
                await Client.at(h2, before, 0)
            assert len(again) == CLIENTS
            for one in again:
                one.writer.close()

    run(story(), 120)
