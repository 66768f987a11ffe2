"""Dialling members: verified, greeted, and silent about everything but heads and log until current.

A link is one greeted connection.  `Peers.call` makes one, asks one thing and closes it; what is
asked of a member other than heads and log goes out only when this host knows that it has missed
nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pooltrust.errors import CannotConnect, CannotContactHost, CannotVerify, Failure, Unreachable
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.greeting import Greeted, checked_head, greet
from pooltrust.host.peers.sightings import Sightings
from pooltrust.host.telling.conversations import Dialling, Tell, unheard
from pooltrust.host.telling.witness import Witness
from pooltrust.terms import POOL_NAME, HostId
from pooltrust.tls.dial import Connection, dial
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.frames import Frames, open_frames
from pooltrust.trust.expect import Anyone, Member
from pooltrust.trust.heads import Head
from pooltrust.trust.roster import Roster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pooltrust.host.telling.journal import Journal

CALL_SECONDS = 30.0
DIAL_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
"""How long the coordinator alone is asked whether anything was missed, before all are."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A greeted connection to one member.

    `verified` is false only while this host does not enforce verification and met somebody else.
    """

    connection: Connection
    frames: Frames
    greeted: Greeted
    verified: bool

    async def ask(self, call: str, *, within: float = CALL_SECONDS, **fields: object) -> wire.Frame:
        """Ask one thing and wait for its answer, `within` seconds.

        Raises what the peer reports, PeerMisspoke, or Unreachable.
        """
        await self.frames.send({"call": call, **fields})
        answer = await self.frames.receive(within)
        if "refused" in answer:
            raise wire.refused(answer["refused"])
        return answer


class Peers:
    """How this host reaches the other members.

    `clock` gives monotonic seconds.  `behind` is awaited with a link to a member whose log differs
    from this host's: longer, or with another entry of the same number.  `unknown` is told of a
    member that did not prove itself, or refused us, and how: this host may have missed something.
    """

    def __init__(
        self,
        belief: Belief,
        sightings: Sightings,
        witness: Witness,
        journal: Journal,
        *,
        source: str,
        clock: Callable[[], float],
    ) -> None:
        self.belief = belief
        self.sightings = sightings
        self.witness = witness
        self._journal = journal
        self._source = source
        self._clock = clock
        self._becoming_current = asyncio.Lock()
        self._open_links: set[Link] = set()
        self._found: dict[HostId, str] = {}
        """Where members have proved themselves, if not at their addresses in the roster."""
        self._astray: set[HostId] = set()
        """Those of them who did not answer at their addresses in the roster."""
        belief.watch(self._hang_up)
        self.behind: Callable[[Link], Awaitable[None]] | None = None
        self.unknown: Callable[[HostId, CannotVerify], None] | None = None
        self.observe: Tell = unheard

    @asynccontextmanager
    async def link(self, host: HostId, *, lasting: bool = False) -> AsyncIterator[Link]:
        """Dial and greet this member; its head is noted, and missed entries are fetched.

        `lasting`: it is not closed when the host is dismissed, so that it can be told of it.
        Raises CannotVerify, CannotContactHost, or the peer's refusal.
        """
        async with AsyncExitStack() as stack:
            asked = self._clock()
            link = await self._open(host, stack)
            if not lasting:
                self._open_links.add(link)
                stack.callback(self._open_links.discard, link)
            if (head := link.greeted.head) is not None:
                self.sightings.note(head, asked)
                if link.greeted.signed is not None:
                    self.witness.note(link.greeted.signed, head)
                if self.sightings.differs(head) and self.behind is not None:
                    await self.behind(link)
            yield link

    def found(self, host: HostId, address: str) -> None:
        """This member has proved itself from, or at, this address: it may have moved there."""
        member = self.belief.roster.members.get(host)
        if member is not None and member.address != address:
            self._found[host] = address

    def _hang_up(self, before: Roster, after: Roster) -> None:
        """Nothing more is said to a host that is no member any more, nor heard from it."""
        for host in list(self._found):
            if before.members.get(host) != after.members.get(host):
                del self._found[host]
                self._astray.discard(host)
        for link in list(self._open_links):
            if link.greeted.host not in after.members:
                link.frames.abort()

    async def call(
        self, host: HostId, call: str, *, within: float = CALL_SECONDS, **fields: object
    ) -> wire.Frame:
        """Ask this member one thing that only members may hear; this host is current first."""
        async with self.link(host) as link:
            if not self.sightings.current(self._clock()):
                await self.become_current()
            self._still_expected(host, link)  # what was fetched meanwhile may have withdrawn it
            return await link.ask(call, within=within, **fields)

    async def call_verified(
        self, host: HostId, call: str, *, within: float = CALL_SECONDS, **fields: object
    ) -> wire.Frame:
        """Like `call`, to a member that has proved itself even while verification is off.

        Raises CannotVerify, with nothing said, for one that has not.
        """
        async with self.link(host) as link:
            if not self.sightings.current(self._clock()):
                await self.become_current()
            member = self._expected(host)
            if link.connection.met.thumbprint not in member.accepted:
                raise _not_it(member, link, "it did not prove itself, and this is confidential")
            return await link.ask(call, within=within, **fields)

    @property
    def current(self) -> bool:
        """Whether this host knows now that it has missed nothing."""
        return self.sightings.current(self._clock())

    async def become_current(self) -> None:
        """Know that nothing was missed, by heads of the coordinator or of more than half.

        Raises Unreachable when too few members answer.
        """
        async with self._becoming_current:
            if self.sightings.current(self._clock()):
                return
            roster = self.belief.roster
            looking: set[asyncio.Task[bool]] = set()
            if not self.belief.is_coordinator:
                looking.add(asyncio.create_task(self.look(roster.coordinator)))
            try:
                if not await self._current_by(looking, within=PATIENCE_SECONDS):
                    others = roster.members.keys() - {roster.coordinator, self.belief.me}
                    looking |= {asyncio.create_task(self.look(host)) for host in others}
                    await self._current_by(looking)
            finally:
                for task in looking:
                    task.cancel()
                await asyncio.gather(*looking, return_exceptions=True)
            if not self.sightings.current(self._clock()):
                raise not_current(self.belief)

    async def _current_by(
        self, looking: set[asyncio.Task[bool]], within: float | None = None
    ) -> bool:
        """Whether these looks make this host current; one that takes long keeps it no longer."""
        until, pending = self._clock() + (within or 0.0), looking
        while pending and not self.sightings.current(self._clock()):
            left = max(0.0, until - self._clock()) if within is not None else None
            done, pending = await asyncio.wait(
                pending, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
        return self.sightings.current(self._clock())

    async def look_around(self) -> None:
        """Fetch the heads of all members at once."""
        others = [host for host in self.belief.roster.members if host != self.belief.me]
        await asyncio.gather(*(self.look(host) for host in others))

    async def look(self, host: HostId) -> bool:
        """Fetch this member's head; false, and a line in the journal, if that fails."""
        try:
            async with self.link(host):
                return True
        except Failure as why:
            self._journal.damped("peer-not-met", peer=host, reason=why.code, words=str(why))
            if isinstance(why, CannotVerify) and self.unknown is not None:
                self.unknown(host, why)
        except Exception as why:  # noqa: BLE001 - one peer must not keep us from the others
            self._journal.defect("peer-defect", why, peer=host)
        return False

    async def adopted(self, link: Link, entries: list[str]) -> Head:
        """Have the member at the other end adopt these log lines, and note the head that it signs.

        The signed head, not the connection, proves what it holds.
        """
        nonce, asked = secrets.token_bytes(wire.NONCE_BYTES), self._clock()
        answer = await link.ask("adopt", entries=entries, nonce=wire.b64(nonce))
        head = checked_head(self.belief, wire.head(answer), link.greeted.host, nonce)
        self.sightings.note(head, asked)
        return head

    async def _open(self, host: HostId, stack: AsyncExitStack) -> Link:
        dialling, connection = self._dialling(host), None
        try:
            member, connection = await self._meet(host)
            stack.push_async_callback(connection.close)
            link = await self._greeted(member, connection)
        except Failure as why:
            dialling.failed(why, connection)
            raise
        dialling.came(connection, proved=link.verified)
        return link

    def _dialling(self, host: HostId) -> Dialling:
        member = self.belief.roster.members.get(host)
        if member is None:
            return Dialling(unheard, Kind.MEMBER, host, "")
        shown = str(self.belief.identities.pool.identity.certificate.thumbprint)
        expected = str(self.belief.roster.expect(host))
        return Dialling(self.observe, Kind.MEMBER, host, member.address, shown, expected)

    async def _greeted(self, member: Member, connection: Connection) -> Link:
        verified = connection.met.thumbprint in member.accepted
        if not verified:
            self._journal.damped(
                "unverified-peer", peer=member.host, reason="verification-off",
                expected=str(member), met=str(connection.met.thumbprint),
            )  # fmt: skip
        frames = open_frames(connection)
        nonce = secrets.token_bytes(wire.NONCE_BYTES)
        greeted = await greet(
            frames, self.belief, member.host, nonce, witness=self.witness, proved=verified
        )
        return Link(connection, frames, greeted, verified)

    def _still_expected(self, host: HostId, link: Link) -> None:
        member = self._expected(host)
        must = link.verified or self.belief.enforcing  # what was fetched may require it by now
        if must and link.connection.met.thumbprint not in member.accepted:
            raise _not_it(member, link, "its certificate is not accepted, or no longer")

    def _expected(self, host: HostId) -> Member:
        if host not in self.belief.roster.members:
            raise CannotContactHost(host, why="it is no member of this pool")
        return self.belief.roster.expect(host)

    async def _meet(self, host: HostId) -> tuple[Member, Connection]:
        """Dial this member; once more if we learned of its refresh while we dialled."""
        member = self._expected(host)
        try:
            return member, await self._dial(host, member)
        except CannotVerify as why:
            newer = self._expected(host)
            if why.certificate not in newer.accepted - member.accepted:
                raise
            return newer, await self._dial(host, newer)

    async def _dial(self, host: HostId, member: Member) -> Connection:
        there, found = self.belief.roster.members[host].address, self._found.get(host)
        if found is None:
            return await self._dial_at(there, host, member)
        first, second = (found, there) if host in self._astray else (there, found)
        try:
            return await self._dial_at(first, host, member)
        except (CannotContactHost, CannotVerify) as why:
            # Where it is not is tried last from now on: an address that is no more may take its
            # whole deadline to say so.
            if first == there:
                self._astray.add(host)
            else:
                self._astray.discard(host)
            try:
                return await self._dial_at(second, host, member)
            except CannotContactHost:
                raise why from None

    async def _dial_at(self, address: str, host: HostId, member: Member) -> Connection:
        belief = self.belief
        try:
            return await dial(
                address,
                belief.roster.port,
                expect=member if belief.enforcing else Anyone(because="verification is off"),
                name=POOL_NAME,
                identity=belief.identities.pool.path,
                source=self._source,
                deadline=DIAL_SECONDS,
                check_dates=belief.check_dates,
            )
        except CannotConnect as why:
            where = f"{member.name} at {why.address} port {why.port}"
            raise CannotContactHost(host, why=f"{where}: {why.why}") from why


def _not_it(member: Member, link: Link, why: str) -> CannotVerify:
    met = link.connection.met.thumbprint
    return CannotVerify(
        why,
        expected=str(member),
        met=str(met),
        remedy="Look for the reason in the log: pooltrust log show",
        certificate=met,
    )


def not_current(belief: Belief) -> Unreachable:
    """This host can't know whether it missed something."""
    name = belief.roster.expect(belief.roster.coordinator).name
    return CannotContactHost(
        belief.roster.coordinator,
        why=f"this host does not know whether it has missed a change of the pool: neither its "
        f"coordinator {name} nor more than half of the members confirmed its log in the last "
        "minute",
    )
