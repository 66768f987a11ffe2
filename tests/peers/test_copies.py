"""A host that was restored from a copy, or cloned, is noticed, knows it, and signs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from daemons import Host, alike, run, running, until
from leaving.stage import dismiss
from peers.test_appending import append
from peers.test_returning import refresh
from pooltrust.errors import MayNotEndorse, OperationSuspended
from pooltrust.host.takeover.collecting import TooFewEndorse
from pooltrust.host.telling import testimony
from pooltrust.host.telling.witness import IsCopy
from takeover.stage import leads, refusal, spread, take_over

Pool = Callable[..., tuple[Host, ...]]
PASSWORD = "four-newts-in-the-reeds"


def restore(host: Host, copy: Path) -> None:
    """Put the state folder of a host that does not run back to what it was."""
    shutil.rmtree(host.config.folder)
    shutil.copytree(copy, host.config.folder)


def copied(host: Host) -> list[tuple[str, str]]:
    """Whom this host takes for a copy, and why."""
    return [(one.host, one.why) for one in host.daemon.witness.copies]


def test_a_coordinator_restored_from_ten_changes_ago_takes_what_it_lacks_and_signs_nothing(
    pool: Pool, tmp_path: Path
) -> None:
    h1, h2, h3 = pool(3)
    shutil.copytree(h1.config.folder, tmp_path / "old")

    async def story() -> None:
        async with running(h1, h2, h3):
            for _ in range(10):
                kept = await append(h1, h1.config.address)
            await h1.daemon.accounts.set_password("olive", PASSWORD)
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            me, revision = h1.me, h2.daemon.store.revision
            await h1.stop()
            restore(h1, tmp_path / "old")
            await h1.start()
            await until(lambda: h1.daemon.belief.log.hash_at(kept.entry.number) == kept.hash)
            before = h1.roster.head
            why = await refusal(append(h1, h1.config.address))
            assert isinstance(why, IsCopy)
            for words in ("was restored from a copy", "xe pool-emergency-transition-to-master"):
                assert words in str(why)
            assert isinstance(await refusal(h1.daemon.accounts.set_password("eve", "x")), IsCopy)
            assert h1.roster.head == before
            # Its older records overwrite nobody's.
            for host in (h2, h3):
                await until(lambda host=host: copied(host))
                assert [one for one, _ in copied(host)] == [me]
                assert host.lines("host-copied")
                assert host.daemon.store.revision == revision
                assert host.daemon.accounts.names() == ["olive", "root"]
            # Nothing of this is forgotten by a restart.
            await h1.restart()
            assert isinstance(await refusal(append(h1, h1.config.address)), IsCopy)
            # It is as good as lost: another one leads, and gives it a new key.
            await take_over(h2)
            await spread(h2)
            await until(lambda: leads(h2, h1, h3))
            await until(lambda: alike(h2, h1))
            assert h1.daemon.accounts.names() == ["olive", "root"]
            await refresh(h1, h2)
            await until(lambda: not any(copied(host) for host in (h1, h2, h3)))
            await h1.restart()
            assert h1.daemon.witness.own is None

    run(story())


def test_a_restored_coordinator_that_nobody_remembers_knows_it_by_its_own_entries(
    pool: Pool, tmp_path: Path
) -> None:
    h1, h2, h3 = pool(3)
    shutil.copytree(h1.config.folder, tmp_path / "old")

    async def story() -> None:
        async with running(h1, h2, h3):
            await append(h1, h1.config.address)
            await until(lambda: alike(h1, h2) and alike(h1, h3))
        restore(h1, tmp_path / "old")
        for host in (h2, h3):
            host.folder.heads.unlink()
        async with running(h2, h3, h1):
            why = await refusal(append(h1, h1.config.address))
            assert isinstance(why, IsCopy)
            assert "it signed entry 4 of the trust log and lacked it" in str(why)
            assert h1.lines("own-copy")
            assert [one for one, _ in copied(h1)] == [h1.me]
            for host in (h1, h2, h3):
                await host.restart()
            assert isinstance(await refusal(append(h1, h1.config.address)), IsCopy)

    run(story())


def test_a_restored_supporter_is_noticed_and_gives_no_vote_until_it_has_another_key(
    pool: Pool, tmp_path: Path
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await until(lambda: h1.daemon.witness.heard_of(h3.me))
            await h3.stop()
            shutil.copytree(h3.config.folder, tmp_path / "old")
            await h3.start()
            for _ in range(10):
                await append(h1, h1.config.address)
            await until(lambda: alike(h1, h3))
            await h1.daemon.peers.look(h3.me)
            me, number = h3.me, h3.daemon.belief.start.number
            await h3.stop()
            restore(h3, tmp_path / "old")
            h3.folder.start_file.write_text(h3.folder.start_file.read_text().replace(" 2", " 1"))
            # Those who noticed it may have been restarted meanwhile.
            await h1.restart()
            await h3.start()
            await until(lambda: copied(h1) and h3.daemon.witness.own)
            said = f"its start counter went back from {number} to {number - 1}"
            assert copied(h1) == [(me, said)] == copied(h3)
            await until(lambda: alike(h1, h3))
            await h1.stop()
            assert isinstance(await refusal(take_over(h3)), IsCopy)
            why = await refusal(take_over(h2))
            assert isinstance(why, TooFewEndorse)
            assert f"h3: {MayNotEndorse('it may have given its vote before')}"[:-1] in why.why
            await h1.start()
            with suppress(OperationSuspended):  # until h2's vote is free it takes nothing of h1
                await refresh(h3, h1)
            await until(lambda: not copied(h1) and not copied(h3), seconds=20)
            await until(lambda: alike(h1, h2))
            await h1.stop()
            await take_over(h2)

    run(story())


def test_two_hosts_with_one_folder_are_noticed_though_they_count_alike(
    pool: Pool, tmp_path: Path
) -> None:
    h1, h2, h3 = pool(3)
    twin = h3.copied(tmp_path / "twin").configured(
        listen="127.0.7.8", folder=tmp_path / "twin", socket=tmp_path / "twin" / "pooltrust.sock"
    )

    async def story() -> None:
        async with running(h1, h2, h3):
            await until(lambda: h1.daemon.witness.heard_of(h3.me))
            async with running(twin):
                assert twin.daemon.belief.start.number == h3.daemon.belief.start.number
                await until(lambda: copied(h1) and twin.daemon.witness.own)
                ((who, why),) = copied(h1)
                assert (who, why) == (h3.me, "two hosts are in their start 2")
                assert h3.daemon.witness.own is None
            # The one that is left counts on, and is believed.
            await h3.restart()
            await until(lambda: not copied(h1))

    run(story())


def test_a_clone_of_the_coordinator_writes_no_second_history(pool: Pool, tmp_path: Path) -> None:
    h1, h2, h3 = pool(3)
    twin = h1.copied(tmp_path / "twin").configured(
        listen="127.0.7.8", folder=tmp_path / "twin", socket=tmp_path / "twin" / "pooltrust.sock"
    )

    async def story() -> None:
        async with running(h1, h2, h3):
            await append(h1, h1.config.address)
            async with running(twin):
                assert isinstance(await refusal(append(twin, h1.config.address)), IsCopy)
                assert twin.daemon.belief.is_coordinator
                await append(h1, h1.config.address)
                await until(lambda: alike(h1, h2) and alike(h1, h3))
                for host in (h2, h3):
                    assert host.lines("log-forked") == []
                    await until(lambda host=host: copied(host))

    run(story())


def test_a_disk_that_took_no_dismissal_makes_no_copy_of_a_host(pool: Pool) -> None:
    """A dismissal counts although it could not be stored, so after a restart it is missing."""
    h1, h2, h3 = pool(3)
    before = h1.folder.log.read_bytes()

    async def story() -> None:
        async with running(h1, h2, h3):
            await dismiss(h1, h3.me)
            await until(lambda: h2.roster.head == h1.roster.head)
            await h1.stop()
            h1.folder.log.write_bytes(before)
            await h1.start()
            await append(h1, h1.config.address)
            assert h1.roster.number == 5
            assert h1.daemon.witness.own is None

    run(story())


def test_records_restored_from_a_copy_give_way_to_the_newer_ones_of_the_members(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)
    old = {path.name: path.read_bytes() for path in h1.config.folder.glob("records.db*")}

    async def story() -> None:
        async with running(h1, h2, h3):
            await h1.daemon.accounts.set_password("olive", PASSWORD)
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            revision = h1.daemon.store.revision
            await h1.stop()
            for path in h1.config.folder.glob("records.db*"):
                path.unlink()
            for name, data in old.items():
                (h1.config.folder / name).write_bytes(data)
            await h1.start()
            assert h1.daemon.store.revision < revision
            await until(lambda: h1.daemon.accounts.names() == ["olive", "root"])
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            assert h2.daemon.accounts.names() == ["olive", "root"]
            await h1.daemon.accounts.set_password("ada", PASSWORD)
            await until(lambda: alike(h1, h2) and alike(h1, h3))

    run(story())


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"heads": [{}]}', b"\xff", b"[" * 10**5])
def test_a_file_of_heads_that_cannot_be_read_is_as_good_as_none(
    tmp_path: Path, damage: bytes
) -> None:
    path = tmp_path / "heads"
    path.write_bytes(damage)
    assert testimony.read(path) == testimony.Kept(testimony.PoolId(""))
