"""How many strangers a coordinator bears, and that nobody is let in by one who leaves himself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from daemons import Host, alike, run, running, until
from meeting.stage import stranger
from pooltrust.command.client import Reported
from pooltrust.host.meeting import receiver
from pooltrust.host.meeting.staging import Staged, Staging

New = Callable[..., Host]


def test_silent_strangers_from_one_address_do_not_keep_others_out(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2), AsyncExitStack() as stack:
            for _ in range(receiver.MOST_OF_ONE_ORIGIN):
                held = await stack.enter_async_context(stranger(h1))
                await held.ask("facts")
            async with stranger(h1) as one_more:
                answer = await one_more.ask("facts")
            assert answer["refused"]["code"] == "TOO_MANY_MEETINGS"
            await h2.join_with(await h1.code())
            await until(lambda: alike(h1, h2))

    run(story())


def test_a_meeting_ends_however_much_is_asked_in_it(
    new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MEETING_SECONDS", 0.5)
    h1 = new("h1")

    async def story() -> None:
        async with running(h1), stranger(h1) as talker:
            with pytest.raises(Exception, match=r"cut|closed"):
                for _ in range(100):
                    await talker.ask("facts")
                    await asyncio.sleep(0.05)
            await until(lambda: not h1.daemon.receiver._met)

    run(story())


def test_two_hosts_that_join_each_other_do_not_both_succeed(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            codes = await h1.code(), await h2.code()
            ends = await asyncio.gather(
                h2.join_with(codes[0]), h1.join_with(codes[1]), return_exceptions=True
            )
            refused = [end for end in ends if isinstance(end, Reported)]
            assert refused
            if len(refused) == 1:
                await until(lambda: alike(h1, h2))
            coordinators = [h for h in (h1, h2) if h.daemon.belief.is_coordinator]
            assert len(coordinators) == len(refused)  # both alone, or one coordinator of both

    run(story())


def test_a_join_that_was_completed_long_ago_takes_nothing_back(new: New) -> None:
    h1, h2, h3 = new("h1"), new("h2"), new("h3")

    async def story() -> None:
        async with running(h1, h2, h3):
            await h2.join_with(await h1.code())
            await until(lambda: alike(h1, h2))
            left = Staged(
                h2.daemon.belief.log,
                h2.daemon.belief.identities.pool.identity,
                h1.config.address,
                h1.config.port,
            )
            await h3.join_with(await h1.code())
            await until(lambda: alike(h1, h2))
            await h2.stop()
            Staging(h2.folder).keep(left)
            await h2.start()
            assert h2.roster.number == 3
            assert not (h2.folder.root / "joining").exists()
            await until(lambda: alike(h1, h2))

    run(story())
