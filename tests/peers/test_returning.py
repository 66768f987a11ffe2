"""A host that was away comes back by itself, whatever was refreshed, and learns of its dismissal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemons import Host, alike, run, running, until
from leaving.stage import shown
from peers.stage import Puppet
from pooltrust.errors import CannotVerify, Failure, Unreachable
from pooltrust.host.meeting import story as told
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import open_frames
from pooltrust.trust.entries import CertificateAccepted, CertificateWithdrawn, HostDismissed
from pooltrust.trust.expect import Anyone
from pooltrust.trust.store import write_identity
from pooltrust.trust.transcript import certificate_request
from takeover.offers import signed
from takeover.stage import leads, spread, take_over

Pool = Callable[..., tuple[Host, ...]]


async def refresh(host: Host, coordinator: Host) -> None:
    """Give this host a new pool identity, as an administrator orders it."""
    await coordinator.daemon.refreshing.refresh(host.me, by="root", call="test")


def test_a_host_that_was_off_while_all_others_were_refreshed_is_back_within_seconds(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2):
            for _ in range(3):
                await refresh(h1, h1)
                await refresh(h2, h1)
            async with running(h3):
                await until(lambda: alike(h1, h3), seconds=5.0)
                await until(lambda: h3.daemon.sightings.current(h3.daemon.peers._clock()))
                assert all(one.verified for one in await h3.daemon.prober.probe_all())

    run(story())


async def refresh_often(coordinator: Host, *others: Host, times: int) -> None:
    """What so many refreshes of each of these hosts, which do not run, leave in their folders."""
    first = await Puppet.of(coordinator)
    log, me = first.belief.log, first.me
    keys = {me: first.belief.identities.pool.identity}
    for host in others:
        puppet = await Puppet.of(host)
        keys[puppet.me] = puppet.belief.identities.pool.identity
    for host_id in [*keys] * times:
        old, new = keys[host_id], mint_pool_identity(host_id, datetime.now(UTC))
        replaces, der = old.certificate.thumbprint, new.certificate.der
        asked = certificate_request(log.pool, host_id, der, replaces)
        accept = CertificateAccepted(host_id, der, replaces, old.sign(asked), new.sign(asked))
        log = log.extended(signed(first, accept, log.at(log.head_number), key=keys[me]))
        keys[host_id] = new
        gone = CertificateWithdrawn(host_id, replaces, "refresh")
        log = log.extended(signed(first, gone, log.at(log.head_number), key=keys[me]))
    for host, key in zip((coordinator, *others), keys.values(), strict=True):
        for path in host.folder.identity_files("pool"):
            path.unlink()
        write_identity(host.folder.identity("pool", key.certificate.thumbprint), key)
        host.folder.log.write_bytes(b"".join(one.line() for one in log.entries))


def test_after_fifty_refreshes_of_all_other_hosts_it_is_back_within_five_seconds(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        await refresh_often(h1, h2, times=50)
        async with running(h1, h2, h3):
            await until(lambda: alike(h1, h3) and h3.daemon.peers.current, seconds=5.0)
            assert h3.roster.number == 3 + 2 * 100
            assert all(one.verified for one in await h3.daemon.prober.probe_all())
            assert not h3.lines("story-cut-short")

    run(story())


def test_it_comes_back_to_whoever_leads_by_now_when_nobody_has_the_key_that_it_knows(
    pool: Pool,
) -> None:
    """A planned change of coordinator, a takeover after a loss, and everybody refreshed."""
    h1, h2, h3, h4, h5 = hosts = pool(5)

    async def story() -> None:
        async with running(*hosts):
            await until(lambda: all(alike(h1, host) for host in hosts[1:]))
            known = {one.thumbprint for one in h5.roster.certificates()}
            await h5.stop()
            there = (h1, h2, h3, h4)
            for host in there:
                await refresh(host, h1)
            await h1.ask("pool.designate_new_master", await h1.ask("host.get_by_uuid", h2.me))
            await until(lambda: leads(h2, h1, h3, h4))
            await h2.stop()
            await take_over(h3)
            await spread(h3)
            await until(lambda: leads(h3, h1, h4))
            for host in (h1, h3, h4):
                await refresh(host, h3)
            assert not known & {shown(host).thumbprint for host in (h1, h3, h4)}
            await h5.start()
            await until(lambda: alike(h3, h5) and h5.daemon.peers.current, seconds=5.0)
            assert leads(h3, h5)
            seen = {one.host: one.verified for one in await h5.daemon.prober.probe_all()}
            assert [seen[host.me] for host in (h1, h3, h4, h5)] == [True] * 4

    run(story(), 60)


def test_it_hears_from_any_member_what_it_missed_while_the_coordinator_is_away(
    pool: Pool,
) -> None:
    h1, h2, h3, h4 = pool(4)

    async def story() -> None:
        async with running(h1, h2, h3):
            for host in (h1, h2, h3):
                await refresh(host, h1)
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            await h1.stop()
            async with running(h4):
                await until(lambda: h4.roster.head == h2.roster.head, seconds=5.0)
                await until(lambda: h4.daemon.peers.current)  # three of four say the same

    run(story())


def test_who_hears_of_the_same_entries_twice_at_once_accuses_nobody(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2):
            await refresh(h2, h1)
            async with running(h3):
                peers = h3.daemon.peers
                await asyncio.gather(*(peers.look(h1.me) for _ in range(4)))
                assert h3.roster.head == h1.roster.head
                assert not h3.lines("log-cut-short")

    run(story())


def test_a_host_that_was_dismissed_meanwhile_learns_it_from_the_log_and_nothing_later(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h3):
            gone = h3.me
        async with running(h1, h2):
            await h1.daemon.scribe.append(HostDismissed(gone, "sold"), by="root", call="test")
            await refresh(h1, h1)
            async with running(h3):
                await until(lambda: h3.lines("dismissed"), seconds=5.0)
                assert gone not in h3.roster.members
                last = h3.daemon.belief.log.at(h3.roster.number).entry.body
                assert last == HostDismissed(gone, "sold")
                assert h3.roster.number < h1.roster.number

    run(story())


def test_a_current_host_that_missed_its_dismissal_asks_whoever_refuses_it(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await h3.daemon.peers.become_current()
            pooled, gone = h1.roster.pool, HostDismissed(h3.me, "sold")
            await h1.daemon.scribe.append(gone, by="root", call="test")
            assert h3.daemon.peers.current and h3.roster.pool == pooled  # nobody told it
            assert not await h3.daemon.peers.look(h1.me)
            await until(lambda: h3.roster.pool != pooled)

    run(story())


def test_who_never_was_a_member_is_told_nothing(pool: Pool, tmp_path: Path) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            roster = h1.roster
            member = roster.members[h1.me]
            stranger = mint_pool_identity(h1.me, datetime.now(UTC))
            for identity in (stranger, None):
                connection = await dial(
                    member.address,
                    roster.port,
                    expect=Anyone(because="a test"),
                    name="pool-join",
                    source="127.0.7.8",
                )
                try:
                    frames = open_frames(connection)
                    nonce = told.wire.nonce(await told._ask(frames, {"call": "knock"}))
                    of = identity.certificate if identity else member.certificates[-1]
                    said = told._request(roster.pool, of, connection.met, nonce)
                    signature = stranger.sign(said)  # of another's certificate the second time
                    with pytest.raises(Failure) as refused:
                        await told._ask(
                            frames,
                            {
                                "call": "story",
                                "after": 0,
                                "certificate": told.wire.b64(of.der),
                                "signature": told.wire.b64(signature),
                            },
                        )
                    assert refused.value.code == CannotVerify.code
                    assert "no key that this pool has ever accepted" in str(refused.value)
                finally:
                    await connection.close()

    run(story())


def test_a_coordinator_that_has_lost_its_pool_vouches_for_nobody(pool: Pool) -> None:
    """The others may have dismissed somebody since; whoever is on its side waits for them."""
    h1, h2, h3, _, _ = pool(5)

    async def story() -> None:
        async with running(h1, h2, later=(h3,)):
            await until(lambda: h2.daemon.sightings.fits(h1.me))
            with pytest.raises(Unreachable):
                await h2.daemon.peers.become_current()
            assert not h1.daemon.peers.current
            await h3.start()
            await until(lambda: h1.daemon.peers.current and h2.daemon.peers.current)

    run(story())


def test_with_half_of_the_members_there_a_coordinator_refreshes_one(pool: Pool) -> None:
    h1, h2, _, _ = pool(4)

    async def story() -> None:
        async with running(h1, h2):
            await until(lambda: h1.daemon.peers.current and h2.daemon.peers.current)
            before = h2.daemon.keys.serves
            await refresh(h2, h1)
            assert h2.daemon.keys.serves != before

    run(story())
