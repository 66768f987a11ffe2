"""Moments of an operation: something happens between two of its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from daemons import Host, until
from pooltrust.host.operations.hands import Hands
from pooltrust.host.operations.upkeep import Upkeep
from pooltrust.pool.plan.steps import Step


class Steps:
    """Counts the single steps of operations, and has something done around one of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.on = False
        self.count = 0
        self.around: Callable[[Hands, int, str], Awaitable[None]] | None = None
        for name in ("do", "probe"):
            patch.setattr(Hands, name, self._counted(getattr(Hands, name)))

    def _counted(self, work: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def counted(hands: Hands, *arguments: Any) -> None:
            self.count += self.on
            number = self.count
            if self.on and self.around:
                await self.around(hands, number, "before")
            await work(hands, *arguments)
            if self.on and self.around:
                await self.around(hands, number, "after")

        return counted


def once_before(
    patch: pytest.MonkeyPatch, kind: type[Step], happens: Callable[[], Awaitable[None]]
) -> None:
    """Let this happen before the first steps of that kind, whoever carries them out."""
    do = Hands.do
    happening: list[asyncio.Future[None]] = []

    async def preceded(hands: Hands, step: Step, *arguments: Any) -> None:
        if isinstance(step, kind):
            if not happening:
                happening.append(asyncio.ensure_future(happens()))
            await asyncio.shield(happening[0])
        await do(hands, step, *arguments)

    patch.setattr(Hands, "do", preceded)


def lost_before(patch: pytest.MonkeyPatch, kind: type[Step], host: Host) -> Lost:
    """Let this host go away before it carries out its first step of that kind."""
    do, lost = Hands.do, Lost(host)

    async def preceded(hands: Hands, step: Step, *arguments: Any) -> None:
        if isinstance(step, kind) and not lost.going and hands.me == host.me:
            lost.going.append(asyncio.create_task(host.stop()))
            await asyncio.Event().wait()  # until that cancels it
        await do(hands, step, *arguments)

    patch.setattr(Hands, "do", preceded)
    return lost


@dataclass
class Lost:
    """A host that goes away by itself."""

    host: Host
    going: list[asyncio.Task[None]] = field(default_factory=list)

    async def gone(self) -> None:
        """Wait until it has."""
        await until(lambda: self.going)
        await self.going[0]


def nobody_goes_on(patch: pytest.MonkeyPatch) -> None:
    """Let hosts do nothing by themselves."""

    async def nothing(_: Upkeep) -> bool:
        return False

    patch.setattr(Upkeep, "_next", nothing)
