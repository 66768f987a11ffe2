"""A big pool as XenServer 8 has it, simulated: JSON-RPC over TLS, events that never stop, and nothing
of what only pooltrust's own hosts offer."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from machine import find_free_port
from pooltrust.pki.certificate import read_pem
from pooltrust.pki.mint import KeyKind, mint_server_identity
from pooltrust.terms import Thumbprint

ADDRESS = "127.0.0.9"
HOSTS, CERTIFICATES = 64, 300
STREAM_SECONDS = 0.05
AHEAD = timedelta(hours=3)
"""How far the clock of one host is ahead."""
METHODS = [
    "session.login_with_password",
    "event.from",
    "system.listMethods",
    "pool.enable_tls_verification",
    "host.get_server_certificate",
    "host.get_servertime",
    "host.reset_server_certificate",
    "host.install_server_certificate",
    "host.refresh_server_certificate",
    "pool.install_ca_certificate",
    "pool.eject",
    "pool.crl_list",
]


class Pool:
    """Its records, and one change after another."""

    def __init__(self) -> None:
        self.records = list(_records())
        self.calls: list[str] = []
        self.installed: list[Any] = []
        """What a server certificate was installed with."""
        self._news: list[dict[str, Any]] = []
        self._count = itertools.count(1)

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        method, parameters = asked["method"], asked["params"]
        self.calls.append(method)
        if method not in {*METHODS, "session.get_is_local_superuser", "session.logout"}:
            error = {"code": 1, "message": "MESSAGE_METHOD_UNKNOWN", "data": [method]}
            return web.json_response({"jsonrpc": "2.0", "error": error, "id": asked["id"]})
        try:
            result = await self._result(method, parameters)
        except LookupError as why:
            error = {"code": 1, "message": why.args[0], "data": why.args[1:]}
            return web.json_response({"jsonrpc": "2.0", "error": error, "id": asked["id"]})
        return web.json_response({"jsonrpc": "2.0", "result": result, "id": asked["id"]})

    async def _result(self, method: str, parameters: list[Any]) -> Any:
        match method:
            case "session.login_with_password":
                return "OpaqueRef:session"
            case "system.listMethods":
                return METHODS
            case "session.get_is_local_superuser":
                return True
            case "event.from" if parameters[2] == "":
                return {"events": self.records, "token": "1", "valid_ref_counts": {}}
            case "event.from":
                await asyncio.sleep(STREAM_SECONDS)
                return {"events": [self._change()], "token": "2", "valid_ref_counts": {}}
            case "host.install_server_certificate":
                self._install(parameters[1:])
            case "pool.crl_list":
                return []
            case "host.get_servertime":
                ahead = AHEAD if parameters[1] == "OpaqueRef:h5" else timedelta(0)
                return f"{datetime.now(UTC) + ahead:%Y%m%dT%H:%M:%SZ}"
        return ""

    def _install(self, given: list[Any]) -> None:
        self.installed = given
        ref = f"OpaqueRef:c{2 * int(given[0].removeprefix('OpaqueRef:h')) + 1}"
        [event] = [one for one in self.records if one["ref"] == ref]
        met = str(read_pem(given[1])[0].thumbprint)
        self._news.append(event | {"snapshot": event["snapshot"] | {"fingerprint": met}})

    def _change(self) -> dict[str, Any]:
        if self._news:
            return self._news.pop()
        number = next(self._count)
        [event] = [one for one in self.records if one["ref"] == f"OpaqueRef:h{number % HOSTS}"]
        snapshot = event["snapshot"] | {"name_description": f"changed {number} times"}
        return event | {"operation": "mod", "snapshot": snapshot}


def _records() -> Iterator[dict[str, Any]]:
    yield _event("pool", "pool", uuid="p", name_label="big", master="OpaqueRef:h0", **_POOL)
    for n in range(HOSTS):
        label = f"host-{n:02}"
        yield _event(
            "host", f"h{n}", uuid=f"uuid-{n}", name_label=label, address=f"10.0.0.{n}",
            metrics=f"OpaqueRef:m{n}", enabled=True, tls_verification_enabled=True,
            software_version={"product_brand": "XenServer", "product_version": "8.4.0"},
        )  # fmt: skip
        yield _event("host_metrics", f"m{n}", uuid=f"m{n}", live=True)
    kinds = {n: "host" if n % 2 else "host_internal" for n in range(2 * HOSTS)}
    for n in range(CERTIFICATES):
        kind = kinds.get(n, "ca")
        host = f"OpaqueRef:h{n // 2}" if n in kinds else "OpaqueRef:NULL"
        ends = datetime.now(UTC) + timedelta(days=5 if n == 3 else 20 + n)
        yield _event(
            "certificate", f"c{n}", uuid=f"c{n}", type=kind, host=host,
            name="" if n in kinds else f"authority-{n}.pem", not_before="20260101T00:00:00Z",
            not_after=f"{ends:%Y%m%dT%H:%M:%SZ}", fingerprint=str(Thumbprint.of(str(n).encode())),
        )  # fmt: skip
    body = "<body><message>The certificate is expiring soon.</message><date>20261203T00:00:00Z</date></body>"
    yield _event(
        "message", "a1", uuid="a1", name="HOST_SERVER_CERTIFICATE_EXPIRING_07", priority=1,
        cls="Host", obj_uuid="uuid-1", body=body, timestamp="20261128T00:00:00Z",
    )  # fmt: skip


_POOL = {"tls_verification_enabled": True, "ha_enabled": False, "wlb_url": ""}


def _event(kind: str, ref: str, **snapshot: Any) -> dict[str, Any]:
    return {
        "id": 1, "timestamp": "0.", "class": kind, "operation": "add", "ref": f"OpaqueRef:{ref}",
        "snapshot": snapshot,
    }  # fmt: skip


@contextmanager
def big_pool(folder: Path, pool: Pool | None = None) -> Iterator[tuple[Pool, str]]:
    """The pool, and where it is."""
    now = datetime.now(UTC)
    identity = mint_server_identity(["host-00"], [ADDRESS], now, kind=KeyKind.P256)
    file = folder / "identity.pem"
    file.write_bytes(identity.pem())
    pool, port = pool or Pool(), find_free_port(ADDRESS)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        serving = asyncio.run_coroutine_threadsafe(_serve(pool, file, port), loop)
        runner = serving.result(10)
        yield pool, f"{ADDRESS}:{port}"
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _serve(pool: Pool, file: Path, port: int) -> web.AppRunner:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    application = web.Application()
    application.router.add_post("/jsonrpc", pool.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, ADDRESS, port, ssl_context=context).start()
    return runner
