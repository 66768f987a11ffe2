"""What hosts tell of their TLS connections, of every kind, as others see it: no secret is in it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from appliances.stage import DATES, SECRET, Appliance
from appliances.test_balancing import ADDED, NEW_KEY, initialize, refused
from daemons import PASSWORD, Host, run, running, until
from operations.stage import Pool, ref, served
from pki.offered.stage import made, private
from stranger import knock

pytestmark = pytest.mark.needs("nginx")

Rows = list[dict[str, str]]


async def observed(host: Host, kind: str, outcome: str, asked: Host | None = None) -> Rows:
    rows: Rows = await (asked or host).ask("pooltrust.get_observed", await ref(asked or host, host))
    return [row for row in rows if (row["kind"], row["outcome"]) == (kind, outcome)]


async def logged_in(host: Host, believes: str, originator: str) -> str:
    """A session over TLS, by a client that believes this certificate (PEM)."""

    def ask() -> str:
        context = ssl.create_default_context(cadata=believes)
        client = HTTPSConnection(host.config.address, host.config.port, context=context)
        parameters = ["root", PASSWORD, "2.21", originator]
        call = {"jsonrpc": "2.0", "method": "session.login_with_password", "params": parameters}
        client.request("POST", "/jsonrpc", json.dumps({**call, "id": 1}))
        session = str(json.loads(client.getresponse().read())["result"])
        client.close()
        return session

    return await asyncio.to_thread(ask)


def nothing_of(thumbprint: str, host: Host) -> bool:
    """Whether a host, which is alone in its pool, tells of this certificate no more."""
    alone = len(host.roster.members) == 1
    return alone and thumbprint not in repr(host.daemon.observations.told())


async def within(look: Callable[[], Any], seconds: float = 10.0) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.01)
    return found


def test_members_tell_of_each_other_and_of_who_was_none(pool: Pool, tmp_path: Path):
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await h2.ask("pooltrust.probe_members", await ref(h2, h1))
            for host, other, way in ((h1, h2, "dialled"), (h2, h1, "answered")):
                # Each by way of the other: whoever is asked has the right host tell.
                rows = await within(lambda h=host, o=other: observed(h, "member", "verified", o))
                [row] = [one for one in rows if one["peer"] == other.me and one["way"] == way]
                assert row["host"] == await ref(host, other)
                assert (row["met"], row["shown"]) == (str(served(other)), str(served(host)))
                assert (row["tls_version"], row["refused_by"]) == ("TLSv1.3", "")
                assert int(row["count"]) > 0 and row["since"] <= row["first"] <= row["at"]

            await knock(h1.config.address, h1.config.port, served(h1), tmp_path)
            [row] = await within(lambda: observed(h1, "member", "refused", h2))
            assert (row["way"], row["refused_by"]) == ("answered", "this host")
            assert row["reason"] == "unknown certificate: not accepted from any member"
            assert row["cure"].endswith("pooltrust log show.")

            await h2.daemon.returning.hear_from(h1.me)
            [row] = await observed(h2, "returning member", "not verified")
            assert row["met"] == str(served(h1)) and "prove themselves" in row["reason"]
            h2s, began = str(served(h2)), h2.daemon.observations.since
            assert h2s in repr(h1.daemon.observations.told())
            # An ejected host keeps nothing of what the pool showed, nor the pool of it.
            await h1.ask("pool.eject", await ref(h1, h2))
            for host, gone in ((h1, h2s), (h2, str(served(h1)))):
                await until(lambda host=host, gone=gone: nothing_of(gone, host))
            await until(lambda: h2.daemon.observations.since > began)  # it begins anew

    run(story())


def test_an_appliance_with_the_wrong_certificate_is_told_of_and_the_right_one_too(
    pool: Pool, appliance: Appliance
):
    (h1,) = pool(1)
    appliance.answers["AddXenServer"] = ADDED

    async def story() -> None:
        async with running(h1):
            await h1.ask("pooltrust.pin_wlb_certificate", appliance.url, str(appliance.thumbprint))
            pinned = str(appliance.thumbprint)
            appliance.shows(made("impostor", private(NEW_KEY), names=(), dates=DATES), NEW_KEY)
            await refused(initialize(h1, appliance.url))
            [row] = await observed(h1, "Workload Balancing", "refused")
            assert (row["peer"], row["refused_by"]) == (appliance.url, "this host")
            assert row["met"] == str(appliance.thumbprint) != pinned
            assert pinned in row["expected"] and "another certificate" in row["reason"]
            assert "xe pool-pin-wlb-certificate" in row["cure"]
            [look] = await observed(h1, "Workload Balancing, first look", "verified")
            assert look["met"] == pinned

            await h1.ask("pooltrust.pin_wlb_certificate", appliance.url, row["met"])
            await initialize(h1, appliance.url)
            [row] = await observed(h1, "Workload Balancing", "verified")
            assert row["met"] == str(appliance.thumbprint) and row["tls_version"] == "TLSv1.3"

    run(story())
    assert len(appliance.said) == 1


def test_clients_are_told_of_without_a_secret_and_so_is_one_that_refuses_us(
    pool: Pool, appliance: Appliance
):
    (h1,) = pool(1)
    appliance.answers["AddXenServer"] = ADDED

    async def story() -> None:
        async with running(h1):
            server = h1.daemon.belief.identities.server.identity.certificate
            session = await logged_in(h1, server.pem(), "heron counter")
            [row] = await observed(h1, "third-party API client", "let in")
            assert (row["says"], row["tls_version"]) == ("heron counter", "TLSv1.3")
            assert (row["shown"], row["met"]) == (str(server.thumbprint), "")

            with pytest.raises(ssl.SSLCertVerificationError):
                await logged_in(h1, made("somebody-else", private("rsa-2048")), "another")
            [row] = await within(lambda: observed(h1, "third-party API client", "refused"))
            assert row["refused_by"] == "the other side"
            assert "refused this host's server certificate" in row["reason"]
            assert "xe host-get-server-certificate" in row["cure"]

            await h1.ask("pooltrust.pin_wlb_certificate", appliance.url, str(appliance.thumbprint))
            await initialize(h1, appliance.url)
            code = await h1.code()
            told = repr(h1.daemon.observations.told())
            for secret in (PASSWORD, SECRET, session, code.text()):
                assert secret not in told
            assert "heron counter" in told

    run(story())
