"""The state of one server that the console was given, as the browser is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_WORDS = 2000
"""Characters of a reason: a host may have said it, and it is told with each change."""


class Standing(StrEnum):
    """How it stands with a server."""

    CONNECTING = "connecting"
    STRANGER = "stranger"
    CHANGED = "changed"
    CONNECTED = "connected"
    WAITING = "waiting"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(slots=True)
class State:
    """One server.  No password is in it."""

    id: str
    address: str
    port: int
    user: str
    standing: Standing = Standing.CONNECTING
    words: str = ""
    """Why, for a person."""
    met: dict[str, Any] | None = None
    """The certificate that is to be judged, or that was met."""
    doubts: list[str] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    verdict: tuple[str, str] | None = None
    old: dict[str, Any] | None = None
    until: float = 0.0
    """When it tries again, in seconds since 1970."""
    attempt: int = 0
    expected: bool = False
    """The disconnection was to be expected."""
    kept: bool = False
    """Whom we met is remembered beyond this run."""
    methods: list[str] = field(default_factory=list)
    superuser: bool = False
    permissions: list[str] = field(default_factory=list)
    tls_version: str = ""
    asked: str = ""
    """The place whose certificate is to be judged."""
    reached: str = ""
    """The place that we talk to: the coordinator's."""

    def settle(self, standing: Standing, words: str = "") -> None:
        """Another standing; what belonged to the one before is gone."""
        self.standing, self.words = standing, words[:MOST_WORDS]
        self.met, self.old, self.verdict = None, None, None
        self.doubts, self.differences = [], []
        self.until = 0.0
