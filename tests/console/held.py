"""The program, which waits before a step of an operation: `python -m console.held FILE host run …`.

While FILE is there it holds the kind of the step, such as ``promote``; beside it a file says that
the step waits.  Nothing that has stopped goes on by itself.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from pooltrust.command.main import main
from pooltrust.host.operations.hands import Hands
from pooltrust.host.operations.upkeep import Upkeep


def hold(file: Path) -> None:
    """Have every step look at the file first."""
    do, waits = Hands.do, file.with_suffix(".waits")

    async def held(hands: Hands, step: Any, *arguments: Any) -> None:
        while file.exists() and file.read_text() == step.kind:
            waits.touch()
            await asyncio.sleep(0.02)
        await do(hands, step, *arguments)

    async def nothing(_: Upkeep) -> bool:
        return False

    Hands.do = held  # type: ignore[method-assign]
    Upkeep._next = nothing  # type: ignore[method-assign]


if __name__ == "__main__":
    hold(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
