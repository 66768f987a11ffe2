"""Keys that were read, until a host is asked to install them: in memory, by a handle.

So the page never has a key that it did not have before: it passes the handle on.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from pooltrust.errors import Refused, failure

SECONDS = 15 * 60.0
MOST = 64
PREFIX = "held:"


@failure("KEY_NOT_HELD", cure="Read the files again.")
class NotHeld(Refused):
    """The key that was read is not kept any more: a quarter of an hour is over."""


class Held:
    """The keys.  `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}

    def keep(self, key: str) -> str:
        """Keep it for a while; returns its handle."""
        self._sweep()
        handle = PREFIX + secrets.token_urlsafe(24)
        self._kept[handle] = key, self._clock()
        return handle

    def filled(self, parameters: list[Any]) -> list[Any]:
        """The parameters of a call with keys instead of their handles.  Raises NotHeld."""
        self._sweep()
        return [self._key(one) if _is_handle(one) else one for one in parameters]

    def used(self, parameters: list[Any]) -> None:
        """The call was made: what was kept for it is forgotten."""
        for one in parameters:
            if _is_handle(one):
                self._kept.pop(one, None)

    def _key(self, handle: str) -> str:
        if handle not in self._kept:
            raise NotHeld
        return self._kept[handle][0]

    def _sweep(self) -> None:
        now = self._clock()
        kept = {one: it for one, it in self._kept.items() if now - it[1] < SECONDS}
        self._kept = dict(list(kept.items())[-MOST:])


def _is_handle(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(PREFIX)
