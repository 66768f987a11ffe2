"""Requiring verification: everybody is there and has met everybody first, or nothing changes."""

from __future__ import annotations

import pytest

from daemons import run, running
from pooltrust.command.client import Reported

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
