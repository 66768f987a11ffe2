"""Waiting for events: who is woken, by what, how soon, and what ends a wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from pooltrust.api.declare.values import Ref
from pooltrust.api.events.subscription import Subscription
from pooltrust.errors import SessionInvalid
from pooltrust.errors.telling import EventsLost, SessionNotRegistered
from pooltrust.host.serving import hub
from pooltrust.host.serving.hub import Hub

A, B, S, T = (Ref(f"OpaqueRef:{name}") for name in "abst")
LONG = 60.0


class Pool:
    """A picture that is changed, and a hub that is told of it."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Ref, Any]] = {"pool": {A: 0}, "host": {B: 0}, "task": {}}
        self.looks = 0
        self.hub = Hub(self._look, whose=7)

    def _look(self) -> dict[str, dict[Ref, Any]]:
        self.looks += 1
        return dict(self.rows)

    def set(self, cls: str, ref: Ref, value: Any) -> None:
        self.rows[cls] = {**self.rows[cls], ref: value}
        (self.hub.changed_task if cls == "task" else self.hub.changed)()

    async def start(self) -> str:
        return (await self.hub.since(Subscription(), "", 0, S, lambda: None))[1]

    def wait(
        self,
        token: str,
        *words: str,
        seconds: float = LONG,
        gate: Callable[[], None] = lambda: None,
    ) -> asyncio.Task[tuple[list[Any], str]]:
        asked = Subscription.parse(words or ["*"])
        return asyncio.create_task(self.hub.since(asked, token, seconds, S, gate))


def story(f: Callable[[Pool], Awaitable[None]]) -> Callable[[], None]:
    """A test that runs on an event loop, in bounded time."""

    async def told() -> None:
        async with asyncio.timeout(20):
            await f(Pool())

    def test() -> None:
        asyncio.run(told())

    test.__name__ = f.__name__
    return test


async def settled() -> None:
    """Every task that could go on has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


@story
async def test_with_an_empty_token_everything_is_told_at_once(pool: Pool):
    events, token = await pool.hub.since(Subscription.parse(["*"]), "", LONG, S, lambda: None)

    assert [event["operation"] for event in events] == ["add", "add"]
    assert token > ""


@story
async def test_a_change_wakes_those_who_asked_for_it_and_nobody_else(pool: Pool):
    token = await pool.start()
    told = [pool.wait(token, *words) for words in (("pool",), ("*",), ("Pool/" + A,))]
    woken: list[str] = []
    silent = [
        pool.wait(token, word, gate=lambda word=word: woken.append(word))
        for word in ("host", "task", f"pool/{B}")
    ]
    await settled()

    pool.set("pool", A, 1)
    answers = await asyncio.gather(*told)

    assert {answer[0][0]["ref"] for answer in answers} == {A}
    assert len({answer[1] for answer in answers}) == 1
    await settled()
    assert woken == [] and not any(one.done() for one in silent)
    looks = pool.looks
    for one in silent:
        one.cancel()
    await settled()
    pool.hub.changed()
    await asyncio.sleep(2 * hub.BATCH_SECONDS)
    assert pool.looks == looks, "nobody waits, so nobody looks"


@story
async def test_what_changes_together_is_told_together(pool: Pool):
    waiting = pool.wait(await pool.start())
    await settled()

    for n in range(1, 9):
        pool.set("pool", A, n)
        pool.set("host", B, n)
        await asyncio.sleep(0)

    events, token = await waiting
    assert [event["snapshot"] for event in events] == [8, 8]
    assert not pool.wait(token).done()


@story
async def test_a_task_is_told_to_who_waits_for_tasks_alone_without_delay(pool: Pool):
    token = await pool.start()
    hasty, patient = pool.wait(token, "task"), pool.wait(token, "task", "host")
    await settled()

    pool.set("task", T, 1)
    await settled()

    assert hasty.done() and not patient.done()
    assert (await patient)[0] == hasty.result()[0]


@story
async def test_after_its_time_a_wait_ends_with_no_events(pool: Pool):
    token = await pool.start()

    for seconds in (0, 0.01):
        assert await pool.wait(token, seconds=seconds) == ([], token)
        assert await pool.wait(token, "host/x", seconds=seconds) == ([], token)
    assert pool.hub._waiting == {}


@story
async def test_a_negative_or_endless_time_is_a_day(pool: Pool):
    token = await pool.start()

    waits = [pool.wait(token, seconds=seconds) for seconds in (-1.0, 1e300)]
    await settled()

    assert not any(one.done() for one in waits)
    pool.set("pool", A, 1)
    await asyncio.gather(*waits)


@story
async def test_what_nobody_announces_is_found_by_looking(pool: Pool):
    waiting = pool.wait(await pool.start(), "host")
    await settled()
    pool.rows["host"] = {}

    pool.hub._looked()

    assert (await waiting)[0][0]["operation"] == "del"


@story
async def test_what_one_client_was_the_first_to_see_is_told_to_the_others(pool: Pool):
    token = await pool.start()
    waiting = pool.wait(token)
    await settled()
    pool.rows["pool"] = {A: 1}

    assert (await pool.wait(token, seconds=0))[0]

    assert (await waiting)[0]


@story
async def test_the_end_of_a_session_ends_its_waits(pool: Pool):
    token = await pool.start()

    def gone() -> None:
        raise SessionInvalid(S)

    waits = [pool.wait(token, *words, gate=gone) for words in (("*",), (f"host/{B}",))]
    none = asyncio.create_task(pool.hub.since(Subscription(), token, LONG, S, gone))
    await settled()

    pool.hub.end_session(T)
    await settled()
    assert not any(one.done() for one in (*waits, none))
    pool.hub.end_session(S)

    for one in (*waits, none):
        with pytest.raises(SessionInvalid):
            await one


@story
async def test_everybody_is_let_go_when_the_host_is_another(pool: Pool):
    token = await pool.start()
    gone: list[bool] = []
    waiting = pool.wait(token, gate=lambda: gone.append(True))
    await settled()

    pool.hub.end_all()
    await settled()

    assert gone == [True] and not waiting.done(), "its gate lets it wait on"
    waiting.cancel()


@story
async def test_a_daemon_that_stops_waits_for_nobody(pool: Pool):
    waiting = pool.wait(await pool.start())
    await settled()

    pool.hub.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting


@story
async def test_a_registered_session_hears_what_changed_since(pool: Pool):
    nothing = lambda: None  # noqa: E731
    with pytest.raises(SessionNotRegistered):
        await pool.hub.next(S, nothing)
    pool.hub.register(S, Subscription.parse(["host"]))
    pool.set("host", B, 1)
    pool.set("pool", A, 1)

    assert [event["ref"] for event in await pool.hub.next(S, nothing)] == [B]
    waiting = asyncio.create_task(pool.hub.next(S, nothing))
    await settled()
    assert not waiting.done()
    pool.set("host", B, 2)
    assert [event["snapshot"] for event in await waiting] == [2]
    pool.hub.unregister(S, Subscription.parse(["HOST"]))
    with pytest.raises(SessionNotRegistered):
        await pool.hub.next(S, nothing)


@story
async def test_who_registered_for_the_pool_hears_of_it_now_and_then(pool: Pool):
    pool.hub.register(S, Subscription.parse(["pool"]))
    pool.hub.register(T, Subscription.parse(["host"]))
    hub.HEARTBEAT_SECONDS, before = 0.05, hub.HEARTBEAT_SECONDS
    try:
        other = asyncio.create_task(pool.hub.next(T, lambda: None))
        (event,) = await pool.hub.next(S, lambda: None)
        await asyncio.sleep(0.15)
    finally:
        hub.HEARTBEAT_SECONDS = before
    assert (event["class"], event["operation"], event["ref"]) == ("pool", "mod", A)
    assert not other.done()
    other.cancel()


@story
async def test_a_registered_session_that_missed_too_much_is_told_so_once(pool: Pool):
    pool.hub.register(S, Subscription.parse(["host"]))
    pool.hub._history._forgotten = 5
    pool.hub._history.count = 6

    with pytest.raises(EventsLost):
        await pool.hub.next(S, lambda: None)
    pool.set("host", B, 1)
    assert len(await pool.hub.next(S, lambda: None)) == 1


@story
async def test_an_injected_change_is_told(pool: Pool):
    waiting = pool.wait(await pool.start(), "pool")
    await settled()

    injected = pool.hub.inject("pool", A)

    events, token = await waiting
    assert [event["ref"] for event in events] == [A] and token > injected


def test_a_wait_as_short_as_can_be_ends_on_the_daemon_s_loop_too():
    async def told() -> list[Any]:
        pool = Pool()
        _, token = await pool.hub.since(Subscription.parse(["*"]), "", 0, S, lambda: None)
        return (await pool.wait(token, seconds=1e-9))[0]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(told()) == []
