"""Failed logins as an hourly alert: how many, at which accounts, from where.

Values only.  Names that no account has are not repeated: people type passwords there.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pooltrust.pool.alerts import About, Alert
from pooltrust.terms import PoolId

MOST_TOLD = 100
"""Accounts and origins, in pairs, that are told apart; failures beyond are only counted."""


@dataclass(frozen=True, slots=True)
class Guessed:
    """An account of this pool, and where somebody failed to log in as it."""

    username: str
    origin: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How often, and when last (UTC)."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class FailedLogins:
    """What failed since the last alert."""

    known: Mapping[Guessed, Seen] = field(default_factory=dict)
    unknown: int = 0
    """At accounts that do not exist, or more than are told apart."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.unknown + sum(seen.count for seen in self.known.values())

    def with_one(self, username: str | None, origin: str, now: datetime) -> FailedLogins:
        """One more; None for a name that no account has."""
        guessed = Guessed(username or "", origin)
        if username is None or (guessed not in self.known and len(self.known) >= MOST_TOLD):
            return FailedLogins(self.known, self.unknown + 1)
        before = self.known.get(guessed)
        count = before.count + 1 if before else 1
        return FailedLogins({**self.known, guessed: Seen(count, now)}, self.unknown)

    def alerts(self, pool: PoolId) -> Iterator[Alert]:
        """What an administrator is told: nothing if nothing failed."""
        if not self.total:
            return
        most = sorted(self.known.items(), key=lambda pair: -pair[1].count)[:3]
        told = [f"{seen.count} as {one.username} from {one.origin}" for one, seen in most]
        last = max((seen.last for seen in self.known.values()), default=None)
        words = f"{self.total} logins failed in the last hour" + (": " if told else "")
        yield Alert(
            "FAILED_LOGIN_ATTEMPTS",
            About.POOL,
            pool,
            3,
            f"{words}{', '.join(told)}.",
            last,
            "".join(self._body()),
        )

    def _body(self) -> Iterator[str]:
        yield f"<body><total>{self.total}</total>"
        for one, seen in sorted(self.known.items(), key=lambda pair: -pair[1].count):
            last = seen.last.astimezone(UTC)
            yield f"<known><username>{html.escape(one.username)}</username>"
            yield f"<ip>{html.escape(one.origin)}</ip><number>{seen.count}</number>"
            yield f"<date>{last:%Y%m%dT%H:%M:%SZ}</date></known>"
        yield f"<unknown>{self.unknown}</unknown></body>"
