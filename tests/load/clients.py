"""Clients of one host in a process of their own: many that stay connected, many that come and go.

Each trusts exactly the prepared server identities, and the host's name in them.  Every answer is
checked.  It says `up` when all that stay are connected, and what came of it at the end of its
standard input; nothing is retried.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from pooltrust.terms import Thumbprint

LIVE = 200
NEW_A_SECOND = 50
PAUSE_SECONDS = 1.0
"""Between an answer and the next call of one connection."""

ANSWER_SECONDS = 5.0


@dataclass
class Crowd:
    """The clients, and what happened to them."""

    address: str
    port: int
    password: str
    context: ssl.SSLContext
    session: str = ""
    host: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    met: list[tuple[float, float, str]] = field(default_factory=list)
    """Each connection: when it was begun, when TLS was up, and whose certificate was met."""
    live: list[int] = field(default_factory=lambda: [0] * LIVE)
    new: int = 0
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def log_in(self) -> None:
        """One session serves them all."""
        one = await Client.connected(self)
        self.session = await one.call("session.login_with_password", "root", self.password)
        [self.host] = [
            ref
            for ref, host in (await one.call("host.get_all_records", self.session)).items()
            if host["name_label"] == "h1"
        ]
        one.close()

    async def keep_talking(self, n: int, up: asyncio.Event) -> None:
        """One connection that stays."""
        try:
            client = await Client.connected(self)
            await client.ask()
            up.set()
            await asyncio.sleep(PAUSE_SECONDS * n / LIVE)
            while not self.stop.is_set():
                await client.ask()
                self.live[n] += 1
                await asyncio.sleep(PAUSE_SECONDS)
            client.close()
        except Exception as why:  # noqa: BLE001 - whatever it is, it is counted and shown
            self.failures.append(f"live {n} after {self.live[n]} answers: {why!r}")
            up.set()

    async def keep_coming(self) -> None:
        """New connections at an even pace, however long each takes."""
        began, coming = time.monotonic(), []
        while not self.stop.is_set():
            coming.append(asyncio.ensure_future(self._come_and_go()))
            await asyncio.sleep(max(0, began + len(coming) / NEW_A_SECOND - time.monotonic()))
        await asyncio.gather(*coming)

    async def _come_and_go(self) -> None:
        try:
            client = await Client.connected(self)
            await client.ask()
            client.close()
            self.new += 1
        except Exception as why:  # noqa: BLE001 - whatever it is, it is counted and shown
            self.failures.append(f"new: {why!r}")

    def report(self) -> dict[str, Any]:
        seconds = sorted(self.seconds)
        return {
            "met": self.met,
            "live": self.live,
            "new": self.new,
            "failures": self.failures,
            "calls": len(seconds),
            "p50": seconds[len(seconds) // 2],
            "p99": seconds[len(seconds) * 99 // 100],
            "longest": seconds[-1],
        }


@dataclass
class Client:
    """One connection."""

    crowd: Crowd
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    calls: int = 0

    @classmethod
    async def connected(cls, crowd: Crowd) -> Client:
        began = time.monotonic()
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(
                crowd.address, crowd.port, ssl=crowd.context, server_hostname="h1"
            )
        der = writer.get_extra_info("ssl_object").getpeercert(True)
        crowd.met.append((began, time.monotonic(), str(Thumbprint.of(der))))
        return cls(crowd, reader, writer)

    async def ask(self) -> None:
        """A cheap call, whose answer is known."""
        began = time.monotonic()
        name = await self.call("host.get_name_label", self.crowd.session, self.crowd.host)
        assert name == "h1"
        self.crowd.seconds.append(time.monotonic() - began)

    async def call(self, method: str, *parameters: Any) -> Any:
        """One JSON-RPC call; its answer must be to this very question."""
        self.calls += 1
        asked = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": self.calls}
        body = json.dumps(asked).encode()
        head = f"POST /jsonrpc HTTP/1.1\r\nHost: h1\r\nContent-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(ANSWER_SECONDS):
            self.writer.write(head.encode() + body)
            answer = json.loads(await self._body())
        assert answer["id"] == self.calls and "error" not in answer, answer
        return answer["result"]

    async def _body(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, *fields = head.decode().lower().split("\r\n")
        assert status == "http/1.1 200 ok", head
        [length] = [line.split(":")[1] for line in fields if line.startswith("content-length")]
        return await self.reader.readexactly(int(length))

    def close(self) -> None:
        """Leave, with everything answered."""
        self.writer.close()


async def _main(address: str, port: str, password: str, trusted: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cafile=trusted)
    crowd = Crowd(address, int(port), password, context)
    await crowd.log_in()
    tasks = []
    for n in range(LIVE):
        up = asyncio.Event()
        tasks.append(asyncio.ensure_future(crowd.keep_talking(n, up)))
        await up.wait()
    tasks.append(asyncio.ensure_future(crowd.keep_coming()))
    print('"up"', flush=True)
    await asyncio.to_thread(sys.stdin.read)
    crowd.stop.set()
    await asyncio.gather(*tasks)
    print(json.dumps(crowd.report()), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:4], Path(sys.argv[4])))
