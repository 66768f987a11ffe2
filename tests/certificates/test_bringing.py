"""A joiner brings what it trusted; a join in which the two sides disagree does not begin."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from daemons import Host, run, running, tree, until
from operations.stage import Pool, settled
from pooltrust.command.client import Reported
from pooltrust.errors import CannotContactHost

from .test_trust import CA, CRL, LEAF, OTHER, refused, rows, thumbprint, trust

New = Callable[..., Host]


def test_what_either_side_trusted_the_whole_pool_trusts(pool: Pool, new: New) -> None:
    hosts = h1, _, h3 = *pool(2), new("h3")

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.install_ca_certificate", "pool.pem", OTHER)
            await trust(h1, False, LEAF, "ldaps")
            await h3.ask("pool.install_ca_certificate", "mine.pem", CA)
            await trust(h3, False, LEAF, "ldaps")
            await h3.ask("pool.crl_install", "root.pem", CRL)
            plan = json.loads(await h3.ask("pooltrust.get_join_plan", h1.config.address))
            assert plan["order"][-1]["steps"] == ["the pool trusts what h3 did: mine.pem"]
            await h3.join(h1)
            await settled(*hosts)
            for host in hosts:
                assert await rows(host) == [
                    ("ca", "mine.pem", [], str(thumbprint(CA))),
                    ("ca", "pool.pem", [], str(thumbprint(OTHER))),
                    ("pinned", "", ["ldaps"], str(thumbprint(LEAF))),
                ]
                assert await host.ask("pool.crl_list") == ["root.pem"]
            assert not h3.folder.brought.exists()
            last = (await h1.ask("pooltrust.get_log", h1.roster.number - 1))[0]
            assert (last["by"], last["call"]) == ("h3", "pool.join")

    run(story())


def test_a_conflict_is_in_the_plan_and_stops_the_join(pool: Pool, new: New) -> None:
    hosts = h1, h2 = *pool(1), new("h2")

    async def story() -> None:
        async with running(*hosts):
            for host, ca in ((h1, CA), (h2, OTHER)):
                await host.ask("pool.install_ca_certificate", "ca.pem", ca)
            await trust(h1, False, LEAF, "ldaps")
            await trust(h2, False, LEAF, "ldaps", "licensing")
            before = tree(h1), tree(h2)
            plan = json.loads(await h2.ask("pooltrust.get_join_plan", h1.config.address))
            trusted, names = (blocker["words"] for blocker in plan["blockers"])
            assert "ca.pem" in names and "different purposes" in trusted
            pinned = [ref for ref, one in (await h2.ask("Certificate.get_all_records")).items()
                      if one["type"] == "pinned"]  # fmt: skip
            with pytest.raises(Reported) as why:
                await h2.join(h1)
            code = "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT"
            assert [why.value.code, *why.value.parameters()] == [code, *pinned, *pinned]
            assert "different authorities by one name: ca.pem" in str(why.value)
            assert (tree(h1), tree(h2)) == before

    run(story())


def test_of_names_alone_each_is_a_parameter(pool: Pool, new: New) -> None:
    hosts = h1, h2 = *pool(1), new("h2")

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.install_ca_certificate", "a.pem", CA)
            await h1.ask("pool.install_ca_certificate", "b.pem", OTHER)
            await h2.ask("pool.install_ca_certificate", "b.pem", CA)
            code = "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT"
            assert await refused(h2.join(h1)) == [code, "b.pem"]

    run(story())


def test_what_is_owed_to_the_pool_is_paid_after_a_restart(
    pool: Pool, new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = h1, h2 = *pool(1), new("h2")

    async def story() -> None:
        async with running(*hosts):
            await h2.ask("pool.install_ca_certificate", "ca.pem", CA)
            await h2.ask("pool.crl_install", "root.pem", CRL)

            async def deaf(*_: object, **__: object) -> None:
                raise CannotContactHost("h1", why="it is deaf")

            h2.daemon.bringing._peers = type("Peers", (), {"call_verified": deaf})()  # type: ignore[assignment]
            await h2.join(h1)
            assert h2.folder.brought.exists() and not h1.roster.anchors
            await h2.restart()
            await until(lambda: not h2.folder.brought.exists())
            await settled(*hosts)
            assert [one.name for one in h2.roster.anchors.values()] == ["ca.pem"]
            assert await h1.ask("pool.crl_list") == ["root.pem"]

    run(story())


def test_a_host_that_is_ejected_takes_nothing_of_the_pool_with_it(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            await h1.ask("pool.crl_install", "root.pem", CRL)
            await settled(*hosts)
            await h1.ask("pool.eject", await h1.ask("host.get_by_uuid", h2.me))
            await until(lambda: len(h2.roster.members) == 1 and h2.me in h2.roster.members)
            assert not h2.roster.anchors and not h2.daemon.store.rows("crl")
            assert await rows(h2) == []

    run(story())
