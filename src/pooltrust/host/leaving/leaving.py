"""A host that learns of its dismissal founds its own pool, and forgets the one that it was in.

It keeps its UUID, the verification setting, and a server identity that its user installed; its
pool identity is always a new one.  What is on the disk meanwhile is said in staging.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from pooltrust.errors import Failure
from pooltrust.host.belief import Belief, Identities
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import StateFolder
from pooltrust.host.founding import founding, new_server_identity
from pooltrust.host.leaving.staging import Beginning, Departure, tell_founded
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.operations.eject import own_pool
from pooltrust.terms import HostId
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile, open_log

CALL = "pool.eject"
RETRY_SECONDS = 10.0


class Leaving:
    """Watches for this host's dismissal and moves it to a pool of its own.

    `forget` is awaited before that: its records go, for good.  `left` is called when it has its own
    pool.  `now`: UTC.
    """

    def __init__(
        self,
        belief: Belief,
        folder: StateFolder,
        config: Config,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._folder = folder
        self._config = config
        self._journal = journal
        self._now = now
        self._departure = Departure(folder)
        self._task: asyncio.Task[None] | None = None
        self.forget: Callable[[], Awaitable[None]] = _nothing
        self.left: Callable[[], None] = lambda: None
        belief.watch(self._changed)

    @property
    def under_way(self) -> bool:
        """Whether this host is no member of its pool, and has none of its own yet."""
        return self._belief.me not in self._belief.roster.members

    def resume(self) -> None:
        """Leave, if this host was dismissed before it was stopped."""
        if self.under_way:
            self._tell(self._belief.roster)
            self._begin()

    async def close(self) -> None:
        """Stop; what is staged is completed at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _changed(self, before: Roster, after: Roster) -> None:
        me = self._belief.me
        if me in before.members and me not in after.members:
            self._tell(after)
            self._begin()

    def _tell(self, roster: Roster) -> None:
        self._journal.error(
            "dismissed",
            pool=roster.pool,
            words="this host is no member of its pool any more and founds its own",
        )

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._leave(), name="leaving")

    async def _leave(self) -> None:
        """Try until it is done: a host that is nowhere at home is of no use to anybody."""
        while True:
            try:
                if self.under_way:
                    await self._move()
                # Also what a question that was under way may have stored of the old pool.
                await asyncio.to_thread(self._departure.sweep)
                await asyncio.to_thread(self._departure.discard)
                return
            except (Failure, OSError) as why:
                reason = getattr(why, "code", "OS_ERROR")
                self._journal.damped("leaving-failed", peer="", reason=reason, words=str(why))
            except Exception as why:  # noqa: BLE001 - it is told, and tried again
                self._journal.defect("leaving-defect", why)
            await asyncio.sleep(RETRY_SECONDS)

    async def _move(self) -> None:
        new = await asyncio.to_thread(self._staged)
        await self.forget()
        await asyncio.to_thread(self._departure.carry_out, new)
        file, log = await asyncio.to_thread(open_log, self._folder.log)
        identities = Identities(pool=self._file("pool", new), server=self._file("server", new))
        await self._belief.become(log, file, identities)
        tell_founded(self._journal, log.pool, new.left)
        self.left()

    def _staged(self) -> Beginning:
        """What is on the disk already, or a new beginning, which is when this returns."""
        pending = self._departure.pending()
        if pending is not None:
            return pending
        new = beginning(self._belief, self._config, self._now())
        self._departure.keep(new)
        return new

    def _file(self, sort: str, new: Beginning) -> IdentityFile:
        identity = new.pool if sort == "pool" else new.server
        path = self._folder.identity(
            "pool" if sort == "pool" else "server", identity.certificate.thumbprint
        )
        return IdentityFile(path, identity)


def beginning(belief: Belief, config: Config, now: datetime) -> Beginning:
    """The pool that this host founds for itself; new keys are made, which takes up to a second."""
    host: HostId = belief.me
    served = belief.identities.server.identity
    own = own_pool(belief.roster, installed=not served.certificate.self_signed)
    pool = mint_pool_identity(host, now, lifetime=config.pool_lifetime)
    server = served if own.keeps_server_identity else new_server_identity(config, now)
    entry = founding(config, pool, server.certificate, now, own=own, call=CALL)
    return Beginning(belief.roster.pool, entry, pool, server)


async def _nothing() -> None:
    pass
