"""This host's own pool identities: minted and staged, served, deleted.

A host has one, and two while it is refreshed.  Which one it serves is on the disk before it is
served, so that a restart changes nothing.  Keys never leave this host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pooltrust.errors import Failure, Refused, failure
from pooltrust.host.belief import Belief
from pooltrust.host.folder import StateFolder
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.operations.mending import own_steps
from pooltrust.pool.plan.steps import Promote, Retire
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import CertificateAccepted
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile, delete_identity, read_identity, write_identity
from pooltrust.trust.transcript import certificate_request


@failure("NO_SUCH_KEY", cure="Abandon the operation and order the refresh again.")
class NoSuchKey(Refused):
    """{host} has no key for certificate {certificate}…; it can't serve it."""

    host: str
    certificate: str


@failure("KEY_IN_USE", cure="Let the host serve another identity first.")
class KeyInUse(Refused):
    """{host} serves certificate {certificate}… and does not delete its key."""

    host: str
    certificate: str


class Keys:
    """The pool identities of this host.  `lifetime` of new ones; `now`: UTC."""

    def __init__(
        self,
        belief: Belief,
        folder: StateFolder,
        lifetime: timedelta,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._folder = folder
        self._lifetime = lifetime
        self._journal = journal
        self._now = now
        self._one = asyncio.Lock()
        self._healing: asyncio.Task[None] | None = None
        self._several = True  # until it was looked
        self.keyless: Callable[[], None] = lambda: None
        """Called when this host is a member and has no key that is accepted from it."""

    @property
    def serves(self) -> Thumbprint:
        """The certificate that new connections meet."""
        return self._belief.identities.pool.identity.certificate.thumbprint

    async def held(self) -> frozenset[Thumbprint]:
        """The certificates that this host has the keys of, staged ones too."""
        return await asyncio.to_thread(self._held)

    async def mint(self) -> CertificateAccepted:
        """A new identity, on the disk, and the request to have it accepted beside the present one.

        What an earlier request left and nobody accepted is deleted.  Raises CannotStore.
        """
        async with self._one:
            belief = self._belief
            old = belief.identities.pool.identity
            await asyncio.to_thread(self._stay_with, self.serves)
            await asyncio.to_thread(self._drop_staged, belief.roster)
            new = await asyncio.to_thread(
                mint_pool_identity, belief.me, self._now(), lifetime=self._lifetime
            )
            path = self._folder.identity("pool", new.certificate.thumbprint)
            await asyncio.to_thread(write_identity, path, new)
            certificate = new.certificate
            replaces = old.certificate.thumbprint
            said = certificate_request(belief.roster.pool, belief.me, certificate.der, replaces)
            self._several = True
            self._journal.event("identity-minted", certificate=str(certificate.thumbprint))
            return CertificateAccepted(
                belief.me, certificate.der, replaces, old.sign(said), new.sign(said)
            )

    async def promote(self, certificate: Thumbprint) -> None:
        """Serve this identity to new connections, across restarts.

        Raises NoSuchKey, CannotStore.
        """
        async with self._one:
            await self._promote(certificate)

    async def retire(self, certificate: Thumbprint) -> None:
        """Delete this key for good; twice is once.  Raises KeyInUse, CannotStore."""
        async with self._one:
            await self._retire(certificate)

    async def watch(self) -> None:
        """Follow the log from now on: see `heal`."""
        self._belief.watch(self._changed)
        await self._heal_quietly()

    def settled(self) -> None:
        """More is known to be committed: a withdrawn key may go now."""
        if self._several:
            self._heal_soon()

    async def heal(self) -> None:
        """Serve an accepted identity if there is one, and delete withdrawn keys.

        Only keys whose withdrawal is known to be committed go.  Raises CannotStore.
        """
        async with self._one:
            belief = self._belief
            steps = own_steps(
                belief.log,
                belief.me,
                await self.held(),
                self.serves,
                settled=belief.settled or 0,
            )
            for step in steps:
                match step:
                    case Promote(certificate=certificate):
                        await self._promote(certificate)
                    case Retire(certificate=certificate):
                        await self._retire(certificate)
            held, mine = await self.held(), belief.roster.members.get(belief.me)
            self._several = len(held) > 1
            if mine is not None and not held & {c.thumbprint for c in mine.certificates}:
                self.keyless()

    async def close(self) -> None:
        """Finish what is under way."""
        if self._healing is not None:
            await asyncio.gather(self._healing, return_exceptions=True)

    async def _promote(self, certificate: Thumbprint) -> None:
        if certificate == self.serves:
            await asyncio.to_thread(self._stay_with, certificate)
            return
        path = self._folder.identity("pool", certificate)
        try:
            identity = (await asyncio.to_thread(read_identity, path)).identity
        except (OSError, ValueError) as why:
            raise NoSuchKey(self._name, certificate.short) from why
        await asyncio.to_thread(self._stay_with, certificate)
        identities = replace(self._belief.identities, pool=IdentityFile(path, identity))
        await self._belief.serve(identities)
        self._journal.event("identity-served", certificate=str(certificate))

    async def _retire(self, certificate: Thumbprint) -> None:
        if certificate == self.serves:
            raise KeyInUse(self._name, certificate.short)
        path = self._folder.identity("pool", certificate)
        if await asyncio.to_thread(path.exists):
            await asyncio.to_thread(delete_identity, path)
            self._journal.event("identity-deleted", certificate=str(certificate))

    @property
    def _name(self) -> str:
        return self._belief.roster.expect(self._belief.me).name

    def _held(self) -> frozenset[Thumbprint]:
        files = self._folder.identity_files("pool")
        return frozenset(Thumbprint.parse(path.stem.partition("-")[2]) for path in files)

    def _stay_with(self, certificate: Thumbprint) -> None:
        self._folder.serve_pool_identity(certificate)

    def _drop_staged(self, roster: Roster) -> None:
        accepted = {c.thumbprint for c in roster.members[self._belief.me].certificates}
        for thumbprint in self._held() - accepted - {self.serves}:
            delete_identity(self._folder.identity("pool", thumbprint))

    def _changed(self, before: Roster, after: Roster) -> None:
        me = self._belief.me
        mine = before.members.get(me), after.members.get(me)
        if mine[1] is not None and mine[0] != mine[1]:
            self._heal_soon()

    def _heal_soon(self) -> None:
        before = self._healing

        async def heal() -> None:
            if before is not None:
                await asyncio.gather(before, return_exceptions=True)
            await self._heal_quietly()

        self._healing = asyncio.create_task(heal(), name="own-keys")

    async def _heal_quietly(self) -> None:
        try:
            await self.heal()
        except (Failure, OSError) as why:
            self._journal.error("own-keys", words=str(why))
