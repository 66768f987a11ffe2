"""Taking over from a lost coordinator: sign it, gather the endorsements, write both entries.

The order is what makes it safe to stop anywhere: this host's own vote, with the takeover that it
signed, is on disk before anybody is asked; the newest records are here before the entries are
written; and whatever was begun is found again, by this host or at the members, and ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pooltrust.errors import Failure, MayNotEndorse, OperationNotAllowed, Suspended, aside, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.takeover.endorsing import Endorsing, candidate, takeover_words
from pooltrust.host.takeover.leading import Gathered, Leading, missing_words
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.operations.takeover import Collected, standing_candidate
from pooltrust.pool.plan.demands import ALONE
from pooltrust.pool.plan.steps import Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import Endorsement, TakenOver
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Roster
from pooltrust.trust.takeover import behind, may_endorse, may_insist, taker

ENDORSE_SECONDS = 30.0
CALL = "pool.emergency_transition_to_master"


@failure("TAKEOVER_TOO_FEW_ENDORSE")
class TooFewEndorse(Suspended):
    """More than half of the {members} members must endorse this takeover, and {behind} do
    ({names}): {why}."""

    members: int
    behind: int
    names: str
    why: str
    remedy: str = aside(f"Start them and go on: xe operation-resume.  {ALONE}.")


@failure("TAKEOVER_RECORDS_MISSING", cure="Go on when they answer: xe operation-resume")
class TooFewRecords(Suspended):
    """Enough members endorse this takeover, but too few of them gave their records, among which a
    change of an account may be that only they have: {why}."""

    why: str


@dataclass(slots=True)
class Found:
    """What the members said before this host signed anything."""

    answered: set[HostId] = field(default_factory=set)
    candidates: list[SignedEntry] = field(default_factory=list)
    """The takeovers that have their votes, for what follows their logs."""


class Taking:
    """Makes this host the coordinator.  `now`: UTC."""

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        endorsing: Endorsing,
        leading: Leading,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._endorsing = endorsing
        self._leading = leading
        self._journal = journal
        self._now = now
        self._one = asyncio.Lock()

    async def write(self, append: Append, *, by: str = "root", call: str = CALL) -> None:
        """Write the takeover of an `Append` whose body is TakenOver; twice is once.

        Endorsed by more than half of the members; with `append.alone` by nobody.  Whatever stops
        it, call it again.  Raises OperationNotAllowed when it is not needed any more or another
        host takes over, TooFewEndorse, TooFewRecords, MayNotEndorse, CannotStore.
        """
        if not isinstance(append.body, TakenOver):
            raise TypeError(f"no takeover: {append.body.kind}")
        async with self._one:
            found = await self._look_around(append.body)
            if self._is_over(append.body):
                return
            if append.alone:
                await self._alone(append.body, by, call)
            else:
                signed = self._standing(found) or await self._new(append.body, found, by, call)
                await self._endorsed(signed, found.candidates, by, call)
        roster = self._belief.roster
        self._journal.warning("took-over", number=roster.number, alone=append.alone, by=by)

    async def _look_around(self, body: TakenOver) -> Found:
        """Take the longest log there is, and hear whom the members have voted for."""
        found = Found()
        if self._belief.bound and self._belief.candidate:
            found.candidates.append(self._belief.candidate)
        others = self._belief.roster.members.keys() - {self._belief.me, body.replaced}
        await asyncio.gather(*(self._hear(host, found) for host in others))
        return found

    async def _hear(self, host: HostId, found: Found) -> None:
        try:
            async with self._peers.link(host) as link:
                given = candidate(await link.ask("vote"))
                found.answered.add(host)
                if given is not None:
                    found.candidates.append(given)
        except Failure as why:
            self._journal.damped("vote-not-heard", peer=host, reason=why.code, words=str(why))

    def _is_over(self, body: TakenOver) -> bool:
        """Whether this host leads already.  Raises OperationNotAllowed if another one does now."""
        roster = self._belief.roster
        if roster.coordinator == body.replaced and body.host == self._belief.me:
            return False
        if self._belief.is_coordinator:
            return True
        raise OperationNotAllowed(f"{_name(roster, roster.coordinator)} is the coordinator now.")

    def _standing(self, found: Found) -> SignedEntry | None:
        """The takeover that this host signed before, here or at a member that voted for it."""
        log, me = self._belief.log, self._belief.me
        if self._yielded():
            return None  # its own was given up for another's, and is never taken up again
        mine = log.roster.members.get(me)
        # A member could hand back what this host never signed.
        signed = [
            one for one in found.candidates if mine and mine.signed(one.signature, one.message)
        ]
        return standing_candidate(log, me, signed)

    def _yielded(self) -> bool:
        """Whether this host's vote is with the takeover of another."""
        given = self._belief.candidate
        return self._belief.bound and given is not None and taker(given) != self._belief.me

    async def _new(self, body: TakenOver, found: Found, by: str, call: str) -> SignedEntry:
        """Sign a takeover, unless another one is under way or the coordinator is back."""
        await self._check_lost()
        log = self._belief.log
        for other in found.candidates:
            if other.envelope.previous == log.head_hash and taker(other) in found.answered:
                raise _under_way(other, log.roster)
        return self._signed(log, body, by, call)

    async def _check_lost(self) -> None:
        if there := await self._endorsing.coordinator_there():
            raise OperationNotAllowed(
                f"{there[:1].upper()}{there[1:]}.  Ask it instead: xe pool-designate-new-master"
            )

    async def _endorsed(
        self, signed: SignedEntry, known: list[SignedEntry], by: str, call: str
    ) -> None:
        await self._vote_for(signed, known)
        before = self._belief.roster
        agreed = await self._collect(signed)
        said = agreed.collected.body(before)
        if said is None:
            raise agreed.too_few(before)
        found = await self._take_records(before, agreed.hosts(before))

        def write(log: Log) -> tuple[SignedEntry, SignedEntry]:
            if log.head_hash != signed.envelope.previous:
                raise MayNotEndorse("the log has grown meanwhile")
            if (given := self._belief.candidate) != signed:  # yielded to another one meanwhile
                raise _under_way(given or signed, before)
            identity = self._belief.identities.pool.identity
            place = signed.envelope.number + 1, log.pool, signed.hash
            signer = identity.certificate.thumbprint
            entry = Entry(*place, self._now(), by, call, signer, said)
            return signed, sign_entry(entry, identity)

        await self._belief.take_over(write)
        await self._leading.lead_with(found)

    async def _alone(self, body: TakenOver, by: str, call: str) -> None:
        """Take over without the others, as ordered, with the newest records of whoever answers."""
        await self._check_lost()
        found = await self._leading.gather(self._belief.roster.members.keys() - {body.replaced})
        await self._leading.take(found)
        await self._belief.take_over(lambda log: (self._signed(log, body, by, call, alone=True),))
        await self._leading.lead_with(found)

    async def _vote_for(self, signed: SignedEntry, known: list[SignedEntry]) -> None:
        """Store this host's own vote, unless it was given to another takeover just now."""
        me = self._belief.me

        def choose(roster: Roster, given: SignedEntry | None) -> SignedEntry:
            before = given if given and given.envelope.previous == roster.head else None
            if before and before not in known:
                raise _under_way(before, roster)
            if before and before != signed and not may_insist(me, before, signed):
                raise MayNotEndorse("it signed another one before")
            may_endorse(roster, signed, host=me, vote=None, lost=True)
            return signed

        await self._belief.vote_for(choose)

    async def _collect(self, signed: SignedEntry) -> Agreed:
        """Ask every member at once for its endorsement."""
        agreed = Agreed(Collected(signed))
        roster = self._belief.roster
        others = roster.members.keys() - {self._belief.me, roster.coordinator}
        await asyncio.gather(*(self._ask(host, agreed) for host in others))
        return agreed

    async def _ask(self, host: HostId, agreed: Agreed) -> None:
        line = agreed.collected.candidate.line().decode()
        try:
            async with self._peers.link(host) as link:
                answer = await link.ask("endorse", within=ENDORSE_SECONDS, candidate=line)
            given = Endorsement(host, wire.raw(answer, "signature", limit=1024))
            agreed.collected = agreed.collected.with_endorsement(given)
        except Failure as why:
            agreed.why[host] = str(why)
            self._journal.damped("not-endorsed", peer=host, reason=why.code, words=str(why))

    async def _take_records(self, before: Roster, hosts: set[HostId]) -> Gathered:
        """Hold the newest records of those that endorse: they take no others any more."""
        found = await self._leading.gather(hosts)
        if 2 * (len(found.answered & hosts) + 1) <= len(before.members):
            raise TooFewRecords(missing_words(found, before))
        await self._leading.take(found)
        return found

    def _signed(
        self, log: Log, body: TakenOver, by: str, call: str, *, alone: bool = False
    ) -> SignedEntry:
        identity = self._belief.identities.pool.identity
        signer = identity.certificate.thumbprint
        entry = log.next(body, at=self._now(), by=by, call=call, signer=signer, alone=alone)
        return sign_entry(entry, identity)


@dataclass(slots=True)
class Agreed:
    """What the members said when they were asked for their endorsement."""

    collected: Collected
    why: dict[HostId, str] = field(default_factory=dict)
    """Why a member did not endorse it, in words."""

    def hosts(self, before: Roster) -> set[HostId]:
        """Who is behind it, the taker included."""
        return behind(before, self.collected.candidate, self.collected.given)

    def too_few(self, before: Roster) -> TooFewEndorse:
        """Who endorsed it, who did not, and why."""
        agreed = self.hosts(before)
        missing = sorted(self.collected.missing(before), key=lambda host: _name(before, host))
        why = (f"{_name(before, host)}: {self.why.get(host, _INVALID)}" for host in missing)
        names = ", ".join(sorted(_name(before, host) for host in agreed))
        return TooFewEndorse(len(before.members), len(agreed), names, "; ".join(why) or _FEW)


_INVALID = "its endorsement is not valid"
_FEW = "there are no others, and the lost coordinator has no say"


def _under_way(other: SignedEntry, roster: Roster) -> OperationNotAllowed:
    words = takeover_words(other, roster)
    verb = CALL.replace(".", "-").replace("_", "-")
    return OperationNotAllowed(
        f"{words[:1].upper()}{words[1:]} is under way.  Go on there: xe {verb}"
    )


def _name(roster: Roster, host: HostId) -> str:
    return roster.expect(host).name
