"""Work that outlives its caller."""

from __future__ import annotations

import asyncio
import gc

import pytest

from daemons import run
from pooltrust.errors import CannotStore
from pooltrust.host.surely import Surely


def test_work_whose_caller_has_gone_is_done_and_its_failure_is_no_fault_of_the_loop() -> None:
    """A host that was stopped while its disk failed told of an exception that nobody retrieved."""

    async def story() -> None:
        surely, repaired, begun = Surely(), asyncio.Event(), list[str]()

        async def store() -> None:
            begun.append("stored")
            await repaired.wait()
            raise CannotStore("trust.log", "Input/output error")

        caller = asyncio.create_task(surely(store()))
        while not begun:
            await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert len(surely.under_way) == 1
        repaired.set()
        while surely.under_way:
            await asyncio.sleep(0)
        gc.collect()
        with pytest.raises(CannotStore):
            await surely(store())

    run(story())
