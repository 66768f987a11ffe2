"""Telling somebody at a terminal how far the operation is that they wait for."""

from __future__ import annotations

import asyncio
from types import TracebackType

from pooltrust.api.cli.wire import frames
from pooltrust.api.cli.wire.frames import Tag
from pooltrust.api.cli.wire.terminal import Write
from pooltrust.api.context import Context

TURN_SECONDS = 0.3
PATIENCE_SECONDS = 1.0
"""What is done by then needs no progress."""


class Progress:
    """While it is entered, each new phase of an operation is a line on the client's stderr."""

    def __init__(self, context: Context, write: Write) -> None:
        self._context = context
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
            for one in self._context.operations():
                if one.ended is None and one.phase and (one.id, one.phase) not in said:
                    said.add((one.id, one.phase))
                    done = one.operation.progress(one.phase)
                    line = (
                        f"{loop.time() - began:5.1f} s  {done:4.0%}  {one.operation.plan.title}: "
                        f"{one.phase}\n"
                    )
                    await self._write(frames.command(Tag.STDERR, line))
            await asyncio.sleep(TURN_SECONDS)
