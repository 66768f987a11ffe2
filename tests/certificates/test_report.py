"""The report over the API and over HTTPS, for whoever may look, and for nobody else."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
from typing import Any

import pytest

from access.stage import Client
from daemons import PASSWORD, Host, run, running
from operations.stage import Pool

from .test_trust import CA

BASIC = base64.b64encode(f"root:{PASSWORD}".encode()).decode()
WRONG = base64.b64encode(b"root:wrong").decode()


async def get(host: Host, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    def ask() -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        where = host.config.listen, host.config.port
        connection = http.client.HTTPSConnection(*where, context=context, timeout=20)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        said = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return said

    return await asyncio.to_thread(ask)


def test_the_call_and_the_page_say_the_same(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            session = (await Client.login(h1)).session
            called = json.loads(await h1.ask("pooltrust.get_certificate_report"))
            types = [one["type"] for one in called["certificates"]]
            assert types == ["host", "host_internal"] * 2 + ["ca"]
            ends = called["next_break"]
            assert ends == await h2.ask("pooltrust.get_next_break")
            assert "the authority ca.pem" in ends["words"]
            for found in (
                await get(h1, f"/certificates?session_id={session}"),
                await get(h1, "/certificates", Cookie=f"session_id={session}"),
                await get(h1, "/certificates", Authorization=f"Basic {BASIC}"),
            ):
                status, headers, body = found
                assert (status, headers["Content-Type"]) == (200, "application/json")
                assert "Access-Control-Allow-Origin" not in headers
                assert same(json.loads(body), called)

    run(story())


def same(one: Any, other: Any) -> bool:
    """But for the seconds between the two."""
    for said in (one, other):
        said.pop("at", None)
        for certificate in said["certificates"]:
            for entry in (certificate, *certificate.get("chain", ())):
                entry["days_left"] = round(entry["days_left"], 1)
    return bool(one == other)


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Basic {WRONG}"},
                                     {"Authorization": "Basic ???"}, {"Authorization": "Bearer x"},
                                     {"Cookie": "session_id=OpaqueRef:none"}])  # fmt: skip
def test_whoever_has_neither_session_nor_password_sees_nothing(
    pool: Pool, headers: dict[str, str]
) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            status, answered, body = await get(h1, "/certificates", **headers)
            assert status == 401 and answered["WWW-Authenticate"].startswith("Basic realm=")
            assert b"subject" not in body

    run(story())


def test_a_supporter_sends_clients_to_its_coordinator(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            path = "/certificates?x=1"
            status, headers, _ = await get(h2, path, Authorization=f"Basic {BASIC}")
            where = f"https://{h1.config.address}:{h1.config.port}{path}"
            assert (status, headers["Location"]) == (302, where)

    run(story())
