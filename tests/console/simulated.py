"""A big pool as XenServer 8 has it, simulated: JSON-RPC over TLS, events that never stop, and nothing
of what only pooltrust's own hosts offer.

It is as strict as a published host: the session, the number and the types of parameters, the form of
tokens, the length of a request's head.
"""

from __future__ import annotations

import asyncio
import itertools
import json
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

from .published import LONGEST_BODY, LONGEST_HEAD, SESSION, misspoken, token

ADDRESS = "127.0.0.9"
HOSTS, CERTIFICATES = 64, 300
STREAM_SECONDS = 0.05
AHEAD = timedelta(hours=3)
"""How far the clock of one host is ahead."""
ASK = "x-xenapi-request-host-certificate-thumbprint"
NOT_LISTED = ("session.get_is_local_superuser", "session.get_rbac_permissions", "session.logout")
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

    thumbprint = ""
    coordinator = ""
    """The thumbprint that a supporter tells of it, to who asks."""

    def __init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.records = list(_records())
        self.calls: list[str] = []
        self.certificate = ""
        """What each of its hosts says that it shows (PEM); nothing where a console is not to learn it."""
        self.installed: list[Any] = []
        """What a server certificate was installed with."""
        self._news: list[dict[str, Any]] = []
        self._count = itertools.count(1)

    async def answer(self, request: web.Request) -> web.Response:
        head = sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
        if head + len(request.raw_path) + 20 > LONGEST_HEAD:
            return web.Response(status=431)
        body = await request.read()
        asked = json.loads(body)
        if len(body) > LONGEST_BODY or not isinstance(asked["id"], int | str):
            return web.Response(status=500, text="<html>an internal error</html>")
        method, parameters = asked["method"], asked["params"]
        self.calls.append(method)
        told = {"jsonrpc": "2.0", "id": asked["id"]} | await self._told(method, parameters)
        response = web.Response(body=json.dumps(told).encode(), content_type="application/json")
        if request.headers.get(ASK) == "sha-256:master" and "HOST_IS_SLAVE" in str(told):
            response.headers["x-xenapi-response-host-certificate-thumbprint"] = self.coordinator
        return response

    async def _told(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        fault = misspoken(method, parameters)
        if not fault and method not in (*self.methods(), *NOT_LISTED):
            fault = ["MESSAGE_METHOD_UNKNOWN", method]
        try:
            if not fault:
                return {"result": await self._result(method, parameters)}
        except LookupError as why:
            fault = list(why.args)
        return {"error": {"code": 1, "message": fault[0], "data": fault[1:]}}

    def methods(self) -> list[str]:
        return METHODS

    def show(self, identity: bytes, file: Path) -> None:
        """Show this identity (PEM) to whoever connects from now on, and tell it of the coordinator."""
        file.write_bytes(identity)
        self.context.load_cert_chain(file)
        self.thumbprint = str(read_pem(identity)[0].thumbprint)
        [told] = [one for one in self.records if one["ref"] == "OpaqueRef:c1"]
        told["snapshot"]["fingerprint"] = self.thumbprint

    async def _result(self, method: str, parameters: list[Any]) -> Any:
        match method:
            case "session.login_with_password":
                return SESSION
            case "system.listMethods":
                return self.methods()
            case "session.get_is_local_superuser":
                return True
            case "session.get_rbac_permissions":
                return []
            case "event.from" if parameters[2] == "":
                return {"events": self.records, "token": token(1), "valid_ref_counts": {}}
            case "event.from":
                await asyncio.sleep(STREAM_SECONDS)
                return {"events": [self._change()], "token": token(2), "valid_ref_counts": {}}
            case "host.install_server_certificate":
                self._install(parameters[1:])
            case "pool.crl_list":
                return []
            case "host.get_server_certificate":
                return self.certificate
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


class Older(Pool):
    """A pool of the release before: no verification among members, and certificates of servers only."""

    GONE = ("tls_verification_enabled", "type", "name", "purpose", "fingerprint_sha256")

    def __init__(self) -> None:
        super().__init__()
        kept = [one for one in self.records if one["snapshot"].get("type", "host") == "host"]
        self.records = [one | {"snapshot": self._before(one)} for one in kept]

    def _before(self, event: dict[str, Any]) -> dict[str, Any]:
        gone = self.GONE if event["class"] in ("pool", "host", "certificate") else ()
        return {name: value for name, value in event["snapshot"].items() if name not in gone}

    def methods(self) -> list[str]:
        return [one for one in METHODS if "tls" not in one and "refresh" not in one]


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
        "id": "1", "timestamp": "0.0", "class": kind, "operation": "add", "ref": f"OpaqueRef:{ref}",
        "snapshot": snapshot,
    }  # fmt: skip


@contextmanager
def big_pool(
    folder: Path, pool: Pool | None = None, at: tuple[str, int] | None = None
) -> Iterator[tuple[Pool, str]]:
    """The pool, and where it is."""
    address, port = at or (ADDRESS, find_free_port(ADDRESS))
    pool = pool or Pool()
    file = folder / f"identity-{address}.pem"
    pool.show(self_signed(address), file)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        serving = asyncio.run_coroutine_threadsafe(_serve(pool, (address, port)), loop)
        runner = serving.result(10)
        yield pool, f"{address}:{port}"
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _serve(pool: Pool, at: tuple[str, int]) -> web.AppRunner:
    application = web.Application()
    application.router.add_post("/jsonrpc", pool.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, *at, ssl_context=pool.context).start()
    return runner


def self_signed(address: str) -> bytes:
    """A new server identity for this address, in PEM."""
    return mint_server_identity(["host-00"], [address], datetime.now(UTC), kind=KeyKind.P256).pem()
