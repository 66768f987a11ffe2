"""The disk of one host fails during an operation: it goes on by itself when that is repaired."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import soak
from crashing import OneDisk
from daemons import run, running
from pooltrust.command.client import NoDaemon, Reported
from pooltrust.host.operations import upkeep

from .scenes import SCENES, Hosts, Scene
from .stage import Pool, operations
from .test_crashes import begun, ended, hurried

MOST = {errno.ENOSPC: 23, errno.EIO: 30}
"""No operation changes more of one host's disk."""
AGAIN = 50


@dataclass(frozen=True)
class Case:
    """Whose disk fails at which change, how, and whether that host is restarted."""

    scene: Scene
    role: str
    number: int
    code: int
    restart: bool

    def __str__(self) -> str:
        words = f"{self.scene}-{self.role}-{self.number}-{errno.errorcode[self.code]}"
        return f"{words}-restarted" if self.restart else words


CASES = [
    Case(scene, role, number, code, restart=(number + position) % 2 == 0)
    for scene in SCENES
    for position, role in enumerate(scene.roles)
    for code, most in MOST.items()
    for number in range(1, most + 1)
]


@pytest.fixture(scope="module", autouse=True)
def survived() -> Iterator[Counter[str]]:
    """How many failures of each scene were survived, for the table of a soak."""
    counted: Counter[str] = Counter()
    yield counted
    for scene, count in counted.items():
        soak.record(f"{scene}, a disk failed", f"{count} survived")


FOUND = ("takeover-driver-3-ENOSPC", "takeover-driver-5-EIO")
"""One that was tried again by nobody, and one that was answered as done and never written down."""
DRAWN = soak.sample([case for case in CASES if str(case) not in FOUND], 8, "failures of a disk")


async def ordered_again(scene: Scene, hosts: Hosts) -> None:
    """Order it again, unless it goes on by itself: it was answered that nothing has changed."""
    running = [host for place, host in enumerate(hosts) if place != scene.lost]
    for _ in range(AGAIN):
        left = scene.leaves is not None and hosts[scene.leaves].me not in hosts[0].roster.members
        if left or any(host.daemon.desk.pending() for host in running):
            return
        try:
            await scene.order(hosts)
            return
        except Reported:  # after a restart it may take a moment until it can be ordered
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("case", [*(c for c in CASES if str(c) in FOUND), *DRAWN], ids=str)
def test_a_disk_that_fails_stops_it_with_words_and_it_goes_on_when_it_is_repaired(
    pool: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    survived: Counter[str],
    case: Case,
) -> None:
    monkeypatch.setattr(upkeep, "RETRIES", (0.1, 0.3))
    scene = case.scene
    hurried(monkeypatch, scene)
    hosts = pool(scene.size, **scene.settings)
    host = hosts[scene.roles[case.role]]
    disk = OneDisk(monkeypatch, host.config.folder, case.number, case.code)

    async def ordered() -> bool:
        """Whether it was answered as done; otherwise its words say whose disk it is."""
        try:
            await scene.order(hosts)
        except (Reported, NoDaemon) as why:
            if why.code == "OPERATION_SUSPENDED":
                assert host.config.name in str(why)
            return False
        return True

    async def story() -> None:
        async with running(*hosts):
            await begun(scene, hosts)
            disk.on = True
            done = await ordered()
            broken = host.daemon.belief._file.broken
            if case.restart:
                await host.stop()
            disk.repaired = True
            if case.restart:
                await host.start()
            elif broken:
                assert "restart" in broken
                assert case.code == errno.EIO
                await host.restart()
            if not done:
                await ordered_again(scene, hosts)
            await ended(scene, hosts, requested=not done)
            if done:
                leads = next(one for one in hosts if one.daemon.belief.is_coordinator)
                assert [one["state"] for one in await operations(leads)] == ["done"]

    run(story(), 200)
    if not disk.failed:
        pytest.skip("it changes fewer files")
    survived[str(case.scene)] += 1
