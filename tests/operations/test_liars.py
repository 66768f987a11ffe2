"""One member lies or is silent: nobody else suffers, and it is named."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.command.client import Reported
from pooltrust.host.operations import ordering, shelf
from pooltrust.host.operations.hands import Hands
from pooltrust.host.peers import wire
from pooltrust.host.records.store import LONGEST_ROW
from pooltrust.pool.plan.steps import Promote
from pooltrust.terms import HostId

from .moments import once_before
from .peace import keys, peace
from .stage import Pool, accepted, operations, ref, served, settled


def answering(liar: Host, call: str, lie: Any) -> None:
    """Let this host answer a request with what `lie(peer, frame, truth)` makes of the truth."""
    request = liar.daemon.server._requests[call]

    async def told(peer: HostId, frame: wire.Frame) -> wire.Frame:
        return lie(await request.handle(peer, frame))  # type: ignore[no-any-return]

    liar.daemon.server._requests = {  # type: ignore[assignment]
        **liar.daemon.server._requests,
        call: replace(request, handle=told),
    }


LIES: dict[str, Any] = {
    "another host": lambda truth, other: {"request": {**truth["request"], "host": other}},
    "junk": lambda truth, other: {"request": "junk"},
    "nothing": lambda truth, other: {},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_request_that_its_host_did_not_sign_changes_nothing(pool: Pool, lie: str) -> None:
    hosts = h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            before = h1.roster.head
            answering(h2, "mint", lambda truth: LIES[lie](truth, h3.me))
            with pytest.raises(Reported):
                await h1.ask("host.refresh_server_certificate", await ref(h1, h2))
            assert h1.roster.head == before
            assert h1.daemon.desk.pending() == []
            await h1.ask("host.refresh_server_certificate", await ref(h1, h3))
            assert accepted(h1, h3) == {served(h3)}

    run(story(), 60)


def test_a_host_that_says_now_this_and_now_that_keeps_nobody_busy_for_ever(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = h1, h2, _ = pool(3)
    promoted = 0
    do = Hands.do

    async def forgotten(hands: Hands, step: Any, plan: Any, view: Any) -> None:
        """As if h2 said that it serves its new identity, and the old one at the next question."""
        nonlocal promoted
        promoted += isinstance(step, Promote)
        await do(hands, step, plan, view)
        old = step.certificate if isinstance(step, Promote) else None
        if promoted and old is None:
            report = view._reports[h2.me]
            view.answered(h2.me, replace(report, serves=before))

    async def story() -> None:
        nonlocal before
        async with running(*hosts):
            await settled(*hosts)
            before = served(h2)
            monkeypatch.setattr(Hands, "do", forgotten)
            try:
                await h1.ask("host.refresh_server_certificate", await ref(h1, h2))
            except Reported as why:
                assert why.code == "OPERATION_SUSPENDED"
            assert promoted <= 25

    before: Any = None
    run(story(), 60)


def test_what_a_liar_says_does_not_fill_the_records(pool: Pool) -> None:
    hosts = h1, h2, _ = pool(3, verification_at_founding=False)
    long = "x" * wire.MAX_TEXT

    def lie(truth: wire.Frame) -> wire.Frame:
        seen = [
            {**one, "verified": False, "reason": long, "cure": long, "met": one["met"]}
            for one in truth["seen"]
        ]
        return {**truth, "seen": seen}

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            answering(h2, "orders", lie)
            with pytest.raises(Reported):
                await h1.ask("pool.enable_tls_verification")
            (one,) = await operations(h1)
            assert len(one["words"]) <= shelf.MOST_WORDS < LONGEST_ROW
            assert not h1.roster.verification

    run(story(), 60)


def test_a_suspended_operation_that_is_just_tried_again_keeps_no_ejection_waiting(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)
    once_before(monkeypatch, Promote, h3.stop)
    look = Hands.look
    gate = asyncio.Event()
    trying = asyncio.Event()

    async def slow(hands: Hands, view: Any) -> None:
        if asyncio.current_task().get_name().startswith("operation-"):  # type: ignore[union-attr]
            trying.set()
            await gate.wait()
        await look(hands, view)

    async def story() -> None:
        async with running(h1, h2, h3):
            lost, named = h3.me, await ref(h1, h3)
            with pytest.raises(Reported):
                await h1.ask("host.refresh_server_certificate", named)
            monkeypatch.setattr(Hands, "look", slow)
            await asyncio.wait_for(trying.wait(), 30)
            ejecting = asyncio.create_task(h1.ask("pool.eject", named))
            await until(lambda: len(h1.daemon.desk.pending()) == 2, 20)
            gate.set()
            await ejecting
            assert lost not in h1.roster.members
            await peace(h1, h2)

    run(story(), 90)


def test_whoever_is_cancelled_while_an_operation_is_written_down_leaves_it_running(
    pool: Pool,
) -> None:
    hosts = h1, _, h3 = pool(3)

    async def story() -> None:
        async with running(*hosts):
            await settled(*hosts)
            desk, put = h1.daemon.desk, h1.daemon.shelf.put

            async def cancelling(stored: Any) -> None:
                await put(stored)
                caller.cancel()

            h1.daemon.shelf.put = cancelling  # type: ignore[method-assign]
            caller = asyncio.create_task(desk.order(ordering.ejecting(h3.me, by="root")))
            await asyncio.gather(caller, return_exceptions=True)
            assert caller.cancelled()
            h1.daemon.shelf.put = put  # type: ignore[method-assign]
            await until(lambda: len(h1.roster.members) == 2, 5)
            await until(lambda: not desk.pending(), 5)

    run(story(), 60)


def test_a_refresh_that_changed_nothing_leaves_no_key_behind(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3, h4, h5 = pool(5)

    async def story() -> None:
        async with running(h1, h2, later=[h3, h4, h5]):
            await until(lambda: h1.daemon.leading.begun)
            with pytest.raises(Reported):
                await h1.ask("host.refresh_server_certificate", await ref(h1, h2))
            assert keys(h2) == {served(h2)}

    run(story(), 60)
