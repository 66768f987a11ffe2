"""What was right a short while ago, as keyed hashes in memory: they open nothing anywhere else.

Scripts log in for each command; deriving a verifier each time would cost them most of a second.
"""

from __future__ import annotations

import hmac
import math
import secrets

MOST = 1024
"""Marks that are kept; one more, and the oldest goes."""


class Remembered:
    """Marks that hold for so many seconds of a monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._until: dict[bytes, float] = {}

    def keep(self, now: float, *parts: bytes) -> None:
        """Remember these parts, in this order."""
        self._until = {mark: until for mark, until in self._until.items() if until > now}
        while len(self._until) >= MOST:
            del self._until[next(iter(self._until))]
        self._until[self._mark(parts)] = now + self._seconds

    def knows(self, now: float, *parts: bytes) -> bool:
        """Whether these parts were kept, and not too long ago."""
        # The mark is keyed and no outsider can choose its bytes, so looking it up tells nothing.
        return self._until.get(self._mark(parts), -math.inf) > now

    def forget(self) -> None:
        """Remember nothing."""
        self._until.clear()

    def _mark(self, parts: tuple[bytes, ...]) -> bytes:
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, message, "sha256")
