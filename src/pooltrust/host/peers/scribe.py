"""Appending to the log: the coordinator's work, and bringing the entries to every member.

An entry is committed when at least half of the members hold it, by heads that they signed.  Until
then nothing that depends on it is said to be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime

from pooltrust.errors import Failure, HostIsSlave, Suspended, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Link, Peers
from pooltrust.host.takeover.settling import committed_next, held
from pooltrust.host.takeover.telling import Telling
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import HostId
from pooltrust.trust.entries import Body
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.heads import Head, committed
from pooltrust.trust.log import Adopted, AlreadyHeld, Bound, Fork, Gap, Log, Outcome
from pooltrust.trust.roster import Roster

PAGE_BYTES = 256 * 1024
PAGE_ENTRIES = 1000
"""No page has more, however small they are."""
GRACE_SECONDS = 1.0


@failure(
    "NOT_COMMITTED",
    cure="Start the missing hosts; the change is brought to them by itself, and then it counts.",
)
class NotCommitted(Suspended):
    """{held} of {members} members hold entry {number}, and {needed} must: {missing}."""

    number: int
    held: int
    members: int
    needed: int
    missing: str


@failure("LOG_BEHIND", cure="Start the missing hosts; it goes on by itself.")
class MayHaveMissed(Suspended):
    """After a start, half of the members must show their logs before it grows: {missing}."""

    missing: str


@failure(
    "LOG_FORKED",
    cure="Compare the logs (pooltrust log show, on both hosts) and decide which is to be followed.",
)
class Forked(Suspended):
    """Entries of the trust log that this host can't follow are on {ahead}, so it appends none."""

    ahead: str


class Scribe:
    """The coordinator's pen, and every member's way to catch up.

    `clock` gives monotonic seconds, `now` the time for the audit trail (UTC).
    """

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        journal: Journal,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.belief = belief
        self._peers = peers
        self._journal = journal
        self.telling = Telling(belief, journal)
        self._clock = clock
        self._now = now
        self._writing = asyncio.Lock()
        self._comparing = asyncio.Lock()
        self._fit = False
        self._forked: set[HostId] = set()
        self._background: set[asyncio.Task[None]] = set()
        self.bound: Callable[[], None] = lambda: None
        """Called when its vote keeps this host from following: the heads of all may release it."""
        peers.behind = self.catch_up
        belief.watch(self._changed)

    def _changed(self, before: Roster, after: Roster) -> None:
        if before.coordinator != after.coordinator:
            self.unfit()

    def unfit(self) -> None:
        """Compare heads again before the next append: this host has another log now."""
        self._fit = False

    async def append(
        self, body: Body, *, by: str, call: str, check: Callable[[Roster], None] = lambda _: None
    ) -> SignedEntry:
        """Append one entry and return it when it is committed.

        `by` is the user and `call` the API call, for the audit trail.  `check` is shown the roster
        under the entry and raises what stands against it at that moment.  Raises that, HostIsSlave
        on a supporter, BadEntry when the log's rules refuse it, MayHaveMissed, Forked or
        NotCommitted.
        """
        before, entry = await self._write(body, by, call, lambda log: check(log.roster))
        await self.distribute(before)
        number = entry.envelope.number
        if not self._is_committed(number):
            raise self._not_committed(before, number)
        return entry

    async def write(
        self, body: Body, *, by: str, call: str, check: Callable[[Log], None]
    ) -> SignedEntry:
        """Write one entry into this host's log and nowhere else yet; see `append`.

        `check` is shown the log under it.  Whoever calls this brings it to the members.
        """
        _, entry = await self._write(body, by, call, check)
        return entry

    async def _write(
        self, body: Body, by: str, call: str, check: Callable[[Log], None]
    ) -> tuple[Roster, SignedEntry]:
        async with self._writing:
            await self.become_fit()
            before = self.belief.roster

            def sign(log: Log) -> SignedEntry:
                check(log)
                return self._signed(log, body, by, call)

            log = await self.belief.append(sign)
            self._journal.event("entry-appended", number=log.roster.number, kind=body.kind, by=by)
            return before, log.at(log.head_number)

    async def distribute(self, before: Roster | None = None) -> None:
        """Bring the log to every member that lacks some of it.

        Returns when all have it, or soon after at least half have; the others are served on.  With
        the roster `before` an entry, to the members of then: a host that it admitted gets the log
        by its first meeting.
        """
        target = self.belief.roster
        old = before or target
        pending = {
            asyncio.create_task(self._bring(host), name=f"bring-log-{host}")
            for host in (target.members.keys() & old.members.keys()) - {self.belief.me}
        }
        while pending and not self._is_committed(target.number):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            _, pending = await asyncio.wait(pending, timeout=GRACE_SECONDS)
        for task in pending:
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def catch_up(self, link: Link) -> None:
        """Fetch and check the entries that the member at the other end holds beyond or beside ours.

        Its head is only its word; what counts are entries.
        """
        head, host = link.greeted.head, link.greeted.host
        if head is None:
            return
        after = min(head.number - 1, self.belief.log.head_number)
        while self.belief.log.hash_at(head.number) != head.hash:
            answer = await link.ask("log", after=after)
            match await self.adopt(wire.entries(answer), source=host):
                case Adopted():
                    after = self.belief.log.head_number
                case Gap(need_after=earlier) if earlier < after:
                    after = earlier
                case Fork():
                    self._forked.add(host)
                    return
                case AlreadyHeld() if self.belief.log.head_number > after:
                    after = self.belief.log.head_number  # another look has fetched them meanwhile
                case AlreadyHeld():
                    await self._check_claims(link, head)
                    break
                case _:
                    break
        # Only now: another look at this host may be under way, and what it found holds meanwhile.
        self._forked.discard(host)

    async def _check_claims(self, link: Link, head: Head) -> None:
        """Tell of a member that has signed for more than it hands over, and does so again now.

        One that has moved to this host's branch since its hello is not to be blamed.
        """
        with suppress(Failure):
            head = await self._peers.adopted(link, [])
        if self.belief.log.hash_at(head.number) != head.hash:
            self.telling.cut_short(link.greeted.host, head.number)

    async def adopt(self, offered: Sequence[SignedEntry], *, source: HostId) -> Outcome:
        """Adopt what these entries add to this host's log; what does not fit is reported."""
        before = self.belief.roster
        outcome = await self.belief.adopt(offered)
        if isinstance(outcome, Bound):
            released = committed_next(self.belief.log, offered, self._peers.sightings.seen())
            if released:
                outcome = await self.belief.adopt(offered, committed=released)
            else:
                self.bound()
        if isinstance(outcome, Adopted) and not outcome.left:
            self._peers.witness.missed(before, outcome.new)
        await self.telling.of(outcome, source)
        return outcome

    def lacks(self, host: HostId) -> bool:
        """Whether this member has not been seen to hold the whole log."""
        return host not in self._peers.sightings.holders(self.belief.roster.number)

    def page(self, after: int) -> tuple[SignedEntry, ...]:
        """The entries after this number, as many as fit one frame."""
        return page(self.belief.log.tail(after, PAGE_ENTRIES))

    async def close(self) -> None:
        """Stop what still runs in the background."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def become_fit(self) -> None:
        """Know, once after each start, that this coordinator holds the longest log.

        Raises HostIsSlave on a supporter, IsCopy, MayHaveMissed, Forked.
        """
        if not self.belief.is_coordinator:
            roster = self.belief.roster
            raise HostIsSlave(roster.members[roster.coordinator].address)
        self._peers.witness.check_own()
        async with self._comparing:
            if not self._fit:
                await self._compare()

    async def _compare(self) -> None:
        await self._peers.look_around()
        self._peers.witness.check_own()
        ahead, members = self._peers.sightings.ahead(), self.belief.roster.members.keys()
        ours = self._peers.sightings.holders(0) & members
        # One member can make up a branch of its own, by taking over alone.  While more than half
        # hold this one, no other can be endorsed, and none stops the pool.
        if (forked := ahead & self._forked) and 2 * len(ours) <= len(members):
            raise Forked(ahead=self._names(forked))
        for host in ahead:
            words = "it signs a head whose entries it does not hand over; it is not counted"
            self._journal.damped("head-unproved", peer=host, reason="unproved", words=words)
        if not self._peers.sightings.may_append(but=ahead):
            raise MayHaveMissed(missing=self._missing(members - ours))
        self._fit = True

    async def bring(self, host: HostId) -> None:
        """Bring the log to this member.  Raises what keeps it from taking it."""
        async with self._peers.link(host) as link:
            await self.bring_over(link)

    async def bring_over(self, link: Link) -> None:
        """Bring the log to the member at the other end, unless it was met unproved."""
        if link.greeted.head is None:
            return  # which the journal has already
        held = link.greeted.head.number
        while held < self.belief.roster.number:
            page = self.page(held)
            await self._peers.adopted(link, wire.entry_lines(page))
            held = page[-1].entry.number

    async def _bring(self, host: HostId) -> None:
        try:
            await self.bring(host)
        except Failure as why:
            self._journal.damped("log-not-brought", peer=host, reason=why.code, words=str(why))

    def _signed(self, log: Log, body: Body, by: str, call: str) -> SignedEntry:
        identity = self.belief.identities.pool.identity
        entry = Entry(
            number=log.roster.number + 1,
            pool=log.roster.pool,
            previous=log.roster.head,
            at=self._now(),
            by=by,
            call=call,
            signer=identity.certificate.thumbprint,
            body=body,
        )
        return sign_entry(entry, identity)

    def _is_committed(self, number: int) -> bool:
        """Whether it is, and every entry before it: a takeover in the place of one takes all."""
        return held(self.belief, self._peers.sightings).committed(number)

    def _not_committed(self, before: Roster, number: int) -> NotCommitted:
        """How many hold it, or the first one before it of which too few hold."""
        settled = self.belief.settled
        if committed(before, self._peers.sightings.holders(number)) and settled is not None:
            number, before = settled + 1, self.belief.log.roster_at(settled)
        holders, members = self._peers.sightings.holders(number), set(before.members)
        return NotCommitted(
            number=number,
            held=len(members & holders),
            members=len(members),
            needed=(len(members) + 1) // 2,
            missing=self._missing(members - holders),
        )

    def _missing(self, hosts: AbstractSet[HostId]) -> str:
        names = self._names(hosts)
        return f"{names} did not answer" if names else ""

    def _names(self, hosts: AbstractSet[HostId]) -> str:
        roster = self.belief.roster
        return ", ".join(sorted(roster.expect(host).name for host in hosts & roster.members.keys()))


def page(entries: Sequence[SignedEntry]) -> tuple[SignedEntry, ...]:
    """The first of these entries, as many as fit one frame."""
    size = 0
    first: list[SignedEntry] = []
    for entry in entries:
        size += len(entry.payload) * 4 // 3 + 200
        if first and size > PAGE_BYTES:
            break
        first.append(entry)
    return tuple(first)
