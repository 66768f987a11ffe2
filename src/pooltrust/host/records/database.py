"""The records in SQLite: memory for reads, one worker thread for writes.

See store.py for what is promised.  The file belongs to one process, which the state folder's
lock sees to.  How rows are laid out in the file is in sheet.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import orjson

from pooltrust.host.records.sheet import Sheet, Written
from pooltrust.host.records.store import (
    NOTHING,
    SEAL,
    Change,
    Dump,
    Revision,
    Row,
    Watcher,
    encoded,
)

Tables: TypeAlias = Mapping[str, Mapping[str, Row]]
_NO_ROWS: Mapping[str, Row] = MappingProxyType({})


class Database:
    """A `Store` in one SQLite file.  Make one with `open`."""

    def __init__(self, sheet: Sheet, writer: ThreadPoolExecutor) -> None:
        self._sheet = sheet
        self._writer = writer
        self._revision = NOTHING
        self._tables: dict[str, Mapping[str, Row]] = {}
        self._watchers: list[Watcher] = []

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open the file, or make it (0600).  Raises CorruptDatabase naming what is wrong."""
        writer = ThreadPoolExecutor(1, thread_name_prefix="database")
        loop = asyncio.get_running_loop()
        try:
            sheet, revision, changes = await loop.run_in_executor(writer, _opened, path)
        except BaseException:
            writer.shutdown(wait=False)
            raise
        database = cls(sheet, writer)
        database._adopt(revision, changes, {})
        return database

    @property
    def revision(self) -> Revision:
        """Where the store is."""
        return self._revision

    def get(self, table: str, key: str) -> Row | None:
        """One row."""
        return self.rows(table).get(key)

    def rows(self, table: str) -> Mapping[str, Row]:
        """Every row of a table by key."""
        return self._tables.get(table, _NO_ROWS)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have every later change told.  Returns what ends it."""
        self._watchers.append(watcher)

        def stop() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return stop

    async def append(self, expected: Revision, changes: Sequence[Change]) -> Revision:
        """Make these changes durable if the store is at `expected`.

        Raises Stale, CannotStore and ValueError; see `Store.append`.
        """
        written = [_written(change) for change in changes]
        after = Revision(expected.coordinator_change, expected.counter + 1)
        await self._write(lambda: self._sheet.write(expected, after, written), after, written)
        return after

    async def begin(self, coordinator_change: int) -> Revision:
        """Count under this entry of the log from now on.  Raises Stale, CannotStore."""
        if coordinator_change == self._revision.coordinator_change:
            return self._revision
        before, after = self._revision, Revision(coordinator_change, 0)
        await self._write(lambda: self._sheet.write(before, after, ()), after, ())
        return after

    async def dump(self) -> Dump:
        """Everything, at one revision, with the seal that it was shipped with."""
        tables = dict(self._tables)
        seal = tables.pop(SEAL, {}).get(SEAL)
        return Dump(self._revision, MappingProxyType(tables), seal)

    async def replace(self, dump: Dump) -> None:
        """Hold exactly this instead.  Raises CannotStore, ValueError."""
        after = dump.revision
        seal = {SEAL: {SEAL: dump.seal}} if dump.seal is not None else {}
        written = [_written(Change(*found)) for found in _rows({**dump.tables, **seal})]
        await self._write(lambda: self._sheet.replace(after, written), after, written, fresh=True)

    async def erase(self) -> None:
        """Forget everything: this host leaves the pool whose records these are.

        Not one byte of them stays in the file.  Raises CannotStore.
        """
        await self._write(self._sheet.erase, NOTHING, (), fresh=True)

    async def close(self) -> None:
        """Finish what is being written and let go."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._sheet.close)
        self._writer.shutdown()

    async def _write(
        self,
        write: Callable[[], None],
        after: Revision,
        written: Sequence[Written],
        *,
        fresh: bool = False,
    ) -> None:
        """Write in the worker thread; then, in the same order, show it to readers.

        A cancelled caller stops waiting, but the write and the showing go on: otherwise the disk
        would be ahead of memory.
        """
        # Our own copies: the caller may go on changing what it gave.
        changes = [
            Change(table, key, None if row is None else orjson.loads(row))
            for table, key, row in written
        ]

        def show(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and done.exception() is None:
                self._show(after, changes, fresh=fresh)

        doing = asyncio.get_running_loop().run_in_executor(self._writer, write)
        doing.add_done_callback(show)
        await asyncio.shield(doing)

    def _show(self, after: Revision, changes: Sequence[Change], *, fresh: bool) -> None:
        before = self._tables
        self._adopt(after, changes, {} if fresh else before)
        if fresh:
            changes = _differences(before, self._tables)
        for watcher in tuple(self._watchers):
            # Through the loop, so that a watcher that fails is reported and harms nobody else.
            asyncio.get_running_loop().call_soon(watcher, after, changes)

    def _adopt(self, revision: Revision, changes: Sequence[Change], before: Tables) -> None:
        """Make the tables anew where they changed: whoever reads an old one keeps it whole."""
        touched = {change.table: dict(before.get(change.table, {})) for change in changes}
        for change in changes:
            if change.row is None:
                touched[change.table].pop(change.key, None)
            else:
                touched[change.table][change.key] = change.row
        tables = dict(before) | {name: MappingProxyType(rows) for name, rows in touched.items()}
        self._tables = {name: rows for name, rows in tables.items() if rows}
        self._revision = revision


def _opened(path: Path) -> tuple[Sheet, Revision, list[Change]]:
    sheet = Sheet.open(path)
    try:
        return sheet, *sheet.everything()
    except BaseException:
        sheet.close()
        raise


def _written(change: Change) -> Written:
    for text in (change.table, change.key):
        if not text or len(text) > 1000 or not text.isprintable():
            raise ValueError("a table and a key have 1 to 1000 printable characters")
    return change.table, change.key, None if change.row is None else encoded(change.row)


def _rows(tables: Tables) -> Iterator[tuple[str, str, Row]]:
    for table, rows in tables.items():
        for key, row in rows.items():
            yield table, key, row


def _differences(before: Tables, after: Tables) -> list[Change]:
    set_now = [
        Change(table, key, row)
        for table, key, row in _rows(after)
        if before.get(table, {}).get(key) != row
    ]
    gone = [
        Change(table, key, None)
        for table, key, _ in _rows(before)
        if key not in after.get(table, {})
    ]
    return set_now + gone
