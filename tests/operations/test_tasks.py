"""Operations as tasks: how far they are, and giving one up before its point of no return."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.command.client import Reported
from pooltrust.pool.plan.steps import Adopt, Step

from .stage import Pool, accepted, operations, ref, served, settled


class Held:
    """The hands of a host, which wait before they do the first step of this sort."""

    def __init__(self, host: Host, sort: type[Step]) -> None:
        hands = host.daemon.desk._hands
        self.waits, self.go = asyncio.Event(), asyncio.Event()
        real = hands.do

        async def do(step: Step, *more: Any) -> None:
            if isinstance(step, sort):
                self.waits.set()
                await self.go.wait()
            await real(step, *more)

        hands.do = do  # type: ignore[method-assign]


async def record(asked: Host, task: str) -> dict[str, Any]:
    found: dict[str, Any] = await asked.ask("task.get_record", task)
    return found


async def ended(asked: Host, task: str) -> dict[str, Any]:
    """The record of a task that has ended."""
    await until(lambda: asked.daemon.context.tasks.rows[task].finished.year > 1970)
    return await record(asked, task)


def test_a_task_tells_how_far_its_operation_is(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            held = Held(h1, Adopt)
            old = served(h2)
            task = await h1.ask("Async.host.refresh_server_certificate", await ref(h1, h2))
            await held.waits.wait()
            seen = await record(h1, task)
            assert seen["status"] == "pending" and 0 < seen["progress"] < 1
            assert seen["allowed_operations"] == ["cancel"]
            held.go.set()
            done = await ended(h1, task)
            assert (done["status"], done["progress"]) == ("success", 1.0)
            assert (done["result"], done["allowed_operations"]) == ("<value></value>", [])
            assert served(h2) != old

    run(story())


def test_an_operation_that_is_given_up_in_time_is_taken_back(pool: Pool) -> None:
    hosts = h1, h2 = pool(2)

    async def story() -> None:
        async with running(*hosts):
            held = Held(h1, Adopt)
            old = served(h2)
            task = await h1.ask("Async.host.refresh_server_certificate", await ref(h1, h2))
            await held.waits.wait()
            assert len(accepted(h1, h2)) == 2
            await h1.ask("task.cancel", task)
            assert (await record(h1, task))["status"] == "cancelling"
            held.go.set()
            done = await ended(h1, task)
            assert (done["status"], done["error_info"]) == ("cancelled", ["TASK_CANCELLED", task])
            await settled(*hosts)
            assert [accepted(one, h2) for one in hosts] == [{old}] * 2
            assert served(h2) == old
            (one,) = await operations(h1)
            assert one["state"] == "abandoned"

    run(story())


def test_an_operation_past_its_point_of_no_return_is_not_given_up(pool: Pool) -> None:
    hosts = h1, _, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            held = Held(h1, Adopt)  # the host is dismissed by then, and the others are told
            task = await h1.ask("Async.pool.eject", await ref(h1, h3))
            await held.waits.wait()
            await until(lambda: h3.me not in h1.roster.members)
            with pytest.raises(Reported, match="can't be stopped any more"):
                await h1.ask("task.cancel", task)
            held.go.set()
            assert (await ended(h1, task))["status"] == "success"

    run(story())
