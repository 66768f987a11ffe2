"""Telling somebody at a terminal how far the operation is that they wait for.

It asks as the command's user does, who has logged in: nobody else is told anything.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pooltrust.api.cli.wire import frames
from pooltrust.api.cli.wire.frames import Tag
from pooltrust.api.cli.wire.terminal import Write
from pooltrust.errors import Failure

if TYPE_CHECKING:
    from pooltrust.api.cli.seat import Seat

TURN_SECONDS = 0.4
PATIENCE_SECONDS = 1.0
"""What is done by then needs no progress."""
CALLS = ("pooltrust.get_operations", "pooltrust.get_own_operations")
"""The pool's operations; without a coordinator this host's own, such as its takeover."""


class Progress:
    """While it is entered, each new phase of an operation is a line on the client's stderr."""

    def __init__(self, seat: Seat, write: Write) -> None:
        self._seat = seat
        self._write = write
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._tell(), name="progress")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        why: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        began, said = loop.time(), set[tuple[str, str]]()
        await asyncio.sleep(PATIENCE_SECONDS)
        while True:
            for one in await self._operations():
                known = one["id"], one["phase"]
                if not one["ended"] and one["phase"] and known not in said:
                    said.add(known)
                    line = (
                        f"{loop.time() - began:5.1f} s  {float(one['progress']):4.0%}  "
                        f"{one['title']}: {one['phase']}\n"
                    )
                    await self._write(frames.command(Tag.STDERR, line))
            await asyncio.sleep(TURN_SECONDS)

    async def _operations(self) -> list[dict[str, Any]]:
        for call in CALLS:
            try:
                return list(await self._seat.call(call))
            except Failure:
                continue
        return []
