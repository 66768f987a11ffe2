"""Work that is carried through although whoever asked for it goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Surely:
    """Awaits work for its callers.  What it raises when its caller is gone is raised to nobody."""

    def __init__(self) -> None:
        self.under_way: set[asyncio.Task[Any]] = set()

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result.  A caller that is cancelled stops waiting, and nothing else stops."""
        return await asyncio.shield(self.begin(work))

    def begin(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Begin without waiting."""
        task = asyncio.create_task(work, name=name)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        task.add_done_callback(seen_by_somebody)
        return task

    async def done(self) -> None:
        """Wait for all of it, however it ends."""
        await asyncio.gather(*self.under_way, return_exceptions=True)


def seen_by_somebody(task: asyncio.Task[Any]) -> None:
    """Have the loop not complain of a failure that nobody is left to hear."""
    if not task.cancelled():
        task.exception()
