"""Letting people in by their password: who may try, how many at once, and what is told of failures.

Whether a password is right is another's to say: the pool's own accounts (local.py), or PAM.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from pooltrust.errors import SessionAuthenticationFailed
from pooltrust.host.accounts.origins import Origins, network
from pooltrust.pool.logins import FailedLogins

if TYPE_CHECKING:
    from pooltrust.host.accounts.scram import ScramServer

MOST_WAITING = 100
MOST_OF_ONE_ORIGIN = 40
"""Logins whose password may wait to be checked; one more is told to come again."""

HOUR = 3600.0

CROWDED = "Too many logins wait for their passwords to be checked: try again in a minute"


class Passwords(Protocol):
    """Who can tell whether a password is right."""

    at_once: int
    """How many it checks at a time."""

    def remembers(self, username: str, password: str) -> bool:
        """Whether it was found right a short while ago: known at once."""

    async def verify(self, username: str, password: str, origin: str | None) -> bool:
        """Whether it is right.  Slow, and as slow for a user who does not exist."""

    def names(self) -> list[str]:
        """The users that there are, as far as they are to be told apart from typing errors."""


def _utc() -> datetime:
    return datetime.now(UTC)


class Logins:
    """The way in.  `monotonic`: seconds; `now`: UTC.

    `told` is told of each failure: the user, None if there is none of that name, and where it came
    from.
    """

    def __init__(
        self,
        passwords: Passwords,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc,
    ) -> None:
        self._passwords = passwords
        self._monotonic = monotonic
        self._now = now
        self._turn = asyncio.Semaphore(passwords.at_once)
        self._waiting: Counter[str] = Counter()
        self.told: Callable[[str | None, str], None] = lambda _user, _where: None
        self.origins = Origins()
        self._failures = FailedLogins()
        self._before = FailedLogins()
        self._hour = monotonic()

    async def login(self, username: str, password: str, origin: str | None) -> None:
        """Let somebody in from an origin (IP address; None for the Unix socket).

        Raises SessionAuthenticationFailed: for a wrong password, an unknown user (alike), an
        origin that must wait first, and when too many logins wait already.
        """
        self._may_try(username, origin)
        if not self._passwords.remembers(username, password):
            await self._take_turn(username, password, origin)
        self.origins.succeeded(origin, username)

    def check_proof(self, server: ScramServer, client_final: str, origin: str | None) -> str:
        """`ScramServer.final`, counted against its origin like a login.

        Raises what that raises.
        """
        # Here and not at the first message: however many meetings an origin has open, its guesses
        # are counted one by one.
        self._may_try(server.username, origin)
        try:
            answer = server.final(client_final)
        except SessionAuthenticationFailed:
            self._failed(server.username, origin)
            raise
        self.origins.succeeded(origin, server.username)
        return answer

    def failures(self) -> FailedLogins:
        """What failed in the last whole hour since the start: one alert in an hour, not more."""
        hours = int((self._monotonic() - self._hour) // HOUR)
        if hours:
            self._before = self._failures if hours == 1 else FailedLogins()
            self._failures = FailedLogins()
            self._hour += hours * HOUR
        return self._before

    def _may_try(self, username: str, origin: str | None) -> None:
        wait = math.ceil(self.origins.wait(origin, self._monotonic()))
        if wait:
            why = f"Too many wrong passwords came from this address: try again in {wait} s"
            raise SessionAuthenticationFailed(username, why)

    async def _take_turn(self, username: str, password: str, origin: str | None) -> None:
        place = "" if origin is None else network(origin)
        if self._waiting.total() >= MOST_WAITING or self._waiting[place] >= MOST_OF_ONE_ORIGIN:
            raise SessionAuthenticationFailed(username, CROWDED)
        self._waiting[place] += 1
        try:
            async with self._turn:
                # Again: the same origin's guesses before this one have been counted meanwhile, and
                # another login may have brought the same password.
                self._may_try(username, origin)
                if self._passwords.remembers(username, password):
                    return
                if not await self._passwords.verify(username, password, origin):
                    self._failed(username, origin)
                    raise SessionAuthenticationFailed(username)
        finally:
            self._waiting[place] -= 1
            self._waiting += Counter()  # forgets who waits no more

    def _failed(self, username: str, origin: str | None) -> None:
        self.origins.failed(origin, username, self._monotonic())
        known = username if username in self._passwords.names() else None
        where = "this host" if origin is None else origin
        self.failures()
        self._failures = self._failures.with_one(known, where, self._now())
        self.told(known, where)
