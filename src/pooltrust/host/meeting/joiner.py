"""The joiner's side of a first meeting.

Look (nothing is said), connect again expecting exactly the certificate that was met, prove both
sides, fetch and check the pool's log, and only then ask to be admitted.  No secret is sent: a join
code or a password is proved over a transcript that holds both sides' certificates.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pooltrust.errors import (
    BadEntry,
    CannotConnect,
    CannotVerify,
    Failure,
    FrameError,
    HostIsSlave,
    JoiningHostConnectionFailed,
    JoiningHostServiceFailed,
    Unreachable,
)
from pooltrust.host.meeting.facts import facts, facts_content
from pooltrust.host.meeting.proofs import JoinerProof
from pooltrust.host.meeting.staging import Staged, Staging
from pooltrust.host.peers import wire
from pooltrust.host.peers.scribe import NotCommitted
from pooltrust.host.place import bracketed
from pooltrust.host.telling.conversations import Dialling, Tell, unheard
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.identity import Identity
from pooltrust.pool.bringing import NOTHING, Luggage
from pooltrust.pool.join import Facts, all_at_once, blockers
from pooltrust.terms import JOIN_NAME, Thumbprint
from pooltrust.tls.dial import Connection, dial
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.frames import Frames, open_frames
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.expect import Anyone, Expectation, Member, Pinned
from pooltrust.trust.log import Log
from pooltrust.trust.transcript import statement, transcript

STEP_SECONDS = 30.0
ADMIT_SECONDS = 60.0
MEETING_SECONDS = 180.0
"""As long as a coordinator bears with one meeting."""
MOST_ENTRIES = 200_000


@dataclass(frozen=True, slots=True)
class Papers:
    """What a joiner brings: its facts, an identity minted for this join, its server certificate,
    and what it trusts."""

    facts: Facts
    identity: Identity
    server: Certificate
    luggage: Luggage = NOTHING


@dataclass(frozen=True, slots=True)
class Phone:
    """How this host dials at a first meeting: from which address, and whether dates count."""

    source: str
    check_dates: bool
    observe: Tell = unheard

    async def dial(
        self,
        address: str,
        port: int,
        *,
        expect: Expectation,
        name: str,
        identity: Path | None = None,
    ) -> Connection:
        """See tls/dial.py."""
        dialling = Dialling(self.observe, _kind(expect), f"{bracketed(address)}:{port}", address)
        return await dialling.told(
            dial(
                address,
                port,
                expect=expect,
                name=name,
                identity=identity,
                source=self.source,
                check_dates=self.check_dates,
            )
        )

    def failed(self, connection: Connection, why: Failure) -> None:
        """A meeting came to nothing."""
        place = f"{bracketed(connection.address)}:{connection.port}"
        dialling = Dialling(self.observe, Kind.JOINER_MEETING, place, connection.address)
        dialling.failed(why, connection)


def _kind(expect: Expectation) -> Kind:
    match expect:
        case Member():
            return Kind.MEMBER
        case Anyone():
            return Kind.JOINER_LOOK
    return Kind.JOINER_MEETING


class Joiner:
    """Carries one join through, from the first look to the staged admission.

    `say` is told each step in words.
    """

    def __init__(
        self, papers: Papers, staging: Staging, phone: Phone, say: Callable[..., None]
    ) -> None:
        self._papers = papers
        self._staging = staging
        self._phone = phone
        self._say = say

    async def look(self, address: str, port: int) -> Thumbprint:
        """The certificate of whoever answers there; nothing is said to it."""
        async with self._looking(address, port) as connection:
            return connection.met.thumbprint

    async def survey(self, address: str, port: int) -> tuple[Facts, Thumbprint]:
        """What whoever answers there says of itself, and its certificate; nothing is said of us."""
        async with self._looking(address, port) as connection:
            said = facts(await _ask(open_frames(connection), {"call": "facts"}))
            return said, connection.met.thumbprint

    @asynccontextmanager
    async def _looking(self, address: str, port: int) -> AsyncIterator[Connection]:
        expect = Anyone(because="first meeting: looking only")
        connection = await self._connect(address, port, expect)
        try:
            self._say("first-meeting", address=address, met=str(connection.met.thumbprint))
            yield connection
        finally:
            await connection.close()

    async def join(
        self, address: str, port: int, thumbprint: Thumbprint, proof: JoinerProof
    ) -> Staged:
        """Meet whoever holds this certificate and return the staged admission.

        Raises Doubtful when the pool was asked to admit this host and did not say that it has not;
        nothing of this host has changed when it raises anything else.
        """
        connection = await self._connect(address, port, Pinned(thumbprint))
        try:
            frames = open_frames(connection)
            staged = await self._prepare(frames, connection, proof)
            return await self._be_admitted(frames, staged)
        finally:
            await connection.close()

    async def _prepare(self, frames: Frames, connection: Connection, proof: JoinerProof) -> Staged:
        address, port = connection.address, connection.port
        try:
            async with asyncio.timeout(MEETING_SECONDS):
                pool = await self._introduce(frames, connection.met, proof)
                log = await self._fetch(frames, pool, connection.met)
            papers = self._papers
            staged = Staged(log, papers.identity, address, port, papers.luggage)
            await asyncio.to_thread(self._staging.keep, staged)
            return staged
        except BaseException as why:
            await asyncio.to_thread(self._staging.discard)
            if isinstance(why, Failure):
                self._phone.failed(connection, why)
            if isinstance(why, CannotConnect):
                raise JoiningHostConnectionFailed(address=address, why=why.why) from why
            if isinstance(why, TimeoutError):
                late = f"it took more than {MEETING_SECONDS:g} s"
                raise JoiningHostConnectionFailed(address=address, why=late) from why
            if isinstance(why, FrameError | wire.PeerMisspoke):
                raise JoiningHostServiceFailed(address=address, why=str(why)) from why
            raise

    async def _introduce(self, frames: Frames, met: Certificate, proof: JoinerProof) -> Facts:
        nonce = secrets.token_bytes(wire.NONCE_BYTES)
        opening = {"call": "meet", "nonce": wire.b64(nonce), **proof.opening()}
        answer = await _ask(frames, opening)
        pool = facts(answer)
        if pool.host != pool.coordinator:
            raise HostIsSlave(pool.coordinator_address)
        if proof.pool not in (None, pool.pool):
            raise _not_itself(met, "its pool is not the one that the join code is for")
        if reasons := blockers(self._papers.facts, pool, frozenset()):
            raise all_at_once(reasons)
        certificate = self._papers.identity.certificate
        agreed = transcript(
            pool=pool.pool,
            coordinator_certificate=met.der,
            joiner_certificate=certificate.der,
            joiner_server=self._papers.server.der,
            coordinator_nonce=wire.nonce(answer),
            joiner_nonce=nonce,
        )
        introduction = {
            "call": "introduce",
            "facts": facts_content(self._papers.facts),
            "certificate": wire.b64(certificate.der),
            "server": wire.b64(self._papers.server.der),
            "signature": wire.b64(self._papers.identity.sign(statement("joiner", agreed))),
            **proof.begin(agreed),
        }
        answer = await _ask(frames, introduction)
        if not met.verify(wire.raw(answer, "signature"), statement("coordinator", agreed)):
            raise _not_itself(met, "it did not prove that it holds its certificate's key")
        final = await proof.answer(answer, met)
        proof.finish(await _ask(frames, {"call": "prove", **final}), met)
        self._say("coordinator-proved", pool=pool.pool, host=pool.host, by=proof.way)
        return pool

    async def _fetch(self, frames: Frames, pool: Facts, met: Certificate) -> Log:
        entries: list[SignedEntry] = []
        while page := wire.entries(await _ask(frames, {"call": "log", "after": len(entries)})):
            entries += page
            if len(entries) > MOST_ENTRIES:
                raise wire.PeerMisspoke(f"a log of more than {MOST_ENTRIES} entries")
        try:
            return await asyncio.to_thread(
                Log.staged, entries, pool=pool.pool, coordinator=met.thumbprint
            )
        except BadEntry as why:
            raise _not_itself(met, f"its log does not hold: {why}") from why

    async def _be_admitted(self, frames: Frames, staged: Staged) -> Staged:
        """Ask for admission.  From here on only a refusal says that it has not happened."""
        try:
            await frames.send({"call": "admit", "after": staged.log.roster.number})
            answer = await frames.receive(ADMIT_SECONDS)
            if "refused" not in answer:
                return await self._admitted(staged, wire.entries(answer))
        except Failure as lost:
            raise Doubtful(staged) from lost
        why = wire.refused(answer["refused"])
        if not isinstance(why, wire.PeerRefused) or why.code == NotCommitted.code:
            raise Doubtful(staged) from why  # not committed: it stands in the coordinator's log
        await asyncio.to_thread(self._staging.discard)
        raise why

    async def _admitted(self, staged: Staged, tail: list[SignedEntry]) -> Staged:
        admitted = staged.grown(tail)
        if not admitted.admitted:
            raise wire.PeerMisspoke("an admission that does not admit")
        await asyncio.to_thread(self._staging.extend, admitted.log)
        return admitted

    async def _connect(self, address: str, port: int, expect: Expectation) -> Connection:
        try:
            return await self._phone.dial(address, port, expect=expect, name=JOIN_NAME)
        except Unreachable as why:
            raise JoiningHostConnectionFailed(address=address, why=str(why)) from why


class Doubtful(Exception):
    """The admission was asked for and no answer came: only the pool knows whether it happened."""

    def __init__(self, staged: Staged) -> None:
        super().__init__("no answer to the request for admission")
        self.staged = staged


async def _ask(frames: Frames, frame: wire.Frame) -> wire.Frame:
    await frames.send(frame)
    answer = await frames.receive(STEP_SECONDS)
    if "refused" in answer:
        raise wire.refused(answer["refused"])
    return answer


def _not_itself(met: Certificate, reason: str) -> CannotVerify:
    return CannotVerify(
        reason,
        expected="the coordinator of the pool to join",
        met=f"{met.subject} with certificate {met.thumbprint}",
        remedy="Somebody may be in between.  Compare this thumbprint with the one that "
        "pooltrust host status shows on the coordinator, and join with a join code.",
        certificate=met.thumbprint,
    )
