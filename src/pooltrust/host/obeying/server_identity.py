"""This host's server identity: what clients meet, changed by its administrator.

The trust log says which one it is, and the host that it is about signs that.  The key is on the
disk before the entry is asked for, and the replaced one is deleted only when the entry is there; so
a crash leaves one or the other, and `heal` does the rest.  In an emergency the host changes it by
itself, and owes the entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pooltrust.errors import Failure
from pooltrust.host.belief import Belief
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import StateFolder
from pooltrust.host.founding import new_server_identity
from pooltrust.host.meeting.facts import Ejected
from pooltrust.host.obeying.registering import Registrar
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.identity import Identity
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import ServerIdentityChanged
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile, delete_identity, read_identity, write_identity
from pooltrust.trust.transcript import server_statement

OWED = "host.emergency_reset_server_certificate"


class ServerIdentity:
    """The server identity of this host.  `now`: UTC.

    `changed` is told to end client connections that were made with the one before; `forget` is
    awaited after a reset, to delete what an authority was asked for.
    """

    def __init__(
        self,
        belief: Belief,
        folder: StateFolder,
        config: Config,
        registrar: Registrar,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._folder = folder
        self._config = config
        self._registrar = registrar
        self._journal = journal
        self._now = now
        self._one = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self.changed: Callable[[], None] = lambda: None
        self.forget: Callable[[], Awaitable[None]] = _nothing

    @property
    def served(self) -> Identity:
        """What new clients meet."""
        return self._belief.identities.server.identity

    async def install(self, identity: Identity, *, by: str, call: str) -> None:
        """Serve this identity, which was judged before, once the trust log says so.

        Raises what keeps the log from that, with everything as it was; CannotStore.
        """
        async with self._one:
            if identity == self.served:
                return
            await self._register(identity, by, call)
            await self._serve(identity)

    async def reset(self, *, by: str, call: str) -> Thumbprint:
        """Serve a new self-signed identity and delete the present one.  Raises as `install`."""
        new = await asyncio.to_thread(new_server_identity, self._config, self._now())
        await self.install(new, by=by, call=call)
        await self.forget()
        return new.certificate.thumbprint

    async def emergency_reset(self) -> Thumbprint:
        """The same without the pool: the entry is written when the coordinator answers.

        Raises CannotStore.
        """
        async with self._one:
            new = await asyncio.to_thread(new_server_identity, self._config, self._now())
            await self._keep(new)
            await self._serve(new)
        await self.forget()
        self.settle_soon()
        return new.certificate.thumbprint

    def watch(self) -> None:
        """Follow the log from now on."""
        self._belief.watch(self._log_changed)

    def heard(self) -> None:
        """A member answers: what is owed may be paid."""
        if self._said() not in (None, self.served.certificate.thumbprint):
            self.settle_soon()

    def settle_soon(self) -> None:
        """Have the log and this host agree, now that there may be a coordinator to ask."""
        if not self._background:
            task = asyncio.create_task(self._settle(), name="server-identity")
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def heal(self) -> None:
        """Serve what the log says if its key is here, and delete the others.

        If it is not here, the log is owed what is served.  Raises what keeps it from that.
        """
        async with self._one:
            said = self._said()
            if said is None:
                return
            if said != self.served.certificate.thumbprint:
                kept = await self._kept(said)
                if kept is None:
                    await self._register(self.served, by="root", call=OWED)
                else:
                    await self._serve(kept)
            await asyncio.to_thread(self._delete_others, self.served.certificate.thumbprint)

    async def close(self) -> None:
        """Stop; what is owed is paid after the next start."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    def _said(self) -> Thumbprint | None:
        member = self._belief.roster.members.get(self._belief.me)
        return member.server.thumbprint if member else None

    async def _register(self, identity: Identity, by: str, call: str) -> None:
        await self._keep(identity)
        try:
            await self._registrar.register(self._statement(identity), by, call)
        except Failure:
            if self._said() != identity.certificate.thumbprint and identity != self.served:
                await asyncio.to_thread(delete_identity, self._path(identity))
            raise

    def _statement(self, identity: Identity) -> ServerIdentityChanged:
        belief = self._belief
        member = belief.roster.members.get(belief.me)
        if member is None:  # dismissed while the key was being written
            raise Ejected
        server = identity.certificate.der
        chain = tuple(one.der for one in identity.chain)
        change = member.changes + 1
        said = server_statement(belief.roster.pool, belief.me, server, chain, change)
        signature = belief.identities.pool.identity.sign(said)
        return ServerIdentityChanged(belief.me, server, chain, signature)

    async def _serve(self, identity: Identity) -> None:
        file = IdentityFile(self._path(identity), identity)
        await self._belief.serve(replace(self._belief.identities, server=file))
        thumbprint = identity.certificate.thumbprint
        await asyncio.to_thread(self._delete_others, thumbprint)
        self._journal.event("server-identity-served", certificate=str(thumbprint))
        self.changed()

    async def _keep(self, identity: Identity) -> None:
        await asyncio.to_thread(write_identity, self._path(identity), identity)

    async def _kept(self, thumbprint: Thumbprint) -> Identity | None:
        path = self._folder.identity("server", thumbprint)
        try:
            return (await asyncio.to_thread(read_identity, path)).identity
        except (OSError, ValueError):
            return None

    def _delete_others(self, thumbprint: Thumbprint) -> None:
        keep = self._folder.identity("server", thumbprint)
        for path in self._folder.identity_files("server"):
            if path != keep:
                delete_identity(path)

    def _path(self, identity: Identity) -> Path:
        return self._folder.identity("server", identity.certificate.thumbprint)

    def _log_changed(self, before: Roster, after: Roster) -> None:
        me = self._belief.me
        if me in after.members and before.members.get(me) != after.members[me]:
            self.settle_soon()

    async def _settle(self) -> None:
        try:
            await self.heal()
        except Failure as why:
            self._journal.damped("server-identity", peer="", reason=why.code, words=str(why))
        except OSError as why:
            self._journal.damped("server-identity", peer="", reason="OS_ERROR", words=str(why))


async def _nothing() -> None:
    pass
