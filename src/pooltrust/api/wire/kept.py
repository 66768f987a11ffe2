"""Records as they were written before: a record never changes, so neither does what it becomes.

Only what events tell of is kept: those are made once, and asked for often.  A secret is not.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

ROOM = 2 * 1024 * 1024
"""Bytes, or characters, that one codec keeps."""

T = TypeVar("T", str, bytes)


class Kept(Generic[T]):
    """What one codec has made of records.  When there is no more room it begins anew.

    Records are told apart by what they are, not by their values: their maps can't be hashed.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._taken = 0
        self._written: dict[int, tuple[Any, T]] = {}

    def find(self, record: Any) -> T | None:
        """What this very record was written as, if that is known."""
        kept = self._written.get(id(record))
        return kept[1] if kept is not None and kept[0] is record else None

    def keep(self, record: Any, written: T) -> None:
        """Remember it, and the record with it, so that no other one can be taken for it."""
        if self._taken + len(written) > self._room:
            self._written.clear()
            self._taken = 0
        self._written[id(record)] = record, written
        self._taken += len(written)
