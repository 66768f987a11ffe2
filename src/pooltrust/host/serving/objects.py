"""The objects of the API on this host: made of what it believes, changed in its store.

What an object is made of is said in the api floor's views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pooltrust.api import views
from pooltrust.api.classes.secret import Secret
from pooltrust.api.classes.telling.message import Message
from pooltrust.api.context import Edit
from pooltrust.api.declare.record import class_of
from pooltrust.api.declare.values import Ref, ref_of
from pooltrust.api.messages import ALERTS, removal
from pooltrust.errors import HandleInvalid
from pooltrust.host.belief import Belief
from pooltrust.host.operations.desk import Desk
from pooltrust.host.peers.sightings import Sightings
from pooltrust.host.records.guarded import Keeper
from pooltrust.host.records.store import Change, Stale, Store
from pooltrust.terms import HostId

R = TypeVar("R")

GUARDED = frozenset((Secret,))
"""A change of these is done when at least half of the members hold it."""


class Objects:
    """Every object by class and reference.

    `keeper` is asked before a change, and waited for where the class is guarded; `monotonic` gives
    seconds.
    """

    def __init__(
        self,
        belief: Belief,
        sightings: Sightings,
        desk: Desk,
        store: Store,
        keeper: Keeper,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._belief = belief
        self._sightings = sightings
        self._desk = desk
        self._store = store
        self._keeper = keeper
        self._monotonic = monotonic
        self._made: dict[type, tuple[object, Mapping[Ref, Any]]] = {}
        self.overrides: Callable[[], frozenset[HostId]] = frozenset
        """The members whose emergency switch is on, as far as this host was told."""

    def of(self, cls: type[R]) -> Mapping[Ref, R]:
        """The objects of a class; made anew only when something changed that they are made of."""
        live = self._sightings.live(self._monotonic())
        mark = (
            self._belief.roster,
            *(self._store.rows(name) for name in views.tables_of(cls)),
            live,
            self.overrides(),
            self._desk.mark,
        )
        made = self._made.get(cls)
        if made is None or made[0] != mark:
            made = self._made[cls] = (mark, views.records(cls, self._picture(live)))
        return made[1]

    def forget(self) -> None:
        """This host belongs to another pool now."""
        self._made.clear()

    async def change(self, cls: type, ref: Ref, field: str, edit: Edit) -> None:
        """Set one field of an object.  Raises HandleInvalid, and what `edit` raises."""
        table = class_of(cls).name

        def changes() -> Sequence[Change]:
            try:
                record: Any = self.of(cls)[ref]
            except KeyError:
                raise HandleInvalid(table, ref) from None
            row = self._store.get(table, record.uuid) or {}
            value = views.stored(edit(getattr(record, field)))
            return [Change(table, record.uuid, {**row, field: value})]

        await self._append(cls, changes)

    async def create(self, cls: type, uuid: str, values: Mapping[str, Any]) -> Ref:
        """Keep a new object of these fields."""
        table = class_of(cls).name
        row = {name: views.stored(value) for name, value in values.items()}
        await self._append(cls, lambda: [Change(table, uuid, row)])
        return ref_of(table, uuid)

    async def destroy(self, cls: type, refs: Sequence[Ref]) -> None:
        """Remove kept objects.  Raises HandleInvalid, and then all are still there."""
        table = class_of(cls).name

        def changes() -> Sequence[Change]:
            for ref in refs:
                if ref not in self.of(cls):
                    raise HandleInvalid(table, ref)
            uuids = [_uuid(self.of(cls)[ref]) for ref in refs]
            if cls is Message:
                alerts = self._store.rows(ALERTS)
                return [Change(*removal(uuid, alerts)) for uuid in uuids]
            return [Change(table, uuid, None) for uuid in uuids]

        if refs:
            await self._append(cls, changes)

    async def _append(self, cls: type, changes: Callable[[], Sequence[Change]]) -> None:
        while True:
            self._keeper.may_change()
            try:
                await self._store.append(self._store.revision, changes())
            except Stale:
                continue  # somebody was quicker: read again, decide again
            if cls in GUARDED:
                await self._keeper.held()
            return

    def _picture(self, live: frozenset[HostId]) -> views.Picture:
        roster = self._belief.roster
        return views.Picture(
            roster=roster,
            rows=self._store.rows,
            liveness={host: views.Liveness(live=host in live) for host in roster.members},
            overrides=self.overrides(),
            operations=self._desk.current(),
            allowed=self._desk.allowed(),
        )


def _uuid(record: Any) -> str:
    uuid: str = record.uuid
    return uuid
