"""Files that a command has for its client, each fetched once, with a plain GET.

Who knows the path has it from the command itself: it is as good as the password that was given, for
as long as the command waits, and for one time.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

FOLDER = "/cli/"


class Offers:
    """What is there to be fetched, by its path."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    @contextmanager
    def offering(self, data: bytes) -> Iterator[str]:
        """Offer this while it is entered; gives the path."""
        path = FOLDER + secrets.token_urlsafe(32)
        self._kept[path] = data
        try:
            yield path
        finally:
            self._kept.pop(path, None)

    def take(self, path: str) -> bytes | None:
        """What is offered there; from then on it is not."""
        return self._kept.pop(path, None)
