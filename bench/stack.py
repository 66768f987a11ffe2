"""The experiment behind docs/decisions/0002-http-stack.md: which HTTP stack to put behind our listener.

`python -m bench.stack` measures them next to nginx; `python -m bench.stack serve …` is one of them:
our listener, our contexts, and a handler that reads a JSON-RPC request and gives a fixed reply.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from bench import reference_nginx
from bench.load import Job
from bench.measure import Figures, Rounds, figures, interleaved, median, memory, ratio
from bench.processes import ADDRESS, Server, free_port, start
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_server_identity
from pooltrust.tls.answer import Faces, Listener
from pooltrust.tls.contexts import pool_context, server_context

BODY = '{"jsonrpc":"2.0","method":"session.get_this_host","params":["OpaqueRef:none"],"id":1}'
REPLY = '{"jsonrpc":"2.0","result":"OpaqueRef:6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11","id":1}'

STACKS = {
    "aiohttp, asyncio": ("aiohttp", "asyncio"),
    "aiohttp, uvloop": ("aiohttp", "uvloop"),
    "httptools, uvloop": ("httptools", "uvloop"),
}
"""What is compared; httptools, a bare parser with 40 lines around it, shows where the floor is."""

MakeProtocol = Callable[[], asyncio.BaseProtocol]


def main() -> None:
    """Run the experiment, or one of its servers."""
    read = argparse.ArgumentParser()
    read.add_argument("--seconds", type=float, default=1.5)
    read.add_argument("--rounds", type=int, default=5)
    serving = read.add_subparsers(dest="command").add_parser("serve")
    serving.add_argument("http")
    serving.add_argument("loop")
    serving.add_argument("port", type=int)
    serving.add_argument("identity", type=Path)
    serving.add_argument("--pool", type=Path)
    serving.add_argument("--reply", type=Path, help="a file with what to answer instead")
    given = read.parse_args()
    if given.command == "serve":
        serve(given)
    else:
        experiment(given.seconds, given.rounds)


def experiment(seconds: float, rounds: int) -> None:
    """Measure all stacks and nginx with one RSA-2048 key, and print a table."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        identity = folder / "identity.pem"
        identity.write_bytes(mint_server_identity(["localhost"], [ADDRESS], _now()).pem())
        servers = _servers(folder, identity)
        for server in servers:
            ends.callback(server.stop)
        for what, keep_alive in (("new connections", False), ("keep-alive requests", True)):
            jobs = {s.name: partial(_figures, s, identity, seconds, keep_alive) for s in servers}
            print(f"\n{what}\n")
            _table(interleaved(jobs, rounds), {s.name: memory(s.pid) for s in servers})


def serve(given: argparse.Namespace) -> None:
    """Serve until ended.  With `pool`, that identity is a member's too, the only one."""
    if given.loop == "uvloop":
        import uvloop

        uvloop.run(_serve(given))
    else:
        asyncio.run(_serve(given))


async def _serve(given: argparse.Namespace) -> None:
    faces = Faces(server_context(given.identity), _pool_face(given.pool))
    reply = given.reply.read_bytes() if given.reply else REPLY.encode()
    handler = partial(_handle, reply)
    make = _httptools() if given.http == "httptools" else web.Server(handler, access_log=None)
    await Listener.open(ADDRESS, given.port, lambda: faces, lambda _: make(), refused=print)
    await asyncio.Event().wait()


def _pool_face(identity: Path | None) -> ssl.SSLContext | None:
    if identity is None:
        return None
    return pool_context(identity, [Identity.read(identity.read_bytes()).certificate.der])


async def _handle(reply: bytes, request: web.BaseRequest) -> web.Response:
    orjson.loads(await request.read())
    return web.Response(body=reply, content_type="application/json")


def _httptools() -> MakeProtocol:
    import httptools

    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    reply = head % len(REPLY) + REPLY.encode()

    class Floor(asyncio.Protocol):
        """No limits, no timeouts, no errors: what no server can go without is left out."""

        def connection_made(self, transport: Any) -> None:
            self._transport = transport
            self._parser = httptools.HttpRequestParser(self)
            self._body = b""

        def data_received(self, data: bytes) -> None:
            self._parser.feed_data(data)

        def on_body(self, body: bytes) -> None:
            self._body += body

        def on_message_complete(self) -> None:
            orjson.loads(self._body)
            self._body = b""
            self._transport.write(reply)

    return Floor


def _servers(folder: Path, identity: Path) -> list[Server]:
    found = []
    for name, (http, loop) in STACKS.items():
        if http == "httptools" and importlib.util.find_spec("httptools") is None:
            print(f"{name}: skipped, httptools is not installed")
            continue
        port = free_port()
        command = [sys.executable, "-m", "bench.stack", "serve", http, loop, str(port)]
        found.append(start(name, [*command, str(identity)], port, folder / "log"))
    if reference_nginx.program() is None:
        print("nginx: skipped, it is not installed (Debian: nginx-light)")
    else:
        found.append(reference_nginx.serve(folder / "nginx", identity, REPLY))
    return found


def _figures(server: Server, identity: Path, seconds: float, keep_alive: bool) -> Figures:
    job = Job(ADDRESS, server.port, str(identity), BODY, REPLY)
    return figures(Job(**{**vars(job), "keep_alive": keep_alive, "seconds": seconds}), server.pid)


def _table(found: Rounds, memories: dict[str, float]) -> None:
    print("| stack | per second | CPU, µs | p50, ms | p99, ms | CPU to nginx's | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    for name, rounds in found.items():
        of = median(rounds)
        times = f"{ratio(rounds, found['nginx'], 'cpu'):.2f}" if "nginx" in found else ""
        line = f"| {name} | {of.rate:,.0f} | {of.cpu:.0f} | {of.p50:.2f} | {of.p99:.2f} "
        print(f"{line}| {times} | {memories[name]:.0f} |")


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
