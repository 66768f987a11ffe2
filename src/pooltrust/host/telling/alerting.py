"""Keeping the alerts: raised when their cause is there, taken back at once when it is gone.

The coordinator does it, in the pool's records, so that whoever takes over has them.  What is an
alert is decided in pool/alerts.py; what members notice is brought here by noticing.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import uuid4

from pooltrust.api.messages import ALERTS
from pooltrust.errors import Failure
from pooltrust.host.belief import Belief
from pooltrust.host.records.store import Change, Row, Stale, Store
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.alerts import Alert, Noticed, alerts
from pooltrust.trust.roster import Roster

TABLE = ALERTS
LOOK_SECONDS = 60.0
"""How often dates are looked at; a change is looked at when it happens."""
SETTLE_SECONDS = 0.2
"""Changes that come together are looked at together."""


class Alerting:
    """This host's alerts, while it leads.  `now`: UTC."""

    def __init__(
        self, belief: Belief, store: Store, journal: Journal, now: Callable[[], datetime]
    ) -> None:
        self._belief = belief
        self._store = store
        self._journal = journal
        self._now = now
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.leads: Callable[[], bool] = lambda: False
        self.noticed: Callable[[], Noticed] = Noticed
        self.more: Callable[[], Iterable[Alert]] = tuple
        """Alerts of other parts, those that have a cause now."""

    def start(self) -> None:
        """Look now, at every change, and every minute."""
        self._belief.watch(self._changed)
        self._task = asyncio.create_task(self._keep(), name="alerts")

    def look_soon(self) -> None:
        """Something was noticed, or this host leads now."""
        self._due.set()

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Make the stored alerts those that have a cause now.  Raises CannotStore."""
        while self.leads():
            revision = self._store.revision
            known = self._store.rows(TABLE)
            wanted = alerts(self._belief.roster, self.noticed(), self._now()) | set(self.more())
            changes = self._changes(known, {_key(alert): alert for alert in wanted})
            if not changes:
                return
            try:
                await self._store.append(revision, changes)
            except Stale:
                continue
            self._tell(known, changes)
            return

    def _changes(self, known: Mapping[str, Row], wanted: Mapping[str, Alert]) -> list[Change]:
        gone = [Change(TABLE, key, None) for key in known.keys() - wanted.keys()]
        raised = [
            Change(TABLE, key, self._row(alert))
            for key, alert in sorted(wanted.items())
            if not _same(known.get(key), alert)
        ]
        return gone + raised

    def _row(self, alert: Alert) -> Row:
        return {
            "uuid": str(uuid4()),
            "name": alert.name,
            "about": str(alert.about),
            "object": alert.object,
            "priority": alert.priority,
            "words": alert.words,
            "body": alert.body,
            "date": alert.date.isoformat() if alert.date else "",
            "raised": self._now().isoformat(timespec="seconds"),
        }

    def _tell(self, known: Mapping[str, Row], changes: list[Change]) -> None:
        for change in changes:
            if change.row is None:
                row = known[change.key]
                self._journal.event("alert-cleared", name=row["name"], object=row["object"])
            else:
                row = change.row
                self._journal.warning(
                    "alert", name=row["name"], object=row["object"], words=row["words"]
                )

    def _changed(self, _before: Roster, _after: Roster) -> None:
        self._due.set()

    async def _keep(self) -> None:
        while True:
            self._due.clear()
            try:
                await self.look()
            except Failure as why:
                self._journal.damped("alerts", peer="", reason=why.code, words=str(why))
            except Exception as why:  # noqa: BLE001 - it is told, and looked at again
                self._journal.defect("alerts-defect", why)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._due.wait()
                await asyncio.sleep(SETTLE_SECONDS)
            except TimeoutError:
                continue


def _key(alert: Alert) -> str:
    return f"{alert.name} {alert.object}"


def _same(row: Row | None, alert: Alert) -> bool:
    """Whether it was raised already, for the same cause."""
    date = alert.date.isoformat() if alert.date else ""
    return row is not None and (row.get("words"), row.get("date")) == (alert.words, date)
