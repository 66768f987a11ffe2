"""Requiring verification: everybody is there and has met everybody first, or nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from daemons import run, running
from pooltrust.command.client import Reported
from pooltrust.host.obeying.orders import SEVERAL
from pooltrust.host.operations.view import View
from pooltrust.host.peers.wire import PeerMisspoke, PeerRefused
from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.steps import Probe, Retire
from pooltrust.terms import HostId

from .stage import Pool, operations, settled


def test_every_pair_is_probed_and_then_everybody_enforces(pool: Pool) -> None:
    hosts = h1, h2, h3 = pool(3, verification_at_founding=False)

    async def story() -> None:
        async with running(*hosts):
            await h2.ask("pool.enable_tls_verification")
            await settled(*hosts)
            assert all(host.daemon.belief.enforcing for host in hosts)
            assert [one["state"] for one in await operations(h3)] == ["done"]
            await h3.ask("pool.enable_tls_verification")
            assert len(await operations(h1)) == 1

    run(story())


def test_every_other_host_is_asked_once_for_all_its_handshakes(pool: Pool) -> None:
    hosts = h1, *others = pool(4, verification_at_founding=False)

    async def story() -> None:
        async with running(*hosts):
            asked, probe = [], h1.daemon.desk._hands.probe

            async def told(observer: HostId, steps: Sequence[Probe], view: View) -> None:
                asked.append((observer, sorted(step.subject for step in steps)))
                await probe(observer, steps, view)

            h1.daemon.desk._hands.probe = told  # type: ignore[method-assign]
            await h1.ask("pool.enable_tls_verification")
            everybody = {host.me for host in hosts}
            assert sorted(asked) == sorted((o.me, sorted(everybody - {o.me})) for o in others)

    run(story())


@pytest.mark.parametrize("orders", [None, [], ["x"], [{}] * (SEVERAL + 1), "a retirement"], ids=str)
def test_several_orders_are_for_handshakes_only_and_not_too_many(pool: Pool, orders: Any) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            key = h2.roster.members[h2.me].newest.thumbprint
            retire = Order.at(Retire(h2.me, key), h1.roster).record()
            said = [retire] if orders == "a retirement" else orders
            with pytest.raises(PeerRefused) as why:
                await h1.daemon.peers.call(h2.me, "orders", orders=said)
            assert why.value.code == PeerMisspoke.code

    run(story())


def test_who_is_missing_is_named_all_at_once_and_the_pool_stays_as_it_was(pool: Pool) -> None:
    h1, h2, *_ = pool(4, verification_at_founding=False)

    async def story() -> None:
        async with running(h1, h2):
            before = h1.roster.head
            with pytest.raises(Reported) as why:
                await h1.ask("pool.enable_tls_verification")
            assert why.value.code == "CANNOT_CONTACT_HOST"
            words = str(why.value)
            for host in (host for host, one in h1.roster.members.items() if one.name > "h2"):
                assert host in words
            assert h1.roster.head == before
            assert not h1.daemon.belief.enforcing
            (ended,) = await operations(h1)
            assert (ended["state"], ended["may_abandon"]) == ("abandoned", "false")
            assert ended["words"].startswith("Nothing was changed.")

    run(story())
