"""An ejected host founds its own pool and keeps nothing of the one that it was in."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from pathlib import Path

import pytest

from certificates.test_trust import CA, CRL
from daemons import Host, alike, run, running, tree, until
from pooltrust.command.client import Reported
from pooltrust.pki.certificate import Certificate, read_pem
from pooltrust.pki.identity import Identity
from pooltrust.trust.entries import Founded

from .stage import (
    Pool,
    dismiss,
    eject,
    keys,
    leaving,
    left_in_belief,
    left_in_files,
    left_in_records,
    shown,
    spellings,
)


def server(host: Host) -> Certificate:
    return host.daemon.belief.identities.server.identity.certificate


@pytest.mark.parametrize("verification", [True, False])
def test_it_is_a_pool_of_one_with_a_new_identity_and_the_setting_it_had(
    pool: Pool, verification: bool
) -> None:
    """The pool's at that moment, not the one in its configuration."""
    h1, h2 = pool(2, verification_at_founding=False)

    async def story() -> None:
        async with running(h1, h2):
            me, old_pool, old_server = h2.me, shown(h2), server(h2)
            left = h2.roster.pool
            if verification:
                await h1.ask("pool.enable_tls_verification")
            await eject(h1, h2)
            assert list(h2.roster.members) == [me] == [h2.roster.coordinator]
            assert h2.roster.verification is verification
            assert h2.roster.pool != left and h2.roster.number == 1
            assert h2.roster.port == h1.roster.port
            assert shown(h2) != old_pool and server(h2) != old_server
            member = h2.roster.members[me]
            assert member.certificates == (shown(h2),) and member.server == server(h2)
            assert isinstance(h2.daemon.belief.log.at(1).entry.body, Founded)
            (line,) = h2.lines("own-pool-founded")
            assert "its accounts are gone" in line.facts["words"]
            assert "xe user-password-change" in line.facts["cure"]
            before = h2.roster
            await h2.restart()
            assert h2.roster.head == before.head
            assert h2.daemon.accounts.names() == []
            assert h2.lines("own-pool-founded") == [line]

    run(story())


def test_nothing_of_either_is_left_with_the_other(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            gone = (shown(h2), server(h2))
            stay = (shown(h1), server(h1), shown(h3), server(h3))
            old = [h2.daemon.belief.identities.pool.identity]
            old.append(h2.daemon.belief.identities.server.identity)
            verifier = next(
                value.encode()
                for value in h2.daemon.store.rows("accounts")["root"].values()
                if isinstance(value, str) and len(value) > 20
            )
            assert left_in_files(h2.config.folder, [verifier]) != []
            (h2.config.folder / "trust.log.evidence").write_bytes(h2.folder.log.read_bytes())
            (h2.config.folder / "trust.log.torn").write_bytes(b"half an entry")
            (h2.config.folder / ".brought.json.new").write_bytes(h2.folder.log.read_bytes())
            (h2.config.folder / ".emergency.json.new").write_bytes(h2.folder.log.read_bytes())
            (h2.config.folder / "trust.log.1-1").write_bytes(h2.folder.log.read_bytes())
            await eject(h1, h2)
            await until(lambda: alike(h1, h3))
            for host in (h1, h3):
                wanted = tuple(spellings(gone))
                assert left_in_belief(host, gone) == []
                await until(lambda host=host: h2.me.encode() not in host.folder.heads.read_bytes())
                assert left_in_files(host.config.folder, wanted, "trust.log") == []
                assert left_in_records(host.config.folder, wanted) == []
            wanted = (*spellings(stay), *spellings(gone), *keys(old), verifier)
            assert left_in_belief(h2, (*stay, *gone)) == []
            assert left_in_files(h2.config.folder, wanted) == []
            assert left_in_files(h2.config.folder, [h1.roster.pool.encode()]) == []
            assert left_in_records(h2.config.folder, wanted) == []
            names = {path.name for path in h2.config.folder.iterdir()}
            assert not names & {"joining", "leaving", "trust.log.evidence", "trust.log.torn"}

    run(story())


def test_what_the_pool_trusted_and_kept_secret_is_gone_from_it_too(pool: Pool) -> None:
    """Anchors, revocations and secrets, wherever they were: log, records, contexts, files."""
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await h1.ask("pool.install_ca_certificate", "ca.pem", CA)
            await h1.ask("pool.crl_install", "root.pem", CRL)
            await h1.ask("secret.create", {"value": "a-heron-stands-alone", "other_config": {}})
            await until(lambda: alike(h1, h2))
            [anchor] = read_pem(CA)
            revoked = b64decode("".join(CRL.splitlines()[1:-1]))
            wanted = (
                *spellings([anchor]),
                *(revoked, revoked.hex().encode(), CRL.splitlines()[2].encode()),
                b"a-heron-stands-alone",
            )
            assert left_in_belief(h2, [anchor]) == ["anchors"]
            assert left_in_files(h2.config.folder, [wanted[-2]]) != []
            assert left_in_files(h2.config.folder, [wanted[-1]]) != []
            await eject(h1, h2)
            assert left_in_belief(h2, [anchor]) == []
            assert left_in_files(h2.config.folder, wanted) == []
            assert left_in_records(h2.config.folder, wanted) == []
            assert await h2.ask("pool.certificate_list") == []
            assert await h2.ask("pool.crl_list") == []
            assert await h2.ask("secret.get_all") == []
            assert h1.roster.anchors  # what it left keeps its own

    run(story())


def test_it_learns_of_it_when_it_comes_back_and_may_join_again_with_another_identity(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h2):
            me, old = h2.me, shown(h2)
        async with running(h1, h3, later=[h2]):
            await dismiss(h1, me)
            await h2.start()
            await until(lambda: h2.lines("own-pool-founded") and not leaving(h2), seconds=10)
            alone = shown(h2)
            await h2.join_with(await h1.code())
            await until(lambda: alike(h1, h2))
            assert h2.me == me
            assert len({old, alone, shown(h2)}) == 3
            assert h1.roster.members[me].certificates == (shown(h2),)

    run(story())


def test_a_host_that_has_no_pool_at_the_moment_says_so(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            before = tree(h2)
            monkeypatch.setattr(h2.daemon.leaving, "_begin", lambda: None)
            await dismiss(h1, h2.me)
            story = h1.daemon.belief.log.story_of(shown(h2))
            await h2.daemon.scribe.adopt(story, source=h1.me)
            with pytest.raises(Reported) as why:
                await h2.join(h1)
            assert why.value.code == "HOST_WAS_EJECTED"
            with pytest.raises(Reported) as why:
                await h1.join(h2)
            assert why.value.code == "HOST_WAS_EJECTED"
            assert before.keys() == tree(h2).keys()
            monkeypatch.undo()
            await h2.restart()
            await until(lambda: h2.lines("own-pool-founded") and not leaving(h2))

    run(story())


def test_a_host_that_is_dismissed_while_it_owes_its_server_identity_owes_nothing_more(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            identity = h2.daemon.server_identity
            keep, said = identity._keep, shown(h1).thumbprint

            async def kept(new: Identity) -> None:
                monkeypatch.setattr(identity, "_keep", keep)
                await keep(new)
                await dismiss(h1, h2.me)
                story = h1.daemon.belief.log.story_of(shown(h2))
                await h2.daemon.scribe.adopt(story, source=h1.me)
                assert h2.me not in h2.roster.members

            monkeypatch.setattr(h2.daemon.leaving, "_begin", lambda: None)
            monkeypatch.setattr(identity, "_keep", kept)
            monkeypatch.setattr(identity, "_said", lambda: said)
            await identity._settle()
            reasons = [line.facts["reason"] for line in h2.lines("server-identity")]
            assert reasons == ["HOST_WAS_EJECTED"]

    run(story())


def test_the_records_are_gone_from_the_bytes_of_their_file(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await eject(h1, h2)
            with sqlite3.connect(h2.folder.database) as database:
                assert list(database.execute("SELECT * FROM record")) == []
            size = sum(path.stat().st_size for path in h2.config.folder.glob("records.db*"))
            assert size < 64 * 1024
            assert Path(f"{h2.folder.database}-wal").stat().st_size == 0

    run(story())


def test_learning_twice_is_once(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            told = h1.daemon.belief.log.story_of(shown(h2))
            await eject(h1, h2)
            head = h2.roster.head
            await h2.daemon.scribe.adopt(told, source=h1.me)
            assert h2.roster.head == head
            assert len(h2.lines("own-pool-founded")) == 1

    run(story())
