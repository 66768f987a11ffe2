"""Installing and resetting what clients meet: only those who met the old one are disconnected."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from daemons import Host, run, running, until
from operations.stage import Pool, ref, settled
from pki.offered.stage import Maker, key_text, made, private
from pooltrust.command.client import Reported
from pooltrust.terms import Thumbprint

DATES = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=90)
ROOT, MIDDLE = Maker.named("root"), Maker.named("middle")


def offered(host: Host) -> tuple[str, str, str]:
    names = (host.config.name, host.config.address)
    leaf = made("h", private("rsa-2048"), MIDDLE, names=names, dates=DATES)
    chain = made("middle", MIDDLE.key, ROOT, ca=True, names=(), dates=DATES)
    return leaf, key_text("rsa-2048"), chain


async def met(host: Host) -> Thumbprint:
    """What a client meets there now."""
    _, writer = await connected(host)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return Thumbprint.of(shown)


async def connected(host: Host) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection(host.config.listen, host.config.port, ssl=context)


def server_files(host: Host) -> list[str]:
    return [path.name for path in host.folder.identity_files("server")]


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_what_is_installed_is_met_by_the_next_client_and_told_to_the_pool(
    pool: Pool, asked: int
) -> None:
    hosts = _, h2, _ = pool(3)

    async def story() -> None:
        async with running(*hosts):
            leaf, key, chain = offered(h2)
            asker = hosts[asked]
            call = "host.install_server_certificate"
            await asker.ask(call, await ref(asker, h2), leaf, key, chain)
            await settled(*hosts)
            thumbprint = await met(h2)
            assert [host.roster.members[h2.me].server.thumbprint for host in hosts] == [
                thumbprint
            ] * 3
            assert await asker.ask("host.get_server_certificate", await ref(asker, h2)) == leaf
            assert server_files(h2) == [f"server-{thumbprint.digest.hex()}.pem"]
            await h2.restart()
            assert await met(h2) == thumbprint

    run(story())


def test_a_reset_disconnects_clients_of_the_old_identity_and_nobody_else(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            old, key = await met(h2), server_files(h2)
            idle, _writer = await connected(h2)
            async with h1.daemon.peers.link(h2.me) as link:
                await h1.ask("host.reset_server_certificate", await ref(h1, h2))
                assert await asyncio.wait_for(idle.read(), 5) == b""
                await link.ask("report")  # members talk on
            assert await met(h2) != old
            assert not set(server_files(h2)) & set(key)
            assert h2.daemon.belief.identities.server.identity.certificate.self_signed

    run(story())


def test_names_that_it_does_not_cover_are_said_and_it_is_installed(pool: Pool) -> None:
    (h1,) = pool(1)

    async def story() -> None:
        async with running(h1):
            leaf = made("h", private("p256"), None, names=("other.example",), dates=DATES)
            call = "pooltrust.install_server_certificate"
            said = await h1.ask(call, await ref(h1, h1), leaf, key_text("p256"))
            assert said[0] == str(await met(h1))
            assert h1.config.name in said[1] and h1.config.address in said[1]
            assert said[2] == "The key is P-256: the original xe connects to RSA keys only."
            assert len(h1.lines("server-identity-installed")) == len(said) - 1 == 2

    run(story())


def test_in_an_emergency_it_is_reset_without_the_pool_which_hears_of_it_later(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h2, later=[h1]):
            old, files = await met(h2), server_files(h2)
            with pytest.raises(Reported):
                await h2.ask("host.reset_server_certificate", await ref(h2, h2))
            assert server_files(h2) == files
            await h2.ask("host.emergency_reset_server_certificate")
            new = await met(h2)
            assert new != old
            assert len(server_files(h2)) == 1
            await h2.restart()
            assert await met(h2) == new
            await h1.start()
            await until(lambda: h1.roster.members[h2.me].server.thumbprint == new, 45)

    run(story(), 60)


def test_a_host_that_was_killed_before_it_served_it_does_so_after_its_start(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):

            async def killed(_identity: object) -> None:
                raise OSError("killed")

            h2.daemon.server_identity._serve = killed  # type: ignore[method-assign]
            with pytest.raises(Reported):
                await h1.ask("host.install_server_certificate", await ref(h1, h2), *offered(h2))
            said = h1.roster.members[h2.me].server.thumbprint
            assert await met(h2) != said
            await h2.restart()
            assert await met(h2) == said
            await until(lambda: len(server_files(h2)) == 1)

    run(story())
