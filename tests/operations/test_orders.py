"""A host obeys its coordinator only, in time only, and never so that nobody would believe it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.errors import Failure
from pooltrust.host.obeying import keys as obeying
from pooltrust.host.obeying.minting import MOST_STAGED
from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.steps import Probe, Promote, Retire
from pooltrust.terms import EntryHash, Thumbprint
from pooltrust.trust.entries import AddressChanged, CertificateWithdrawn

from .moments import nobody_goes_on
from .peace import keys
from .stage import Pool, served, settled

Ordered = Promote | Probe | Retire


async def code(work: Awaitable[Any]) -> str:
    """How this is refused."""
    with pytest.raises(Failure) as why:
        await work
    return why.value.code


def order(step: Ordered, host: Host) -> dict[str, Any]:
    """The order for this step as it is decided at the head that the host has."""
    return {"order": Order.at(step, host.roster).record()}


def test_orders_of_a_supporter_late_ones_and_those_for_others_are_refused(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            obey, before = h2.daemon.orders.obey, (served(h2), keys(h2))
            probe = Probe(h2.me, h3.me, served(h3), 1)
            assert "seen" in await obey(h1.me, order(probe, h2))
            assert await code(obey(h3.me, order(probe, h2))) == "SSL_VERIFY_ERROR"
            assert await code(h2.daemon.orders.mint(h3.me, {})) == "SSL_VERIFY_ERROR"
            late = order(probe, h2)
            body = AddressChanged(h1.me, h1.config.address)
            await h1.daemon.scribe.append(body, by="root", call="test")
            await settled(*hosts)
            assert await code(obey(h1.me, late)) == "ORDER_TOO_LATE"
            forked = Order(probe, h2.roster.number, EntryHash("0" * 64)).record()
            assert await code(obey(h1.me, {"order": forked})) == "ORDER_TOO_LATE"
            for step in (
                Promote(h3.me, served(h3)),
                Retire(h3.me, served(h3)),
                Probe(h3.me, h2.me, served(h2), 1),
            ):
                assert await code(obey(h1.me, order(step, h2))) == "PEER_PROTOCOL_ERROR"
            for junk in (None, {}, [], {"order": {"step": {"kind": "append"}}}):
                assert await code(obey(h1.me, {"order": junk})) == "PEER_PROTOCOL_ERROR"
            assert await code(obey(h1.me, order(Retire(h2.me, served(h2)), h2))) == "KEY_IN_USE"
            assert (served(h2), keys(h2)) == before

    run(story(), 60)


def test_a_certificate_that_the_roster_does_not_accept_is_never_served(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            obey, old = h2.daemon.orders.obey, served(h2)
            request = await h2.daemon.keys.mint()
            staged = Thumbprint.of(request.certificate)
            for wrong in (staged, served(h3), Thumbprint(bytes(32))):
                assert (
                    await code(obey(h1.me, order(Promote(h2.me, wrong), h2))) == "NOT_ACCEPTED_YET"
                )
            assert served(h2) == old

    run(story(), 60)


def test_an_order_that_waited_its_turn_while_the_log_took_it_back_is_refused(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = h1, h2, _ = pool(3)
    nobody_goes_on(monkeypatch)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            old, scribe = served(h2), h1.daemon.scribe
            request = await h2.daemon.keys.mint()
            new = Thumbprint.of(request.certificate)
            await scribe.append(request, by="root", call="test")
            await until(lambda: h2.roster.host_of(new) == h2.me)
            async with h2.daemon.keys._one:
                wait = asyncio.create_task(
                    h2.daemon.orders.obey(h1.me, order(Promote(h2.me, new), h2))
                )
                await asyncio.sleep(0)
                body = CertificateWithdrawn(h2.me, new, "taken back")
                await scribe.append(body, by="root", call="test")
                await until(lambda: h2.roster.host_of(new) is None)
            assert await code(wait) == "NOT_ACCEPTED_YET"
            assert served(h2) == old

    run(story(), 60)


def test_a_late_request_for_a_new_identity_deletes_none_that_is_in_a_plan(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            first = Thumbprint.of((await h1.daemon.keys.mint()).certificate)
            second = Thumbprint.of((await h1.daemon.keys.mint()).certificate)
            assert keys(h1) == {served(h1), first, second}
            for _ in range(2 * MOST_STAGED):
                last = Thumbprint.of((await h1.daemon.keys.mint()).certificate)
            assert len(keys(h1)) == 1 + MOST_STAGED
            assert {served(h1), last} < keys(h1)
            later = datetime.now(UTC) + timedelta(days=1)
            h1.daemon.keys._now = lambda: later
            fresh = Thumbprint.of((await h1.daemon.keys.mint()).certificate)
            assert keys(h1) == {served(h1), fresh}

    run(story(), 60)


def test_a_key_that_could_not_be_deleted_goes_when_the_disk_is_repaired(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obeying, "AGAIN_SECONDS", 0.05)
    hosts = h1, h2 = pool(2)
    broken = True
    delete = obeying.delete_identity

    def failing(path: Any) -> None:
        if broken and h2.config.folder in path.parents:
            raise obeying.CannotStore(str(path), "Input/output error")
        delete(path)

    monkeypatch.setattr(obeying, "delete_identity", failing)

    async def story() -> None:
        nonlocal broken
        async with running(*hosts):
            await h1.ask("host.refresh_server_certificate", await h1.ask("host.get_by_uuid", h2.me))
            await asyncio.sleep(0.2)
            assert len(keys(h2)) == 2
            broken = False
            await until(lambda: keys(h2) == {served(h2)}, 20)

    run(story(), 60)
