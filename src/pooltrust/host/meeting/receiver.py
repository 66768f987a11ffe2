"""The coordinator's side of a first meeting, and what else is answered under the join name.

Whoever connects here has proved nothing yet.  It learns public facts; everything after that needs a
proof in the message itself.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from pooltrust.errors import (
    CannotConnect,
    CannotVerify,
    Failure,
    HostIsSlave,
    InternalError,
    OperationNotAllowed,
    Unreachable,
    failure,
)
from pooltrust.host.belief import Belief
from pooltrust.host.meeting.facts import facts_content, own_facts
from pooltrust.host.meeting.meeting import Meeting
from pooltrust.host.meeting.proofs import CodeProof, HostProof, PasswordProof
from pooltrust.host.meeting.story import Teller
from pooltrust.host.peers import wire
from pooltrust.host.peers.scribe import NotCommitted, Scribe
from pooltrust.host.telling.conversations import (
    Conversation,
    Outcome,
    Tell,
    Way,
    because,
    unheard,
)
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.code import CodeLedger, JoinCode
from pooltrust.pool.join import Facts, all_at_once, blockers
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.frames import Frames
from pooltrust.trust.entries import HostAdmitted
from pooltrust.trust.roster import Roster
from pooltrust.trust.transcript import statement, transcript

STEP_SECONDS = 15.0
SECRET_SECONDS = 60.0  # a joiner derives its key from the password in this time
MEETING_SECONDS = 180.0
ADMIT_SECONDS = 45.0
REFUSAL_SECONDS = 2.0
MOST_MEETINGS = 32
MOST_OF_ONE_ORIGIN = 8
MOST_STEPS = 2000  # facts, the proof, and the pages of a long log


@failure("TOO_MANY_MEETINGS", cure="Try again in a minute.")
class TooManyMeetings(Unreachable):
    """This host is in as many first meetings as it bears at once."""


Step = Callable[[Meeting, wire.Frame], Awaitable[wire.Frame]]


class Receiver:
    """Answers connections made under the join name.

    `password_proof` makes the check of a password for one origin; `now` is UTC.  `leaving` says
    whether this host is on its way into another pool: then it lets nobody into its own.  `free`
    waits for the operation that is under way, and raises it if that takes too long.  `lists` are
    the revocation lists of this pool, by name.
    """

    def __init__(
        self,
        belief: Belief,
        scribe: Scribe,
        codes: CodeLedger,
        password_proof: Callable[[str], PasswordProof],
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._scribe = scribe
        self._codes = codes
        self._password_proof = password_proof
        self._journal = journal
        self._now = now
        self._met: Counter[str] = Counter()
        self._admitting = 0
        self.leaving: Callable[[], bool] = lambda: False
        self.free: Callable[[], Awaitable[None]] = _at_once
        self.lists: Callable[[], Mapping[str, bytes]] = dict
        self.observe: Tell = unheard
        self.teller = teller = Teller(belief)
        self._steps: Mapping[str, Step] = {
            "facts": self._facts,
            "meet": self._meet,
            "introduce": self._introduce,
            "prove": self._prove,
            "log": self._log,
            "admit": self._admit,
            "knock": teller.knock,
            "story": teller.story,
        }

    async def serve(self, frames: Frames, address: str) -> None:
        """Serve one connection until it ends, `address` being where it comes from.

        Nobody waits for a place: who comes when there is none is told so.
        """
        if self._met.total() >= MOST_MEETINGS or self._met[address] >= MOST_OF_ONE_ORIGIN:
            with suppress(Failure):
                await frames.receive(REFUSAL_SECONDS)  # closing on unread bytes would discard it
                await frames.send({"refused": wire.refusal(TooManyMeetings())})
            return
        self._met[address] += 1
        try:
            meeting = Meeting(address, tls_version=frames.peer.tls_version)
            await self._converse(frames, meeting)
        finally:
            self._met[address] -= 1
            self._met += Counter()  # forgets who has no meeting left

    @property
    def admitting(self) -> bool:
        """Whether a host is being let in at this moment."""
        return self._admitting > 0

    async def _converse(self, frames: Frames, meeting: Meeting) -> None:
        until = time.monotonic() + MEETING_SECONDS
        while not meeting.done and meeting.steps < MOST_STEPS:
            meeting.steps += 1
            step = SECRET_SECONDS if meeting.proof else STEP_SECONDS
            try:
                frame = await frames.receive(min(step, until - time.monotonic()))
                await frames.send(await self._answer(meeting, frame))
            except Failure:
                return

    async def _answer(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        name = ""
        try:
            name = wire.text(frame, "call", limit=64)
            step = self._steps.get(name)
            if step is None:
                raise _no_step(name)
            answer = await step(meeting, frame)
            if name in _OUTCOMES:
                self.observe(self._seen(meeting, name))
            return answer
        except Failure as why:
            meeting.done = True
            self.observe(because(self._seen(meeting, name), why))
            self._journal.damped(
                "meeting-refused", peer=meeting.address, reason=why.code, words=str(why)
            )
            return {"refused": wire.refusal(why)}
        except Exception as why:  # noqa: BLE001 - a defect is told and ends one meeting, no more
            meeting.done = True
            self._journal.defect("meeting-defect", why, peer=meeting.address)
            return {"refused": wire.refusal(InternalError("Unexpected failure in a meeting"))}

    def _seen(self, meeting: Meeting, call: str) -> Conversation:
        joiner, certificate = meeting.joiner, meeting.certificate
        return Conversation(
            kind=_KINDS.get(call, Kind.JOINER_MEETING),
            way=Way.ANSWERED,
            peer=meeting.address,
            outcome=_OUTCOMES.get(call, Outcome.REFUSED),
            address=meeting.address,
            says=joiner.name if joiner else "",
            met=str(certificate.thumbprint) if certificate else "",
            shown=str(self._belief.identities.pool.identity.certificate.thumbprint),
            tls_version=meeting.tls_version,
        )

    async def _facts(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        return {"facts": facts_content(self._own_facts())}

    async def _meet(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        if not self._belief.is_coordinator:
            raise HostIsSlave(self._own_facts().coordinator_address)
        if meeting.proof is not None:
            raise wire.PeerMisspoke("a second meeting on one connection")
        meeting.proof = self._proof(meeting, frame)
        meeting.joiner_nonce = wire.nonce(frame)
        meeting.coordinator_nonce = secrets.token_bytes(wire.NONCE_BYTES)
        return {**await self._facts(meeting, frame), "nonce": wire.b64(meeting.coordinator_nonce)}

    def _proof(self, meeting: Meeting, frame: wire.Frame) -> HostProof:
        match wire.text(frame, "way", limit=32):
            case "code":
                named = wire.text(frame, "code", limit=64)
                return CodeProof(self._codes, partial(self._good, named))
            case "password":
                return self._password_proof(meeting.address)
            case way:
                raise wire.PeerMisspoke(f"no way of proving oneself is called {way!r}")

    def _good(self, code: str) -> JoinCode:
        me = self._belief.me
        serving = self._belief.roster.expect(me).accepted
        return self._codes.good(code, self._now(), me, serving)

    async def _introduce(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        proof, certificate, server = meeting.introduced(frame)
        mine = self._belief.identities.pool.identity
        agreed = transcript(
            pool=self._belief.roster.pool,
            coordinator_certificate=mine.certificate.der,
            joiner_certificate=certificate.der,
            joiner_server=server.der,
            coordinator_nonce=meeting.coordinator_nonce,
            joiner_nonce=meeting.joiner_nonce,
        )
        meeting.check_possession(agreed)
        signature = mine.sign(statement("coordinator", agreed))
        return {
            "signature": wire.b64(signature),
            **proof.challenge(frame, agreed),
        }

    async def _prove(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        if meeting.proof is None or meeting.joiner is None or meeting.proved:
            raise wire.PeerMisspoke("a proof out of turn")
        answer = meeting.proof.accept(frame)
        meeting.proved = True
        return answer

    async def _log(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        meeting.proved_by()
        return {"entries": wire.entry_lines(self._scribe.page(wire.number(frame, "after")))}

    async def _admit(self, meeting: Meeting, frame: wire.Frame) -> wire.Frame:
        joiner, proof = meeting.proved_by()
        after = wire.number(frame, "after")
        await self.free()
        roster = self._belief.roster
        if reasons := blockers(joiner, self._own_facts(), frozenset(roster.members)):
            raise all_at_once(reasons)
        self._check_staying()
        meeting.done = True
        await self._append(meeting.admission(), proof)
        self._journal.event("host-admitted", host=joiner.host, name=joiner.name, by=proof.way)
        return {"entries": wire.entry_lines(self._belief.log.tail(after))}

    async def _append(self, body: HostAdmitted, proof: HostProof) -> None:
        proof.use()  # before anything is awaited: what is good for one host admits one
        self._admitting += 1
        try:
            await self._scribe.append(body, by=proof.by, call="pool.join", check=_in_time())
        except NotCommitted:
            raise  # it stands in the log
        except Failure:
            proof.give_back()
            raise
        finally:
            self._admitting -= 1

    def _own_facts(self) -> Facts:
        return own_facts(self._belief, self.lists())

    def _check_staying(self) -> None:
        if self.leaving():
            raise OperationNotAllowed("This host is on its way into another pool itself")


_KINDS = {
    "facts": Kind.JOINER_LOOK,
    "knock": Kind.RETURNING,
    "story": Kind.RETURNING,
}
_OUTCOMES = {
    "facts": Outcome.UNVERIFIED,  # it asks what everybody may know
    "prove": Outcome.LET_IN,
    "story": Outcome.VERIFIED,
}
"""What has been reached once these steps were answered; the others reach nothing yet."""


async def _at_once() -> None:
    pass


def _in_time() -> Callable[[Roster], None]:
    """A joiner that waited in vain asks the pool and then gives up: do not admit it after that."""
    until = time.monotonic() + ADMIT_SECONDS

    def check(_roster: Roster) -> None:
        if time.monotonic() > until:
            raise CannotConnect("", 0, expected="a joiner that still waits", why="it took too long")

    return check


def _no_step(name: str) -> CannotVerify:
    return CannotVerify(
        "under the name of first meetings nobody has proved to be a member",
        expected="a step of a first meeting",
        met=f"the call {name!r}",
        remedy="A member asks under the pool's name, with its certificate.",
    )
