"""A host that is killed while it leaves is still dismissed, or its own pool, and ends as that."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

import soak
from crashing import Camera, Disk
from daemons import Host, run, running, until
from pooltrust.host.leaving import leaving as departing
from pooltrust.host.leaving.staging import Departure
from pooltrust.trust.store import verify_log

from .stage import Pool, dismiss, leaving, left_in_files, shown, spellings


async def ejected(h1: Host, h2: Host) -> tuple[bytes, ...]:
    """Have h1 dismiss h2 and h2 learn of it; returns what must not be left at h2."""
    wanted = tuple(spellings((shown(h1), shown(h2))))
    await dismiss(h1, h2.me)
    await h2.daemon.scribe.adopt(h1.daemon.belief.log.story_of(shown(h2)), source=h1.me)
    return wanted


def test_killed_at_any_moment_it_is_dismissed_or_its_own_pool(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = pool(2)
    (tmp_path / "seen").mkdir()

    async def watched() -> tuple[Camera, tuple[bytes, ...]]:
        with monkeypatch.context() as patch:
            camera = Camera(patch, h2.config.folder, tmp_path / "seen")
            async with running(h1, h2):
                camera.on = True
                wanted = await ejected(h1, h2)
                await until(lambda: h2.lines("own-pool-founded") and not leaving(h2))
                camera.on = False
        return camera, wanted

    async def started_again(copy: Host, wanted: tuple[bytes, ...]) -> str:
        member = verify_log(copy.folder.log).roster.members
        staged = Departure(copy.folder).pending()
        async with running(copy):
            if len(member) == 2:
                assert staged is None
                return "a member"  # killed before the dismissal was stored
            await until(lambda: list(copy.roster.members) == [copy.me] and not leaving(copy))
            assert copy.roster.coordinator == copy.me
            assert copy.roster.verification
            assert copy.daemon.accounts.names() == []
            assert left_in_files(copy.config.folder, wanted) == []
            assert len(copy.folder.identity_files("pool")) == 1
            assert len(copy.folder.identity_files("server")) == 1
            return "its own pool" if staged or copy.me in member else "dismissed"

    camera, wanted = run(watched())
    ends = []
    for folder in camera:
        copy = h2.configured(folder=folder, socket=folder / "pooltrust.sock")
        ends.append(run(started_again(copy, wanted)))
    assert len(ends) > 20
    assert "dismissed" in ends and "its own pool" in ends


@pytest.mark.parametrize(
    "code, restart",
    soak.sample(
        [(code, restart) for code in (errno.ENOSPC, errno.EIO) for restart in (True, False)],
        1,
        "departures",
    ),
)
def test_a_disk_that_fails_delays_it_and_no_more(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, restart: bool
) -> None:
    monkeypatch.setattr(departing, "RETRY_SECONDS", 0.02)
    h1, first = pool(2)
    copies = [first.copied(tmp_path / f"copy-{number}") for number in range(100)]

    async def story(h2: Host, number: int) -> bool:
        with monkeypatch.context() as patch:
            disk = Disk(patch, number, code)
            try:
                await h2.start()
                before = h2.roster.head
                await dismiss(h1, h2.me) if len(h1.roster.members) > 1 else None
                told = h1.daemon.belief.log.story_of(shown(h2))
                wanted = tuple(spellings((shown(h1), shown(h2))))
                await h2.daemon.scribe.adopt(told, source=h1.me)
                assert h2.roster.head != before
                disk.on = True
                await until(lambda: h2.lines("leaving-failed") or h2.lines("own-pool-founded"))
                if restart:
                    await h2.stop()
                disk.repaired = True
                if restart:
                    await h2.start()
                await until(lambda: len(h2.roster.members) == 1 and h2.me in h2.roster.members)
                await until(lambda: not leaving(h2))
                assert left_in_files(h2.config.folder, wanted) == []
                await h2.restart()
                assert not leaving(h2)
                assert list(h2.roster.members) == [h2.me]
                return disk.failed
            finally:
                await h2.stop()

    async def every() -> int:
        async with running(h1):
            for number, copy in enumerate(copies, 1):
                if not await story(copy, number):
                    return number
        return 0

    assert run(every(), seconds=120) > 15
