"""Clients that come in by a certificate: asking for one or not, and ending what an old rule let in.

The rule is a record of the pool; the authorities are in its trust log.  See login.py of the api
floor for what is asked at a login.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pooltrust.api.views import ACCESS, CERTIFICATE
from pooltrust.host.accounts.standing import Standing
from pooltrust.host.belief import Belief
from pooltrust.host.facing import client_authorities
from pooltrust.host.records.store import Change, Revision, Store
from pooltrust.host.serving.web import Web
from pooltrust.host.telling.journal import Journal
from pooltrust.pool import revocations
from pooltrust.trust.roster import Roster


class Certified:
    """Keeps what new connections are asked for in step with the records."""

    def __init__(
        self, belief: Belief, store: Store, standing: Standing, web: Web, journal: Journal
    ) -> None:
        self._belief = belief
        self._store = store
        self._standing = standing
        self._web = web
        self._journal = journal
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask from now on as the records say."""
        await self.ask()
        self._store.watch(self._changed)
        self._belief.watch(self._followed)

    async def close(self) -> None:
        """Follow the records no more."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def ask(self) -> None:
        """Return when new connections are asked as the records say."""
        await self._belief.ask_clients(self._store.get(ACCESS, CERTIFICATE) is not None)

    def _changed(self, _revision: Revision, changes: Sequence[Change]) -> None:
        if any(change.table == revocations.TABLE for change in changes):
            self._leave()
        if any(change.table == ACCESS for change in changes):
            self._leave()
            self._task = asyncio.create_task(self._ask_surely(), name="ask-clients")

    async def _ask_surely(self) -> None:
        try:
            await self.ask()
        except Exception as why:  # noqa: BLE001 - the old contexts are served on; it is told
            self._journal.defect("ask-clients-defect", why)

    def _followed(self, before: Roster, after: Roster) -> None:
        if client_authorities(before) - client_authorities(after):
            self._leave()

    def _leave(self) -> None:
        self._standing.by_certificate()
        self._web.end_certified()
