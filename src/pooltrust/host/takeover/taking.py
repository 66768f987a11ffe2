"""Taking over from a lost coordinator: sign it, gather the endorsements, write both entries.

The order is what makes it safe to stop anywhere: this host's own vote, with the takeover that it
signed, is on disk before anybody is asked; the newest records are here before the entries are
written; and whatever was begun is found again, by this host or at the members, and ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from pooltrust.errors import Failure, MayNotEndorse, OperationNotAllowed, Suspended, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers.link import Peers
from pooltrust.host.takeover.collecting import Collecting
from pooltrust.host.takeover.endorsing import Endorsing, candidate, takeover_words
from pooltrust.host.takeover.leading import Gathered, Leading, missing_words
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.operations.takeover import standing_candidate
from pooltrust.pool.plan.demands import ALONE
from pooltrust.pool.plan.steps import Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import TakenOver
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Roster
from pooltrust.trust.takeover import may_endorse, taker

CALL = "pool.emergency_transition_to_master"


@failure("TAKEOVER_RECORDS_MISSING", cure="Go on when they answer: xe operation-resume")
class TooFewRecords(Suspended):
    """Enough members endorse this takeover, but too few of them gave their records, among which a
    change of an account may be that only they have: {why}."""

    why: str


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
        self._collecting = Collecting(belief, peers, endorsing, journal)
        self._one = asyncio.Lock()

    async def write(self, append: Append, *, by: str = "root", call: str = CALL) -> None:
        """Write the takeover of an `Append` whose body is TakenOver; twice is once.

        Endorsed by more than half of the members; with `append.alone` by nobody.  Whatever stops
        it, call it again.  Raises OperationNotAllowed when it is not needed any more or another
        host takes over, IsCopy, TooFewEndorse, TooFewRecords, MayNotEndorse, CannotStore.
        """
        if not isinstance(append.body, TakenOver):
            raise TypeError(f"no takeover: {append.body.kind}")
        async with self._one:
            running = await self._look_around(append.body)
            if self._is_over(append.body):
                return
            if append.alone:
                await self._alone(append.body, by, call)
            else:
                self._peers.witness.check_own()
                signed = self._standing() or await self._new(append.body, running, by, call)
                await self._endorsed(signed, by, call)
        roster = self._belief.roster
        self._journal.warning("took-over", number=roster.number, alone=append.alone, by=by)

    async def _look_around(self, body: TakenOver) -> list[SignedEntry]:
        """Take the longest log there is, and hear who takes over already."""
        others = self._belief.roster.members.keys() - {self._belief.me, body.replaced}
        heard = await asyncio.gather(*(self._hear(host) for host in others))
        return [signed for signed in heard if signed is not None]

    async def _hear(self, host: HostId) -> SignedEntry | None:
        """The takeover that this member goes on with itself; what it says of others is no proof."""
        try:
            async with self._peers.link(host) as link:
                given = candidate(await link.ask("vote"))
        except Failure as why:
            self._journal.damped("vote-not-heard", peer=host, reason=why.code, words=str(why))
            return None
        member = self._belief.roster.members.get(host)
        if given is None or member is None or taker(given) != host:
            return None
        return given if member.signed(given.signature, given.message) else None

    def _is_over(self, body: TakenOver) -> bool:
        """Whether this host leads already.  Raises OperationNotAllowed if another one does now."""
        roster = self._belief.roster
        if roster.coordinator == body.replaced and body.host == self._belief.me:
            return False
        if self._belief.is_coordinator:
            return True
        raise OperationNotAllowed(f"{_name(roster, roster.coordinator)} is the coordinator now.")

    def _standing(self) -> SignedEntry | None:
        """The takeover that this host signed before and has its vote.

        Another one of its own is never taken up again, not even if a member hands it back: this
        host may have given it up.
        """
        given = self._belief.candidate
        return standing_candidate(self._belief.log, self._belief.me, [given] if given else [])

    async def _new(
        self, body: TakenOver, running: Sequence[SignedEntry], by: str, call: str
    ) -> SignedEntry:
        """Sign a takeover, unless another one is under way or the coordinator is back."""
        await self._check_lost()
        log = self._belief.log
        for other in running:
            if other.envelope.previous == log.head_hash:
                raise _under_way(other, log.roster)
        return self._signed(log, body, by, call)

    async def _check_lost(self) -> None:
        if there := await self._endorsing.coordinator_there():
            raise OperationNotAllowed(
                f"{there[:1].upper()}{there[1:]}.  Ask it instead: xe pool-designate-new-master"
            )

    async def _endorsed(self, signed: SignedEntry, by: str, call: str) -> None:
        await self._vote_for(signed)
        before = self._belief.roster
        agreed = await self._collecting.collect(signed)
        said = agreed.collected.body(before)
        if said is None:
            self._check_kept(signed, before)
            raise agreed.too_few(before)
        found = await self._take_records(before, agreed.hosts(before))

        def write(log: Log) -> tuple[SignedEntry, SignedEntry]:
            if log.head_hash != signed.envelope.previous:
                raise MayNotEndorse("the log has grown meanwhile")
            self._check_kept(signed, before)
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

    async def _vote_for(self, signed: SignedEntry) -> None:
        """Store this host's own vote, unless it has given it to another takeover."""

        def choose(roster: Roster, given: SignedEntry | None) -> SignedEntry:
            if given and given != signed and given.envelope.previous == roster.head:
                raise _under_way(given, roster)
            may_endorse(roster, signed, host=self._belief.me, vote=None, lost=True)
            return signed

        await self._belief.vote_for(choose)

    def _check_kept(self, signed: SignedEntry, roster: Roster) -> None:
        """Raise OperationNotAllowed if this host's vote went to another takeover meanwhile."""
        given = self._belief.candidate
        if given is None:
            raise OperationNotAllowed("This host's vote for its takeover was taken back.")
        if given != signed:
            raise _under_way(given, roster)

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


def _under_way(other: SignedEntry, roster: Roster) -> OperationNotAllowed:
    words = takeover_words(other, roster)
    verb = CALL.replace(".", "-").replace("_", "-")
    return OperationNotAllowed(
        f"{words[:1].upper()}{words[1:]} is under way.  Go on there: xe {verb}.  {ALONE}."
    )


def _name(roster: Roster, host: HostId) -> str:
    return roster.expect(host).name
