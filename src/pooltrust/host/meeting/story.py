"""Catching up with a host that is not believed: entries prove themselves.

A member that was away may not know the certificates that the others have by now.  It asks any of
them under the join name, over a connection that it does not trust, and proves only that it holds a
key which the log once accepted.  While that key is accepted it is given the log; when it was
withdrawn meanwhile, the entries up to the one that did so, and nothing later.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from pooltrust.errors import CannotVerify
from pooltrust.host.belief import Belief
from pooltrust.host.meeting.meeting import Meeting
from pooltrust.host.peers import wire
from pooltrust.host.peers.scribe import Scribe, page
from pooltrust.pki.certificate import BadCertificate, Certificate, read
from pooltrust.terms import JOIN_NAME, HostId, PoolId
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import Frames, open_frames
from pooltrust.trust.canonical import statement
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.expect import Anyone

STEP_SECONDS = 10.0


class Teller:
    """The side that has the entries: two steps of a meeting, `knock` and `story`."""

    def __init__(self, belief: Belief) -> None:
        self._belief = belief

    async def knock(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        """Give a nonce to sign."""
        meeting.coordinator_nonce = secrets.token_bytes(wire.NONCE_BYTES)
        return {"nonce": wire.b64(meeting.coordinator_nonce)}

    async def story(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        """Give a page of what whoever holds this certificate's key may know.

        Raises CannotVerify for a key that the log never accepted, or no proof of it.
        """
        if meeting.story is None:
            meeting.story = self._story_for(meeting, frame)
        after = wire.number(frame, "after")
        rest = [signed for signed in meeting.story if signed.envelope.number > after]
        return {"entries": wire.entry_lines(page(rest))}

    def _story_for(self, meeting: Meeting, frame: wire.Frame) -> tuple[SignedEntry, ...]:
        try:
            certificate = read(wire.raw(frame, "certificate"))
        except BadCertificate as why:
            raise wire.PeerMisspoke(f"'certificate' is no certificate: {why}") from why
        mine = self._belief.identities.pool.identity.certificate
        said = _request(self._belief.roster.pool, certificate, mine, meeting.coordinator_nonce)
        proved = bool(meeting.coordinator_nonce) and certificate.verify(
            wire.raw(frame, "signature", limit=1024), said
        )
        story = self._belief.log.story_of(certificate) if proved else ()
        if not story:
            raise CannotVerify(
                "it holds no key that this pool has ever accepted",
                expected="a member, or a host that was one",
                met=f"{certificate.subject} with certificate {certificate.thumbprint}",
                remedy="Join the pool: xe pool-join",
                certificate=certificate.thumbprint,
            )
        return story


class Returning:
    """The side that was away.  `source`: the address to dial from."""

    def __init__(self, belief: Belief, scribe: Scribe, source: str) -> None:
        self._belief = belief
        self._scribe = scribe
        self._source = source

    async def hear_from(self, host: HostId) -> bool:
        """Fetch and check what this member, whoever answers for it, can prove of the log.

        Nothing is trusted and nothing confidential is said.  Returns whether the log has grown.
        Raises CannotConnect, CannotVerify, PeerMisspoke.
        """
        roster = self._belief.roster
        before = self._belief.log.head_hash
        connection = await dial(
            roster.members[host].address,
            roster.port,
            expect=Anyone(because="catching up: entries prove themselves"),
            name=JOIN_NAME,
            source=self._source,
        )
        try:
            await self._listen(open_frames(connection), connection.met, host)
            if roster.pool != self._belief.roster.pool:
                return False  # the story was that of its own dismissal
        finally:
            await connection.close()
        return self._belief.log.head_hash != before

    async def _listen(self, frames: Frames, met: Certificate, host: HostId) -> None:
        answer = await _ask(frames, {"call": "knock"})
        identity = self._belief.identities.pool.identity
        said = _request(self._belief.roster.pool, identity.certificate, met, wire.nonce(answer))
        proof = {
            "certificate": wire.b64(identity.certificate.der),
            "signature": wire.b64(identity.sign(said)),
        }
        while True:
            after = self._belief.log.head_number
            answer = await _ask(frames, {"call": "story", "after": after, **proof})
            entries: Sequence[SignedEntry] = wire.entries(answer)
            await self._scribe.adopt(entries, source=host)
            head = self._belief.log.head_number
            if not entries or head == after or self._belief.me not in self._belief.roster.members:
                return


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
