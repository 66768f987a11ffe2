"""A host whose address changed tells its pool by itself, and is found; an address is never believed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from daemons import Host, run, running, until
from operations.peace import peace
from pooltrust.errors import CannotVerify
from pooltrust.host.obeying.whereabouts import Whereabouts, Word
from pooltrust.host.peers import wire
from pooltrust.trust.entries import KINDS, AddressChanged, KindsDeclared

Pool = Callable[..., tuple[Host, ...]]


def moved(host: Host, address: str) -> Host:
    """The same host, with another address in its configuration and on its network."""
    return host.configured(address=address, listen=address)


def addresses(host: Host) -> set[str]:
    return {member.address for member in host.roster.members.values()}


async def told(hosts: Iterable[Host], address: str) -> None:
    await until(lambda: all(address in addresses(host) for host in hosts))


@pytest.mark.parametrize("index", [0, 2], ids=["the coordinator", "a supporter"])
def test_a_host_that_moved_is_found_at_its_new_address_by_all(pool: Pool, index: int) -> None:
    hosts = list(pool(3))
    hosts[index] = there = moved(hosts[index], "127.0.7.9")

    async def story() -> None:
        async with running(*hosts):
            await told(hosts, "127.0.7.9")
            await peace(*hosts)
            for host in hosts:
                assert all(one.verified for one in await host.daemon.prober.probe_all())
            (line,) = there.lines("address-changed")
            assert "xe host-reset-server-certificate" in line.facts["cure"]

    run(story())


def test_two_hosts_that_changed_places_are_each_found_at_the_other_s(pool: Pool) -> None:
    h1, h2, h3 = pool(3)
    hosts = h1, moved(h2, h3.config.address), moved(h3, h2.config.address)

    async def story() -> None:
        async with running(*hosts):
            await until(lambda: all(addresses_by_host(host) == wanted for host in hosts), 20.0)
            await peace(*hosts)

    wanted = {host.config.name: host.config.address for host in hosts}
    run(story())


def addresses_by_host(host: Host) -> dict[str, str]:
    return {member.name: member.address for member in host.roster.members.values()}


def test_what_did_not_change_is_not_told(pool: Pool) -> None:
    hosts = pool(2)

    async def story() -> None:
        async with running(*hosts):
            before = hosts[0].roster.number
            await peace(*hosts)
            for host in hosts:
                host.daemon.whereabouts.heard()
                await asyncio.sleep(0)
            assert hosts[0].roster.number == before + 1  # the one that peace writes

    run(story())


def test_two_machines_with_one_identity_do_not_write_about_it_for_ever(pool: Pool) -> None:
    h1, h2 = pool(2)
    written = list[Word]()

    class Registrar:
        async def register(self, body: Word, by: str, call: str) -> None:
            written.append(body)

    async def story() -> None:
        async with running(h1, h2):
            belief, journal = h2.daemon.belief, h2.daemon.journal
            other = Whereabouts(belief, "127.0.7.9", Registrar(), journal)
            for _ in range(3):
                other.heard()
                await asyncio.sleep(0.01)  # the log still says what the first machine said
            await other.close()
            assert written == [AddressChanged(h2.me, "127.0.7.9")]

    run(story())


def test_a_whole_pool_that_moved_is_led_back_by_the_coordinator_s_new_address(pool: Pool) -> None:
    hosts = [
        moved(host, f"127.0.7.{number}") for host, number in zip(pool(3), (8, 9, 5), strict=True)
    ]
    h1, *others = hosts

    async def story() -> None:
        async with running(*hosts):
            for host in others:
                await host.ask("pool.emergency_reset_master", h1.config.address)
            for host in hosts:
                await told(hosts, host.config.address)
            await peace(*hosts)

    run(story())


def test_an_upgraded_host_declares_what_it_can_read(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = pool(2)
    release = frozenset({*KINDS, "moon-observed"})

    async def story() -> None:
        monkeypatch.setattr("pooltrust.host.obeying.whereabouts.KINDS", release)
        async with running(h1, h2):
            await until(
                lambda: all("moon-observed" in one.kinds for one in h1.roster.members.values())
            )
            await peace(h1, h2)

    run(story())


@pytest.mark.parametrize("kind", [AddressChanged, KindsDeclared])
def test_no_host_speaks_for_another(pool: Pool, kind: type[AddressChanged | KindsDeclared]) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            before = h1.roster.number
            value = "127.0.7.9" if kind is AddressChanged else tuple(sorted(KINDS))
            frame: wire.Frame = {"body": kind(h3.me, value).record(), "by": "root", "by_call": "x"}  # type: ignore[arg-type]
            with pytest.raises(CannotVerify, match="a host speaks for itself only"):
                await h1.daemon.registering.take(kind, h2.me, frame)
            assert h1.roster.number == before

    run(story())
