"""Where operations are kept: on the disk before their first step, and for a while after their end.

A coordinator keeps them among the pool's records, so that whoever takes over finds them.  A
takeover is its taker's own business until it leads: that one is in a file of the state folder,
because the records of a supporter are a copy of its coordinator's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from pooltrust.errors import Refused, failure
from pooltrust.host.records.store import Change, Row, Stale, Store
from pooltrust.pool.operations.turns import Round
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.plan import BadPlan, Kind
from pooltrust.trust.store import replace_file
from pooltrust.trust.store.files import storing, sync_folder

TABLE = "operation"
ROUNDS = "operation-round"
KEPT = 20
"""So many operations that have ended are remembered."""

MOST_WORDS = 32 * 1024
"""Characters of one that are stored, and shipped with the records."""


@failure(
    "OPERATION_CORRUPT",
    cure="If it is the file operation.json of the state folder, move it away: the trust log tells "
    "what was done, and a takeover can be ordered again.",
)
class CorruptOperation(Refused):
    """A stored operation can't be read: {why}."""

    why: str


class State(StrEnum):
    """How far an operation is."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    DONE = "done"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Stored:
    """An operation with what became of it.  Times are UTC; `words` say why it stopped, or how it
    ended."""

    operation: Operation
    state: State
    began: datetime
    ended: datetime | None = None
    phase: str = ""
    words: str = ""
    may_abandon: bool = True

    @property
    def id(self) -> str:
        """Its UUID."""
        return self.operation.plan.id

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it to be done."""
        return self.state in (State.DONE, State.ABANDONED)

    @property
    def is_local(self) -> bool:
        """Whether it is its own host's and no business of the coordinator."""
        return self.operation.plan.kind is Kind.EMERGENCY_TRANSITION and not self.is_over

    def row(self) -> Row:
        """As a record."""
        return {
            "operation": self.operation.to_wire().decode(),
            "state": str(self.state),
            "began": self.began.isoformat(),
            "ended": self.ended.isoformat() if self.ended else "",
            "phase": self.phase,
            "words": self.words[:MOST_WORDS],
            "may_abandon": self.may_abandon,
        }

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Stored:
        """Read `row()`.  Raises CorruptOperation."""
        try:
            ended = row["ended"]
            return cls(
                operation=Operation.from_wire(row["operation"].encode()),
                state=State(row["state"]),
                began=datetime.fromisoformat(row["began"]),
                ended=datetime.fromisoformat(ended) if ended else None,
                phase=str(row["phase"]),
                words=str(row["words"]),
                may_abandon=row["may_abandon"] is True,
            )
        except (KeyError, ValueError, TypeError, AttributeError, BadPlan) as why:
            raise CorruptOperation(str(why) or type(why).__name__) from why


class Shelf:
    """The stored operations of this host.  `own`: the file of its own takeover."""

    def __init__(self, store: Store, own: Path) -> None:
        self._store = store
        self._own = own
        self._takeover: Stored | None = None
        self._rows: object = None
        self._known: tuple[Stored, ...] = ()

    async def open(self) -> None:
        """Read the takeover that this host has not ended.  Raises CorruptOperation."""
        self._takeover = await asyncio.to_thread(_read, self._own)

    @property
    def takeover(self) -> Stored | None:
        """The takeover by this host that is under way."""
        return self._takeover

    def pool_operations(self) -> tuple[Stored, ...]:
        """Those among the records, oldest first; what can't be read is left out."""
        rows = self._store.rows(TABLE)
        if self._rows is not rows:
            self._rows = rows
            self._known = tuple(sorted(_readable(rows), key=lambda one: (one.began, one.id)))
        return self._known

    async def put(self, stored: Stored) -> None:
        """Have this on the disk.  Raises CannotStore."""
        if stored.is_local:
            await asyncio.to_thread(_write, self._own, stored)
            self._takeover = stored
            return
        over = [one for one in self.pool_operations() if one.is_over and one.id != stored.id]
        gone = [Change(TABLE, one.id, None) for one in over[: len(over) + 1 - KEPT]]
        await self._append(Change(TABLE, stored.id, stored.row()), *gone)

    async def seen_over(self, id: str, seconds: float) -> None:
        """Wait until another host, which has the records now, has written that it is over."""
        over = asyncio.Event()

        def look(*_: object) -> None:
            if all(one.is_over for one in self.pool_operations() if one.id == id):
                over.set()

        unwatch = self._store.watch(look)
        try:
            look()
            async with asyncio.timeout(seconds):
                await over.wait()
        except TimeoutError:
            pass  # it has gone on with it all the same
        finally:
            unwatch()

    async def end_takeover(self) -> None:
        """Forget the takeover that was under way, for good.  Raises CannotStore."""
        await asyncio.to_thread(_remove, self._own)
        self._takeover = None

    @property
    def round(self) -> Round | None:
        """The round of the pool that has not ended."""
        row = self._store.get(ROUNDS, ROUNDS)
        try:
            return Round.from_wire(str(row["round"]).encode()) if row else None
        except (BadPlan, KeyError):
            return None

    async def put_round(self, one: Round | None) -> None:
        """Store the round that is under way; None: there is none.  Raises CannotStore."""
        row = {"round": one.to_wire().decode()} if one else None
        if row is not None or self._store.get(ROUNDS, ROUNDS) is not None:
            await self._append(Change(ROUNDS, ROUNDS, row))

    async def _append(self, *changes: Change) -> None:
        while True:
            try:
                await self._store.append(self._store.revision, changes)
                return
            except Stale:
                continue


def ended(stored: Stored, state: State, words: str, now: datetime) -> Stored:
    """It, over."""
    return replace(stored, state=state, words=words, ended=now, phase="", may_abandon=False)


def _readable(rows: Mapping[str, Row]) -> Iterator[Stored]:
    for row in rows.values():
        try:
            yield Stored.read(row)
        except CorruptOperation:
            continue  # written by a newer release: the log tells what it did


def _read(path: Path) -> Stored | None:
    try:
        return Stored.read(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except ValueError as why:
        raise CorruptOperation(str(why)) from why


def _write(path: Path, stored: Stored) -> None:
    with storing(path):
        replace_file(path, orjson.dumps(stored.row()), 0o600)


def _remove(path: Path) -> None:
    with storing(path):
        if path.exists():
            path.unlink(missing_ok=True)
            sync_folder(path.parent)  # one that comes back is carried out
