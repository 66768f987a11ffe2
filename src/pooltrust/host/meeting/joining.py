"""Joining another pool, from the call to the new life as a supporter.

A join that fails leaves this host as it was.  Once its admission may have been written, only the
pool knows: this host keeps what it staged and asks until it knows too, restarts included.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from pooltrust.errors import (
    CannotStore,
    Failure,
    NotAccepted,
    OperationNotAllowed,
    Suspended,
    failure,
)
from pooltrust.host.belief import Belief, Identities
from pooltrust.host.folder import StateFolder
from pooltrust.host.meeting.facts import Ejected, own_facts
from pooltrust.host.meeting.joiner import Doubtful, Joiner, Papers, Phone
from pooltrust.host.meeting.proofs import ByCode, ByPassword, JoinerProof
from pooltrust.host.meeting.staging import Staged, Staging
from pooltrust.host.peers import wire
from pooltrust.host.peers.greeting import greet
from pooltrust.host.telling.conversations import Conversation, Tell, unheard
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.bringing import packed
from pooltrust.pool.code import JoinCode
from pooltrust.pool.operations.join import join_preview
from pooltrust.pool.plan.preview import Preview
from pooltrust.terms import POOL_NAME, Thumbprint
from pooltrust.tls.frames import open_frames
from pooltrust.trust.store import IdentityFile, open_log

SURE_SECONDS = 60.0
RETRY_SECONDS = 5.0
PAGE_SECONDS = 30.0
BRING_SECONDS = 30.0


@failure(
    "JOIN_IN_DOUBT",
    cure="Nothing needs to be done: this host asks the pool until it knows.  "
    "See how it stands: pooltrust host status",
)
class JoinInDoubt(Suspended):
    """The pool was asked to admit this host and its answer was lost."""


class Joining:
    """This host's joins, one at a time.

    `forget` is awaited before this host becomes a member of another pool: its records go.  `joined`
    is called when it has become one.  `admitting` says whether this host is letting somebody into
    its own pool: it can't do both.  `now`: UTC.
    """

    def __init__(
        self,
        belief: Belief,
        folder: StateFolder,
        source: str,
        lifetime: timedelta,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._folder = folder
        self._phone = Phone(source, belief.check_dates, self._observed)
        self._lifetime = lifetime
        self._journal = journal
        self._now = now
        self._staging = Staging(folder)
        self._one = asyncio.Lock()
        self._doubt: asyncio.Task[None] | None = None
        self._closed = False
        self.observe: Tell = unheard
        self.forget: Callable[[], Awaitable[None]] = _nothing
        self.joined: Callable[[], None] = lambda: None
        self.admitting: Callable[[], bool] = lambda: False
        self.brought: Callable[[], Awaitable[None]] = _nothing
        """Waits until the pool was told what this host trusted, or could not be."""
        self.lists: Callable[[], Mapping[str, bytes]] = dict
        """The revocation lists (DER) of this host's pool, by name."""

    @property
    def under_way(self) -> bool:
        """Whether this host is on its way into another pool, or may be."""
        doubting = self._doubt is not None and not self._doubt.done()
        return self._one.locked() or doubting

    def _observed(self, seen: Conversation) -> None:
        self.observe(seen)

    async def by_password(self, address: str, port: int, username: str, password: str) -> None:
        """Join the pool whose coordinator answers there, proving this account's password."""
        async with self._one:
            joiner = await self._joiner()
            met = await joiner.look(address, port)
            await self._join(joiner, address, port, met, ByPassword(username, password))

    async def by_code(self, code: JoinCode) -> None:
        """Join the pool that made this code; every address in it is tried."""
        async with self._one:
            joiner = await self._joiner()
            for last, address in enumerate(code.addresses, 1 - len(code.addresses)):
                try:
                    await self._join(joiner, address, code.port, code.thumbprint, ByCode(code))
                    return
                except Failure as why:
                    if last == 0 or why.code != "JOINING_HOST_CONNECTION_FAILED":
                        raise

    async def preview(self, address: str, port: int) -> Preview:
        """What a join there would do; whoever answers is looked at and told nothing."""
        async with self._one:
            joiner = await self._joiner()
            pool, met = await joiner.survey(address, port)
            return join_preview(own_facts(self._belief, self.lists()), pool, met)

    async def resume(self) -> None:
        """Go on with a join that was in doubt when the daemon stopped."""
        staged = await asyncio.to_thread(self._staging.pending)
        if staged is not None:
            self._wonder(staged)

    async def close(self) -> None:
        """Stop asking; what is staged stays."""
        self._closed = True
        if self._doubt is not None:
            self._doubt.cancel()
            await asyncio.gather(self._doubt, return_exceptions=True)

    async def _joiner(self) -> Joiner:
        if self._belief.me not in self._belief.roster.members:
            raise Ejected()
        if not self._belief.is_coordinator:
            raise OperationNotAllowed("Host is already part of a pool")
        if self.admitting():
            raise OperationNotAllowed("This host is letting another host into its own pool")
        if self._doubt is not None and not self._doubt.done():
            raise JoinInDoubt()
        identity = await asyncio.to_thread(
            mint_pool_identity, self._belief.me, self._now(), lifetime=self._lifetime
        )
        server = self._belief.identities.server.identity.certificate
        lists = self.lists()
        luggage = packed(self._belief.roster, lists)
        papers = Papers(own_facts(self._belief, lists), identity, server, luggage)
        return Joiner(papers, self._staging, self._phone, self._journal.event)

    async def _join(
        self, joiner: Joiner, address: str, port: int, met: Thumbprint, proof: JoinerProof
    ) -> None:
        try:
            staged = await joiner.join(address, port, met, proof)
        except Doubtful as doubt:
            self._wonder(doubt.staged)
            raise JoinInDoubt() from doubt
        try:
            await self._become(staged)
        except (Failure, OSError) as why:  # this host's disk; the pool has admitted it
            self._wonder(staged)
            raise JoinInDoubt() from why
        with suppress(TimeoutError):
            async with asyncio.timeout(BRING_SECONDS):
                await self.brought()

    async def _become(self, staged: Staged) -> None:
        old = self._belief.identities
        await self.forget()
        await asyncio.to_thread(self._staging.promote, staged)
        path = self._folder.identity("pool", staged.identity.certificate.thumbprint)
        file, _ = await asyncio.to_thread(open_log, self._folder.log)
        identities = Identities(pool=IdentityFile(path, staged.identity), server=old.server)
        await self._belief.become(staged.log, file, identities)
        self._journal.event(
            "joined", pool=staged.log.roster.pool, coordinator=staged.log.roster.coordinator
        )
        self.joined()
        try:
            await asyncio.to_thread(self._staging.discard)
        except CannotStore as why:  # the next start sees that the join is complete
            self._journal.warning("staging-left", words=str(why))

    def _wonder(self, staged: Staged) -> None:
        if not self._closed:
            self._doubt = asyncio.create_task(self._ask_until_known(staged), name="join-in-doubt")

    async def _ask_until_known(self, staged: Staged) -> None:
        since = time.monotonic()
        while True:
            try:
                staged = await self._asked(staged)
                await self._become(staged)
                return
            except (Failure, OSError) as why:
                # Only the coordinator itself can say that it has not admitted this host.
                if isinstance(why, NotAccepted) and time.monotonic() - since > SURE_SECONDS:
                    self._journal.warning("join-not-admitted", words=str(why))
                    await asyncio.to_thread(self._staging.discard)
                    return
                reason = getattr(why, "code", "OS_ERROR")
                self._journal.damped(
                    "join-in-doubt", peer=staged.address, reason=reason, words=str(why)
                )
            await asyncio.sleep(RETRY_SECONDS)

    async def _asked(self, staged: Staged) -> Staged:
        """Meet the coordinator as a member and fetch the log up to this host's admission.

        Whoever it lets in was admitted.
        """
        coordinator = staged.log.roster.coordinator
        mine = self._as_member(staged)
        connection = await self._phone.dial(
            staged.address,
            staged.port,
            expect=staged.log.roster.expect(coordinator),
            name=POOL_NAME,
            identity=mine.identities.pool.path,
        )
        try:
            frames = open_frames(connection)
            await greet(frames, mine, coordinator, secrets.token_bytes(wire.NONCE_BYTES))
            while not staged.admitted:
                await frames.send({"call": "log", "after": staged.log.head_number})
                staged = await self._longer(staged, await frames.receive(PAGE_SECONDS))
            return staged
        finally:
            await connection.close()

    async def _longer(self, staged: Staged, answer: wire.Frame) -> Staged:
        if "refused" in answer:
            raise wire.refused(answer["refused"])
        page = wire.entries(answer)
        if not page:
            raise wire.PeerMisspoke("a log without the admission of a member")
        longer = staged.grown(page)
        await asyncio.to_thread(self._staging.extend, longer.log)
        return longer

    def _as_member(self, staged: Staged) -> Belief:
        """What this host would believe if it were a member, for its greeting."""
        pool = IdentityFile(self._staging.identity, staged.identity)
        return Belief(
            self._belief.me,
            staged.log,
            None,
            Identities(pool=pool, server=self._belief.identities.server),
            self._belief.start,
            check_dates=self._belief.check_dates,
        )


async def _nothing() -> None:
    pass
