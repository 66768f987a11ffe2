"""This host's own pool identities: minted and staged, served, deleted.

A host has one, and two while it is refreshed.  Which one it serves is on the disk before it is
served, so that a restart changes nothing.  Keys never leave this host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pooltrust.errors import CannotStore, Failure, Refused, failure
from pooltrust.host.belief import Belief
from pooltrust.host.folder import StateFolder
from pooltrust.host.obeying.minting import held, minted
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.operations.mending import own_steps
from pooltrust.pool.plan.steps import Promote, Retire
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import CertificateAccepted
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile, delete_identity, read_identity
from pooltrust.trust.transcript import certificate_request

AGAIN_SECONDS = 10.0
"""How long after a failed disk this host tries again what it owes."""


@failure("NO_SUCH_KEY", cure="Abandon the operation and order the refresh again.")
class NoSuchKey(Refused):
    """{host} has no key for certificate {certificate}…; it can't serve it."""

    host: str
    certificate: str


@failure("NOT_ACCEPTED_YET", cure="Have the trust log accept it first: order the refresh again.")
class NotAcceptedYet(Refused):
    """{host} is not to serve certificate {certificate}…, which its trust log does not accept."""

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
        self._later: asyncio.TimerHandle | None = None
        self._closed = False
        self.keyless: Callable[[], None] = lambda: None
        """Called when this host is a member and has no key that is accepted from it."""

    @property
    def serves(self) -> Thumbprint:
        """The certificate that new connections meet."""
        return self._belief.identities.pool.identity.certificate.thumbprint

    async def held(self) -> frozenset[Thumbprint]:
        """The certificates that this host has the keys of, staged ones too."""
        return await asyncio.to_thread(held, self._folder)

    async def mint(self) -> CertificateAccepted:
        """A new identity, on the disk, and the request to have it accepted beside the present one.

        What earlier requests left is deleted after a while: see minting.py.  Raises CannotStore.
        """
        async with self._one:
            belief = self._belief
            old = belief.identities.pool.identity
            await asyncio.to_thread(self._stay_with, self.serves)
            new = await asyncio.to_thread(minted, self._folder, belief, self._now(), self._lifetime)
            self._several = True
            certificate, replaces = new.certificate, old.certificate.thumbprint
            self._journal.event("identity-minted", certificate=str(certificate.thumbprint))
            said = certificate_request(belief.roster.pool, belief.me, certificate.der, replaces)
            return CertificateAccepted(
                belief.me, certificate.der, replaces, old.sign(said), new.sign(said)
            )

    async def promote(self, certificate: Thumbprint) -> None:
        """Serve this identity to new connections, across restarts.

        Raises NotAcceptedYet for one that the log does not accept, NoSuchKey, CannotStore.
        """
        async with self._one:
            # Only here: while it waited its turn the log may have withdrawn it.  What comes from
            # now on has `heal` wait its turn.
            if self._belief.roster.host_of(certificate) != self._belief.me:
                raise NotAcceptedYet(self._name, certificate.short)
            await self._promote(certificate)

    async def retire(self, certificate: Thumbprint) -> None:
        """Delete this key for good; twice is once.  Raises KeyInUse, CannotStore."""
        async with self._one:
            try:
                await self._retire(certificate)
            except CannotStore:
                self._heal_later()
                raise

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
            there, mine = await self.held(), belief.roster.members.get(belief.me)
            self._several = len(there) > 1
            if mine is not None and not there & {c.thumbprint for c in mine.certificates}:
                self.keyless()

    async def close(self) -> None:
        """Finish what is under way."""
        self._closed = True
        if self._later is not None:
            self._later.cancel()
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

    def _stay_with(self, certificate: Thumbprint) -> None:
        self._folder.serve_pool_identity(certificate)

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
            self._journal.damped("own-keys", peer="", reason=_code(why), words=str(why))
            self._heal_later()

    def _heal_later(self) -> None:
        """The disk may be repaired by then; nothing else might come that has it tried again."""
        if self._later is not None:
            self._later.cancel()
        if not self._closed:
            self._later = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._heal_soon)


def _code(why: Exception) -> str:
    return why.code if isinstance(why, Failure) else "OS_ERROR"
