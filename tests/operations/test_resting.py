"""A host whose refresh failed is left alone for seconds at first: it may be its certificate's last day."""

from __future__ import annotations

from typing import Any

import pytest

from daemons import run, running
from pooltrust.errors import CannotContactHost
from pooltrust.host.operations.refreshing import FAILED_SECONDS, REST_SECONDS

from .stage import Pool


def test_it_rests_longer_after_each_failure_and_an_hour_after_a_success(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = pool(2)
    clock, fails = [1000.0], [True]

    async def refresh(*_: Any, **__: Any) -> None:
        if fails[0]:
            raise CannotContactHost(h2.me, why="it is slow tonight")

    async def story() -> None:
        async with running(h1, h2):
            refreshing = h1.daemon.refreshing
            monkeypatch.setattr(refreshing, "refresh", refresh)
            monkeypatch.setattr(refreshing, "_clock", lambda: clock[0])

            async def rests() -> float:
                """Seconds, to one second, for which it rests after one more attempt."""
                await refreshing.surely(h2.me, by="automatic", call="test")
                began = clock[0]
                while h2.me in refreshing.resting():
                    clock[0] += 1.0
                return clock[0] - began

            assert [await rests() for _ in FAILED_SECONDS] == list(FAILED_SECONDS)
            assert await rests() == FAILED_SECONDS[-1]
            assert len(h1.lines("refresh-failed")) > 0
            fails[0] = False
            assert await rests() == REST_SECONDS
            fails[0] = True
            assert await rests() == FAILED_SECONDS[0]

    run(story())
