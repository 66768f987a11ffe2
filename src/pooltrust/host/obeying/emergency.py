"""The emergency switch of this host: it does not verify whom it dials, until it is switched back.

Its own and nobody else's; it works with the coordinator down and the network cut, and outlives a
restart.  With a time limit it switches itself back after a probe in which every member that answers
was verified, and says otherwise why not.  What the host answers never loosens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pooltrust.errors import Failure, Refused, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers.probe import Prober, Seen
from pooltrust.host.telling.journal import Journal
from pooltrust.trust.store import replace_file
from pooltrust.trust.store.files import storing, sync_folder

AGAIN_SECONDS = 300.0
"""When a probe did not let the switch go back, the next one comes this much later."""
LONGEST = timedelta(days=30)


@failure("TLS_VERIFICATION_NOT_ENABLED_IN_POOL", cure="Require it: xe pool-enable-tls-verification")
class NotEnabledInPool(Refused):
    """The pool does not require certificate verification, so this host has nothing to return to."""


@dataclass(frozen=True, slots=True)
class Switched:
    """Since when verification is off here, why, and until when, if there is a limit.  UTC."""

    since: datetime
    reason: str
    until: datetime | None

    def text(self) -> str:
        """As JSON."""
        until = self.until.isoformat() if self.until else ""
        return json.dumps({"since": self.since.isoformat(), "reason": self.reason, "until": until})

    @classmethod
    def read(cls, text: str) -> Switched:
        """Read `text()`.  Raises ValueError."""
        try:
            said = json.loads(text)
            until = datetime.fromisoformat(said["until"]) if said["until"] else None
            return cls(datetime.fromisoformat(said["since"]), str(said["reason"]), until)
        except (KeyError, TypeError, AttributeError) as why:
            raise ValueError(f"not the state of the emergency switch: {why}") from why


class Emergency:
    """The switch.  `file` keeps it; `now`: UTC; `changed` is called when it was moved."""

    def __init__(
        self,
        belief: Belief,
        prober: Prober,
        file: Path,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._prober = prober
        self._file = file
        self._journal = journal
        self._now = now
        self._timer: asyncio.Task[None] | None = None
        self.switched: Switched | None = None
        self.changed: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Be as it was before the restart.  A file that can't be read keeps verification on."""
        try:
            text = await asyncio.to_thread(self._file.read_text)
            self._set(Switched.read(text))
        except FileNotFoundError:
            return
        except (ValueError, OSError) as why:
            self._journal.error("emergency-switch", words=f"its file can't be read: {why}")

    async def disable(self, reason: str = "", lasting: timedelta | None = None) -> None:
        """Stop verifying whom this host dials, for so long at the most.  Raises CannotStore."""
        now = self._now()
        limit = now + min(lasting, LONGEST) if lasting else None
        switched = Switched(now, reason, limit)
        # First: a disk that is full must not keep the switch from working.
        self._set(switched)
        self._journal.warning(
            "verification-disabled-here", reason=reason, until=limit or "",
            cure="Switch it back: xe host-emergency-reenable-tls-verification",
        )  # fmt: skip
        await asyncio.to_thread(_write, self._file, switched.text())

    async def reenable(self) -> None:
        """Verify again.  Raises NotEnabledInPool, CannotStore."""
        if not self._belief.roster.verification:
            raise NotEnabledInPool
        await self.clear()

    async def clear(self) -> None:
        """Have the switch as in ordinary times, whatever the pool requires.  Raises CannotStore."""
        if self.switched is None and not self._belief.override:
            return
        self._set(None)
        self._journal.warning("verification-enabled-here")
        await asyncio.to_thread(_remove, self._file)

    async def close(self) -> None:
        """Stop the timer; the switch stays as it is."""
        await self._stop_timer()

    def _set(self, switched: Switched | None) -> None:
        self.switched = switched
        self._belief.override = switched is not None
        if self._timer is not None and self._timer is not asyncio.current_task():
            self._timer.cancel()
        self._timer = None
        if switched is not None and switched.until is not None:
            seconds = max(0.0, (switched.until - self._now()).total_seconds())
            self._timer = asyncio.create_task(self._return(seconds), name="emergency-switch")
        self.changed()

    async def _return(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            against = [one for one in await self._prober.probe_all() if not _verified(one)]
            if not against:
                await self._reenable_quietly()
                return
            for one in against:
                self._journal.damped(
                    "verification-stays-disabled", peer=one.host, reason="not verified",
                    met=one.met, words=one.reason, cure=one.cure,
                )  # fmt: skip
            seconds = AGAIN_SECONDS

    async def _reenable_quietly(self) -> None:
        """As `reenable`, by the time limit: what stands against it is told in the journal."""
        try:
            await self.reenable()
        except Failure as why:
            self._journal.error("emergency-switch", words=str(why))

    async def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)


def _verified(one: Seen) -> bool:
    """Whether nothing speaks against verifying this member: who does not answer says nothing."""
    return one.verified or not one.met


def _write(file: Path, text: str) -> None:
    with storing(file):
        replace_file(file, text.encode(), 0o600)


def _remove(file: Path) -> None:
    with storing(file):
        file.unlink(missing_ok=True)
        sync_folder(file.parent)
