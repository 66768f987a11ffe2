"""Changing records that must outlive this host: accounts, roles, and who may come in by what else.

Such a change is answered as done when enough members hold it; an ordinary record's when it is on
this host's disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pooltrust.host.records.store import Change, Stale, Store
from pooltrust.host.surely import Surely


class Keeper(Protocol):
    """Sees to it that a change outlives this host."""

    def may_change(self) -> None:
        """Raise a Failure if a change made here now would not count."""

    async def held(self) -> None:
        """Return when enough members hold the change.  Raises a Suspended if too few do."""


class Guarded:
    """The guarded tables of a store.  `keeper` is asked before a change and waited for after it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.keeper: Keeper | None = None
        self._surely = Surely()

    async def change(self, decide: Callable[[], Sequence[Change]]) -> None:
        """Make the changes that `decide` finds due, and return when they are held.

        `decide` is asked again if somebody else was quicker; what it raises ends this.  It goes on
        if the caller goes away.  Raises CannotStore, and what `keeper` raises: after RecordsNotHeld
        the change is made here, but a takeover may lose it.
        """
        await self._surely(self._change(decide))

    async def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._surely.under_way:
            task.cancel()
        await self._surely.done()

    async def _change(self, decide: Callable[[], Sequence[Change]]) -> None:
        while True:
            if self.keeper is not None:
                self.keeper.may_change()
            revision, changes = self.store.revision, decide()
            try:
                if changes:
                    await self.store.append(revision, changes)
            except Stale:
                continue
            # Also if nothing was to be done: who asks again wants to know whether it is held now.
            if self.keeper is not None:
                await self.keeper.held()
            return
