"""Verification after an upgrade is off until it is enabled; enabling takes the appliance along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from daemons import Host, run, running, until
from operations.stage import Pool, operations, settled
from pooltrust.command.client import Reported

ENABLE = "pool.enable_tls_verification"


async def the_pool(host: Host) -> tuple[str, dict[str, Any]]:
    ((ref, record),) = (await host.ask("pool.get_all_records")).items()
    return ref, record


async def flags(host: Host) -> tuple[bool, bool]:
    _, record = await the_pool(host)
    return record["tls_verification_enabled"], record["wlb_verify_cert"]


async def alerts(host: Host) -> list[str]:
    return [one["name"] for one in await host.ask("pooltrust.get_alerts")]


def test_after_an_upgrade_a_pool_works_without_until_it_is_enabled(
    new: Callable[..., Host],
) -> None:
    h1, h2 = new("h1", upgraded_from="7.6"), new("h2", upgraded_from="7.6")

    async def story() -> None:
        async with running(h1, h2):
            await h2.join(h1)
            await settled(h1, h2)
            for host in (h1, h2):
                assert await flags(host) == (False, False)
                assert not host.daemon.belief.enforcing
            await until(lambda: h1.lines("alert"))
            assert await alerts(h1) == ["POOL_TLS_VERIFICATION_DISABLED"]
            assert (await h1.ask("pooltrust.get_log"))[0]["call"].endswith("--upgraded-from 7.6")
            await h1.ask(ENABLE)
            await settled(h1, h2)
            assert await flags(h2) == (True, True)
            await until(lambda: h1.lines("alert-cleared"))
            assert await alerts(h1) == []

    run(story())


def test_an_upgraded_host_joins_no_pool_that_verifies(pool: Pool, new: Callable[..., Host]) -> None:
    (h1,), h2 = pool(1), new("h2", upgraded_from="7.6")

    async def story() -> None:
        async with running(h1, h2):
            with pytest.raises(Reported) as why:
                await h2.join(h1)
            assert why.value.code == "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"
            assert "off at the joining host h2" in str(why.value)
            await h2.ask(ENABLE)
            await h2.join(h1)

    run(story())


def test_enabling_includes_the_appliance_also_when_it_was_left_out(pool: Pool) -> None:
    hosts = h1, h2 = pool(2, verification_at_founding=False)

    async def story() -> None:
        async with running(*hosts):
            ref, _ = await the_pool(h1)
            await h1.ask("pool.set_wlb_verify_cert", ref, False)
            await h2.ask(ENABLE)
            assert await flags(h1) == (True, True)
            await h1.ask("pool.set_wlb_verify_cert", ref, False)
            assert await flags(h1) == (True, False)
            await h1.ask(ENABLE)
            assert await flags(h1) == (True, True)

    run(story())


def test_the_last_step_of_enabling_is_done_after_a_crash(pool: Pool) -> None:
    hosts = h1, _ = pool(2, verification_at_founding=False)

    async def story() -> None:
        async with running(*hosts):
            ref, _ = await the_pool(h1)
            await h1.ask("pool.set_wlb_verify_cert", ref, False)

            async def killed(_kind: object) -> None:
                raise RuntimeError("killed")

            h1.daemon.desk.finishing = killed
            with pytest.raises(Reported):
                await h1.ask(ENABLE)
            assert await flags(h1) == (True, False)
            await h1.restart()
            await until(lambda: h1.lines("operation-ended"))
            assert [one["state"] for one in await operations(h1)] == ["done"]
            assert await flags(h1) == (True, True)

    run(story())
