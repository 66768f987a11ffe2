"""Who may try to log in, how many at once, and what is told of those who failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from pooltrust.errors import SessionAuthenticationFailed
from pooltrust.host.accounts import logins as module
from pooltrust.host.accounts.logins import HOUR, MOST_OF_ONE_ORIGIN, MOST_WAITING, Logins

NOON = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class Slow:
    """Passwords that are checked when a test lets them be: right is what begins with "right"."""

    at_once: int = 1
    checked: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    known: set[str] = field(default_factory=set)

    def remembers(self, username: str, password: str) -> bool:
        return password in self.known

    async def verify(self, username: str, password: str, origin: str | None) -> bool:
        await self.go.wait()
        self.checked.append(password)
        return password.startswith("right")

    def names(self) -> list[str]:
        return ["alice", "root"]


def tell(story: Callable[[Slow, Logins], Any]) -> None:
    async def whole() -> None:
        slow = Slow()
        await story(slow, Logins(slow, monotonic=lambda: 0.0, now=lambda: NOON))

    asyncio.run(whole())


async def words(login: Any) -> str:
    try:
        await login
    except SessionAuthenticationFailed as why:
        return why.why
    return "in"


def test_one_origin_does_not_take_every_place_in_the_queue() -> None:
    async def story(slow: Slow, logins: Logins) -> None:
        flood = [
            asyncio.create_task(words(logins.login("root", f"wrong {n}", "192.0.2.1")))
            for n in range(MOST_WAITING)
        ]
        await asyncio.sleep(0)
        other = asyncio.create_task(words(logins.login("root", "right", "192.0.2.2")))
        await asyncio.sleep(0)
        turned_away = [one.result() for one in flood if one.done()]
        assert len(turned_away) == MOST_WAITING - MOST_OF_ONE_ORIGIN
        assert {module.CROWDED} == set(turned_away)
        slow.go.set()
        assert await other == "in"
        await asyncio.gather(*flood)
        # Only so many of them were even looked at.
        assert len(slow.checked) == 5 + 1

    tell(story)


def test_a_place_in_the_queue_is_free_again_when_a_login_is_given_up() -> None:
    async def story(slow: Slow, logins: Logins) -> None:
        waiting = [
            asyncio.create_task(logins.login("root", "right", "192.0.2.1"))
            for _ in range(MOST_OF_ONE_ORIGIN)
        ]
        await asyncio.sleep(0)
        assert await words(logins.login("root", "right", "192.0.2.1")) == module.CROWDED
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        slow.go.set()
        assert await words(logins.login("root", "right", "192.0.2.1")) == "in"

    tell(story)


def test_failures_are_told_with_the_name_only_if_somebody_has_it() -> None:
    """People type passwords where the name belongs."""

    async def story(slow: Slow, logins: Logins) -> None:
        told: list[tuple[str | None, str]] = []
        logins.told = lambda user, where: told.append((user, where))
        slow.go.set()
        for username, origin in [
            ("root", "192.0.2.1"),
            ("my secret", "192.0.2.1"),
            ("root", "192.0.2.1"),
            ("alice", None),
        ]:
            assert await words(logins.login(username, "wrong", origin)) != "in"
        await logins.login("root", "right", "192.0.2.9")
        assert told == [
            ("root", "192.0.2.1"),
            (None, "192.0.2.1"),
            ("root", "192.0.2.1"),
            ("alice", "this host"),
        ]

    tell(story)


def test_an_hour_s_failures_are_told_for_the_hour_after_it() -> None:
    async def whole() -> None:
        slow, now = Slow(), [500.0]
        slow.go.set()
        logins = Logins(slow, monotonic=lambda: now[0], now=lambda: NOON)
        for username in ("root", "my secret", "root"):
            await words(logins.login(username, "wrong", "192.0.2.1"))
        assert logins.failures().total == 0
        now[0] += HOUR
        told = logins.failures()
        assert (told.total, told.unknown) == (3, 1) and "secret" not in str(told)
        await words(logins.login("root", "wrong", "192.0.2.2"))
        assert logins.failures() == told
        now[0] += HOUR
        assert logins.failures().total == 1
        await words(logins.login("root", "wrong", "192.0.2.2"))
        now[0] += 2 * HOUR  # nobody asked for a while
        assert logins.failures().total == 0

    asyncio.run(whole())


def test_who_waits_out_a_delay_is_not_counted_again() -> None:
    async def story(slow: Slow, logins: Logins) -> None:
        slow.go.set()
        for n in range(7):
            await words(logins.login("root", f"wrong {n}", "192.0.2.1"))
        assert (len(slow.checked), logins.origins.failures("192.0.2.1", 0.0)) == (5, 5)

    tell(story)


@pytest.mark.parametrize("password", ["right", "right, remembered", "wrong"])
def test_in_a_delay_a_right_password_is_refused_like_a_wrong_one(password: str) -> None:
    async def story(slow: Slow, logins: Logins) -> None:
        slow.go.set()
        slow.known = {"right, remembered"}
        for n in range(5):
            await words(logins.login("root", f"wrong {n}", "192.0.2.1"))
        assert "try again in 1 s" in await words(logins.login("root", password, "192.0.2.1"))
        assert len(slow.checked) == 5

    tell(story)
