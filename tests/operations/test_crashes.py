"""A host dies at any step of any operation: nobody has to do anything, and everything is well."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

import soak
from daemons import Host, run, running, until
from dying import Death
from pooltrust.errors import Failure
from pooltrust.host import watch
from pooltrust.host.operations.hands import Hands

from .moments import Steps
from .peace import peace, unrest
from .scenes import SCENES, Hosts, Scene
from .stage import Pool, settled


@dataclass(frozen=True)
class Case:
    """Where which host dies, and when it comes back."""

    scene: Scene
    number: int
    when: str
    role: str
    at_once: bool

    def __str__(self) -> str:
        back = "back at once" if self.at_once else "back later"
        return f"{self.scene}-{self.number}-{self.when}-{self.role}-{back}"


CASES = [
    Case(scene, number, when, role, at_once)
    for scene in SCENES
    for number in range(1, scene.steps + 1)
    for when in ("before", "after", "torn")
    for role in scene.roles
    for at_once in (False, True)
]


def hurried(patch: pytest.MonkeyPatch, scene: Scene) -> None:
    """Let who has left learn of it soon: nobody can tell it, so it waits for its own heartbeat."""
    if scene.leaves is not None:
        patch.setattr(watch, "HEARTBEAT_SECONDS", 3.0)


async def begun(scene: Scene, hosts: Hosts) -> None:
    """The pool as it is before the operation."""
    await settled(*hosts)
    if scene.lost is not None:
        await hosts[scene.lost].stop()


async def ended(scene: Scene, hosts: Hosts, *, requested: bool = False) -> None:
    """Wait until nothing is left to be done, whatever was ordered; `requested`: see `peace`."""
    at_peace = partial(peace, requested=requested)
    if scene.lost is not None:
        await at_peace(*(host for place, host in enumerate(hosts) if place != scene.lost))
        await hosts[scene.lost].start()
    if scene.leaves is None:
        await at_peace(*hosts)
        return
    gone = hosts[scene.leaves]
    stay = tuple(host for host in hosts if host is not gone)
    if any(gone.me in host.roster.members for host in stay):
        await until(lambda: gone.me not in stay[0].roster.members or not list(unrest(*hosts)), 90)
    if gone.me in stay[0].roster.members:
        await at_peace(*hosts)  # it was never begun
        return
    await at_peace(*stay)
    await until(lambda: gone.lines("own-pool-founded"), 90)
    await until(lambda: not (gone.config.folder / "leaving").exists(), 90)
    await at_peace(gone)


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_every_step_is_numbered(pool: Pool, monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    hosts = pool(scene.size, **scene.settings)
    steps = Steps(monkeypatch)

    async def story() -> int:
        async with running(*hosts):
            await begun(scene, hosts)
            steps.on = True
            await scene.order(hosts)
            steps.on = False
            await ended(scene, hosts)
            return steps.count

    # Whoever takes in an entry by itself saves a step.
    assert scene.steps - scene.size < run(story(), 120) <= scene.steps


@pytest.mark.parametrize("case", soak.sample(CASES, 16, "deaths at a step"), ids=str)
def test_a_host_that_dies_at_any_step_comes_back_and_everything_is_well(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    scene = case.scene
    hurried(monkeypatch, scene)
    hosts = list(pool(scene.size, **scene.settings))
    (tmp_path / "copies").mkdir()
    death = Death(monkeypatch, tmp_path / "copies")
    steps = Steps(monkeypatch)
    place = scene.roles[case.role]

    async def story() -> None:
        dying: list[asyncio.Task[None]] = []

        async def back(copy: Host) -> None:
            hosts[place] = copy
            if case.at_once:
                await copy.start()

        async def killed() -> None:
            await back(await death.kill(hosts[place]))

        async def torn(copy: Host) -> None:
            await death.bury(hosts[place])
            await back(copy)

        async def around(hands: Hands, number: int, when: str) -> None:
            if number != case.number or dying:
                return
            if case.when == "torn" and when == "before":
                death.tear(hosts[place], lambda copy: dying.append(asyncio.create_task(torn(copy))))
            if when != case.when:
                return
            dying.append(asyncio.create_task(killed()))
            if hands.me == hosts[place].me:
                await asyncio.Event().wait()  # nothing comes after it
            await asyncio.shield(dying[0])

        async with running(*hosts):
            await begun(scene, tuple(hosts))
            steps.around, steps.on = around, True
            try:
                with suppress(Failure, OSError, EOFError):
                    await scene.order(tuple(hosts))
                death.spare()
                await asyncio.gather(*dying)
                steps.on = False
                if dying and not case.at_once:
                    await hosts[place].start()
                await ended(scene, tuple(hosts))
            finally:
                for host in hosts:
                    await host.stop()

    run(story(), 240)
