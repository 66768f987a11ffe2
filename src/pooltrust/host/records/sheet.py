"""The SQLite file of the records: how they are laid out in it, and what goes wrong with it.

Every call blocks and belongs to one thread.  It knows rows as bytes of JSON and nothing of memory,
watchers or events: see database.py.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from pooltrust.errors import CannotStore, CorruptDatabase
from pooltrust.host.records.store import NOTHING, Change, Revision, Stale

Written: TypeAlias = tuple[str, str, bytes | None]
"""Table, key and the row in JSON, or None to remove it."""

SCHEMA = 1
APPLICATION = 0x706F6F6C
"""In the file's header, so that another program's database is not taken for ours ("pool")."""

TABLES = (
    "CREATE TABLE place (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " coordinator_change INTEGER NOT NULL, counter INTEGER NOT NULL) STRICT",
    "CREATE TABLE record (sort TEXT NOT NULL, name TEXT NOT NULL, row TEXT NOT NULL,"
    " PRIMARY KEY (sort, name)) STRICT, WITHOUT ROWID",
    "INSERT INTO place VALUES (1, 0, 0)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {SCHEMA}",
)


class Sheet:
    """An open file.  Make one with `open`, in the thread that will use it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Sheet:
        """Open the file, or make it with mode 0600.  Raises CorruptDatabase, CannotStore."""
        try:
            # Before SQLite would make it for everybody to read; its -wal takes the same mode.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.fchmod(descriptor, 0o600)
            os.close(descriptor)
        except OSError as why:
            raise CannotStore(str(path), (why.strerror or str(why)).lower()) from why
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        sheet = cls(path, connection)
        try:
            with sheet._translated():
                sheet._prepare()
        except BaseException:
            connection.close()
            raise
        return sheet

    def everything(self) -> tuple[Revision, list[Change]]:
        """The revision and every row.  Raises CorruptDatabase naming the row it can't read."""
        with self._translated():
            found = self._ask("SELECT sort, name, row FROM record")
        changes = []
        for table, key, text in found:
            try:
                row = orjson.loads(text)
            except ValueError as why:
                raise self._corrupt(f"the row {key!r} of {table!r} is not JSON") from why
            if not isinstance(row, dict):
                raise self._corrupt(f"the row {key!r} of {table!r} is not a JSON object")
            changes.append(Change(table, key, row))
        return self._revision(), changes

    def write(self, expected: Revision, after: Revision, rows: Sequence[Written]) -> None:
        """Go from `expected` to `after`, on the disk when this returns.

        Raises Stale, CannotStore.
        """
        with self._translated(), self._transaction():
            actual = self._revision()
            if actual != expected or after < actual:
                raise Stale(expected, actual)
            self._put(after, rows)

    def replace(self, after: Revision, rows: Sequence[Written]) -> None:
        """Hold exactly these rows.  Raises CannotStore."""
        with self._translated(), self._transaction():
            self._ask("DELETE FROM record")
            self._put(after, rows)

    def erase(self) -> None:
        """Hold nothing, not in unused pages of the file either.  Raises CannotStore."""
        with self._translated():
            with self._transaction():
                self._ask("DELETE FROM record")
                self._put(NOTHING, ())
            self._ask("VACUUM")
            self._ask("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _prepare(self) -> None:
        # A commit is on the disk when it returns.  With a write-ahead log FULL is enough for that;
        # with a rollback journal a power cut can bring back the journal, and so undo a commit.
        self._ask("PRAGMA journal_mode = WAL")
        self._ask("PRAGMA synchronous = FULL")
        [(version,)] = self._ask("PRAGMA user_version")
        [(application,)] = self._ask("PRAGMA application_id")
        [(tables,)] = self._ask("SELECT count(*) FROM sqlite_schema")
        if (version, application, tables) == (0, 0, 0):
            with self._transaction():
                for statement in TABLES:
                    self._ask(statement)
        elif application != APPLICATION:
            raise self._corrupt("it is the database of another program", "Move the file away.")
        elif version > SCHEMA:
            raise self._corrupt(
                f"it has the format {version} of a newer pooltrust; this one knows {SCHEMA}",
                "Upgrade this host.",
            )
        [(verdict,), *_] = self._ask("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise self._corrupt(f"it is damaged ({verdict})")

    def _revision(self) -> Revision:
        found = self._ask("SELECT coordinator_change, counter FROM place")
        if len(found) != 1:
            raise self._corrupt("it has lost its revision")
        return Revision(*found[0])

    def _put(self, after: Revision, rows: Sequence[Written]) -> None:
        for table, key, row in rows:
            if row is None:
                self._ask("DELETE FROM record WHERE sort = ? AND name = ?", table, key)
            else:
                text = row.decode()
                self._ask("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", table, key, text)
        place = (after.coordinator_change, after.counter)
        self._ask("UPDATE place SET coordinator_change = ?, counter = ?", *place)

    def _ask(self, statement: str, *values: object) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._ask("BEGIN IMMEDIATE")
        try:
            yield
            self._ask("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._ask("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as why:
            # "No such table" is an OperationalError too, but has no code of its own.
            usual = isinstance(why, sqlite3.OperationalError)
            if usual and why.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise CannotStore(str(self._path), str(why)) from why
            raise self._corrupt(str(why)) from why

    def _corrupt(self, why: str, remedy: str = "") -> CorruptDatabase:
        known = {"remedy": remedy} if remedy else {}
        return CorruptDatabase(str(self._path), why, **known)
