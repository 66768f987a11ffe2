"""Catching up with a host that is not believed: entries prove themselves.

A member that was away may not know the certificates that the others have by now.  It asks any of
them under the join name, over a connection that it does not trust, and proves only that it holds a
key which the log once accepted.  While that key is accepted it is given the log; when it was
withdrawn meanwhile, the entries up to the one that did so, and nothing later.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pooltrust.errors import CannotVerify
from pooltrust.host.belief import Belief
from pooltrust.host.meeting.facts import facts
from pooltrust.host.meeting.meeting import Meeting
from pooltrust.host.peers import wire
from pooltrust.host.peers.scribe import PAGE_ENTRIES, Scribe, page
from pooltrust.host.telling.conversations import Dialling, Tell, unheard
from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.pool.join import Facts
from pooltrust.terms import JOIN_NAME, HostId, PoolId
from pooltrust.tls.dial import dial
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.frames import Frames, open_frames
from pooltrust.trust.canonical import statement
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.expect import Anyone
from pooltrust.trust.log import Adopted, AlreadyHeld, Gap, Log

STEP_SECONDS = 10.0
MOST_PAGES = 1000


class Teller:
    """The side that has the entries: two steps of a meeting, `knock` and `story`."""

    def __init__(self, belief: Belief) -> None:
        self._belief = belief
        self.knocked: Callable[[HostId, str], None] = lambda _host, _address: None
        """Told of a host that was a member and proved it, and its address."""

    async def knock(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        """Give a nonce to sign."""
        meeting.coordinator_nonce = secrets.token_bytes(wire.NONCE_BYTES)
        return {"nonce": wire.b64(meeting.coordinator_nonce)}

    async def story(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        """Give a page of what whoever holds this certificate's key may know.

        Raises CannotVerify for a key that the log never accepted, or no proof of it.
        """
        if meeting.story is None:
            meeting.story = await self._story_for(meeting, frame)
        log, end = meeting.story
        after = wire.number(frame, "after")
        rest = log.tail(after, min(PAGE_ENTRIES, max(0, end - max(after, log.first - 1))))
        return {"entries": wire.entry_lines(page(rest))}

    async def _story_for(self, meeting: Meeting, frame: wire.Frame) -> tuple[Log, int]:
        """The log, and the number of the last entry of it that this host may know."""
        try:
            certificate = read(wire.raw(frame, "certificate"))
        except BadCertificate as why:
            raise wire.PeerMisspoke(f"'certificate' is no certificate: {why}") from why
        mine = self._belief.identities.pool.identity.certificate
        said = _request(self._belief.roster.pool, certificate, mine, meeting.coordinator_nonce)
        proved = bool(meeting.coordinator_nonce) and certificate.verify(
            wire.raw(frame, "signature", limit=1024), said
        )
        log = self._belief.log
        end = await asyncio.to_thread(log.story_until, certificate) if proved else 0
        if not end:
            raise CannotVerify(
                "it holds no key that this pool has ever accepted",
                expected="a member, or a host that was one",
                met=f"{certificate.subject} with certificate {certificate.thumbprint}",
                remedy="Join the pool: xe pool-join",
                certificate=certificate.thumbprint,
            )
        if self._belief.roster.host_of(certificate.thumbprint) is None:
            self.knocked(HostId(certificate.common_name), meeting.address)
        return log, end


class Story:
    """What somebody who is not believed can prove of the log, page by page.  Made by `hearing`."""

    def __init__(self, belief: Belief, frames: Frames, met: Certificate) -> None:
        self._belief = belief
        self._frames = frames
        self.met = met
        """The certificate of whoever answers."""
        self._proof: wire.Frame | None = None

    async def facts(self) -> Facts:
        """What it says of itself.  Raises PeerMisspoke, or its refusal."""
        return facts(await _ask(self._frames, {"call": "facts"}))

    async def after(self, number: int) -> list[SignedEntry]:
        """A page of the entries after this number, not verified; empty at the end.

        Raises PeerMisspoke, or what it refuses this host with.
        """
        proof = self._proof or await self._prove()
        return wire.entries(await _ask(self._frames, {"call": "story", "after": number, **proof}))

    async def _prove(self) -> wire.Frame:
        answer = await _ask(self._frames, {"call": "knock"})
        identity, pool = self._belief.identities.pool.identity, self._belief.roster.pool
        said = _request(pool, identity.certificate, self.met, wire.nonce(answer))
        signature = wire.b64(identity.sign(said))
        self._proof = {"certificate": wire.b64(identity.certificate.der), "signature": signature}
        return self._proof


@asynccontextmanager
async def hearing(belief: Belief, address: str, source: str, observe: Tell) -> AsyncIterator[Story]:
    """Hear whoever answers there, at the pool's port.  `source`: the address to dial from.

    Nothing is trusted and nothing confidential is said.  Raises CannotConnect, CannotVerify.
    """
    connection = await Dialling(observe, Kind.RETURNING, address, address).told(
        dial(
            address,
            belief.roster.port,
            expect=Anyone(because="catching up: entries prove themselves"),
            name=JOIN_NAME,
            source=source,
        )
    )
    try:
        yield Story(belief, open_frames(connection), connection.met)
    finally:
        await connection.close()


class Returning:
    """The side that was away.  `source`: the address to dial from."""

    def __init__(self, belief: Belief, scribe: Scribe, source: str) -> None:
        self._belief = belief
        self._scribe = scribe
        self._source = source
        self.observe: Tell = unheard

    async def hear_from(self, host: HostId) -> None:
        """Fetch and check what this member, whoever answers for it, can prove of the log.

        Raises CannotConnect, CannotVerify, PeerMisspoke.
        """
        address = self._belief.roster.members[host].address
        async with hearing(self._belief, address, self._source, self.observe) as story:
            await self._listen(story, host)

    async def _listen(self, story: Story, host: HostId) -> None:
        after, adopted = self._belief.log.head_number, False
        for _ in range(MOST_PAGES):
            entries = await story.after(after)
            outcome = await self._scribe.adopt(entries, source=host)
            log = self._belief.log
            match outcome:
                case Adopted() if self._belief.me in log.roster.members:
                    after, adopted = log.head_number, True
                case AlreadyHeld() if log.head_number > after:
                    after, adopted = log.head_number, True  # another one has told it meanwhile
                case Gap(need_after=earlier) if earlier < after:
                    after = earlier
                case AlreadyHeld() if not entries and not adopted and after >= log.first:
                    after = further_back(log, after)  # it may hold other entries in their place
                case _:
                    return


def further_back(log: Log, after: int) -> int:
    """Where to look for the common beginning of two logs: twice as far back each time."""
    return max(log.first - 1, log.head_number - 2 * (log.head_number - after + 1))


async def _ask(frames: Frames, frame: wire.Frame) -> wire.Frame:
    await frames.send(frame)
    answer = await frames.receive(STEP_SECONDS)
    if "refused" in answer:
        raise wire.refused(answer["refused"])
    return answer


def _request(pool: PoolId, of: Certificate, to: Certificate, nonce: bytes) -> bytes:
    """What the asker signs: whose key, to whom, and the nonce of this connection."""
    return statement(
        "story-request",
        {
            "pool": pool,
            "certificate": str(of.thumbprint),
            "to": str(to.thumbprint),
            "nonce": nonce.hex(),
        },
    )
