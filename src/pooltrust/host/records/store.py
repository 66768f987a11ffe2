"""The small interface of every record store: read from memory, compare and append.

Values and promises only: database.py keeps them in SQLite, and a store over etcd fits the same
words.  What the tables and rows mean is the api floor's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import orjson

Row: TypeAlias = Mapping[str, Any]
"""A record: a JSON object.  Read-only: a change is a whole new row in an `append`."""

LONGEST_ROW = 1024 * 1024
"""Bytes of one row in JSON."""


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """Where a store is: the log's last change of coordinator, and a counter under it.

    Ordered first by coordinator, so what a replaced coordinator still wrote comes before.
    """

    coordinator_change: int
    counter: int

    def __str__(self) -> str:
        return f"{self.coordinator_change}.{self.counter}"

    @classmethod
    def parse(cls, text: str) -> Revision:
        """Read what `str` writes.  Raises ValueError."""
        parts = text.split(".")
        if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 16 for p in parts):
            raise ValueError("not a revision")
        return cls(int(parts[0]), int(parts[1]))


NOTHING = Revision(0, 0)
"""The revision of an empty store."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row set, or removed where `row` is None."""

    table: str
    key: str
    row: Row | None


SEAL = "seal"
"""The table of one row that holds a dump's seal in a store."""


@dataclass(frozen=True, slots=True)
class Dump:
    """Everything in a store at one revision, for shipping it to a member."""

    revision: Revision
    tables: Mapping[str, Mapping[str, Row]]
    seal: Row | None = field(default=None, compare=False)
    """That a coordinator stands by it: see seal.py."""

    def to_wire(self) -> dict[str, Any]:
        """As a JSON object."""
        tables = {name: dict(rows) for name, rows in self.tables.items()}
        seal = {"seal": dict(self.seal)} if self.seal is not None else {}
        return {"revision": str(self.revision), "tables": tables, **seal}

    @classmethod
    def from_wire(cls, wire: object) -> Dump:
        """Read what `to_wire` made.  Raises ValueError for anything else."""
        match wire:
            case {"revision": str(text), "tables": dict(tables), **rest} if SEAL not in tables:
                seal = rest.pop("seal", None)
                if rest or not isinstance(seal, dict | None):
                    raise ValueError("not a dump")
                for rows in tables.values():
                    if not isinstance(rows, dict):
                        raise ValueError("a table is no object")
                    if not all(isinstance(row, dict) for row in rows.values()):
                        raise ValueError("a row is no object")
                return cls(Revision.parse(text), tables, seal)
        raise ValueError("not a dump")


class Stale(Exception):
    """The store is not at the revision that a change was made for: read again, decide again."""

    def __init__(self, expected: Revision, actual: Revision) -> None:
        super().__init__(f"expected revision {expected}, met {actual}")
        self.expected = expected
        self.actual = actual


Watcher: TypeAlias = Callable[[Revision, Sequence[Change]], None]
"""Called on the event loop, in order, after a change is on the disk."""


class Store(Protocol):
    """Tables of rows by key.

    Reads are of memory, never wait, and see only what is durable.  A table that is read is a
    snapshot: later changes make a new one.  One revision is one `append`, all or nothing.
    """

    @property
    def revision(self) -> Revision:
        """Where the store is."""

    def get(self, table: str, key: str) -> Row | None:
        """One row."""

    def rows(self, table: str) -> Mapping[str, Row]:
        """Every row of a table by key; empty for a table that nobody wrote to."""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have every later change told.  Returns what ends it."""

    async def append(self, expected: Revision, changes: Sequence[Change]) -> Revision:
        """Make these changes durable if the store is at `expected`; returns the new revision.

        Raises Stale, CannotStore (nothing was changed) and ValueError for a row that JSON can't
        hold.  A caller that is cancelled meanwhile does not know whether the change was made.
        """

    async def begin(self, coordinator_change: int) -> Revision:
        """Count under this entry of the log from now on: called by a host that takes over.

        Twice is once.  Raises Stale if the store is under a later one.
        """

    async def dump(self) -> Dump:
        """Everything, at one revision, with the seal that it was shipped with."""

    async def replace(self, dump: Dump) -> None:
        """Hold exactly this instead, whatever was here: a member takes its coordinator's word."""

    async def close(self) -> None:
        """Finish what is being written and let go."""


def encoded(row: Row) -> bytes:
    """A row as JSON.  Raises ValueError unless it reads back as it was given."""
    try:
        data = orjson.dumps(dict(row), option=orjson.OPT_SORT_KEYS)
    except TypeError as why:
        raise ValueError(f"not a row: {why}") from why
    # orjson writes NaN as null and a date as text; neither would read back.
    if len(data) > LONGEST_ROW or orjson.loads(data) != dict(row):
        raise ValueError("not a row: it does not read back as it was given, or is too long")
    return data
