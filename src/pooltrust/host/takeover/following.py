"""Following a coordinator on the order of an administrator, whatever the other members say.

Whoever answers at the address is not believed: the entries prove themselves, and the host that led
to them must hold the key of their last coordinator.  What that gives up is told by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pooltrust.errors import CannotConnect, CannotVerify, OperationNotAllowed
from pooltrust.host.belief import Belief
from pooltrust.host.meeting.facts import Ejected
from pooltrust.host.meeting.story import Story, further_back, hearing
from pooltrust.host.peers import wire
from pooltrust.host.takeover.telling import Telling
from pooltrust.host.takeover.verdicts import ForeignLog, given_up_words, refused
from pooltrust.host.telling.conversations import Tell, unheard
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.certificate import Certificate
from pooltrust.pool.operations.takeover import follow
from pooltrust.terms import HostId
from pooltrust.trust.entries import HostAdmitted, HostDismissed
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Adopted, AlreadyHeld, GivenUp, Local, Log, Outcome, Stopped
from pooltrust.trust.roster import Roster

MOST_ENTRIES = 200_000
MOST_BYTES = 512 * 1024 * 1024
LONGEST_SECONDS = 300.0
"""A stranger could go on for ever; so much is read, and so long, before it is judged."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of an order to follow a coordinator."""

    coordinator: HostId
    name: str
    number: int
    """Of the last entry of this host's log now."""
    new: int
    """How many entries it had not had before."""
    left: int
    """How many of its own do not count any more."""
    given_up: GivenUp
    words: str


class Following:
    """Carries out `pool.emergency_reset_master`.  `source`: the address to dial from."""

    def __init__(self, belief: Belief, telling: Telling, source: str, journal: Journal) -> None:
        self._belief = belief
        self._telling = telling
        self._source = source
        self._journal = journal
        self._one = asyncio.Lock()
        self.observe: Tell = unheard
        self.followed: Callable[[HostId, str], None] = lambda _host, _address: None
        """Told the new coordinator, and where it was found."""

    async def follow(self, address: str) -> Followed:
        """Follow the coordinator at this address, with everything that its log says.

        This host's vote for a takeover in its place is taken back.  Raises ForeignLog,
        OperationNotAllowed for a host that does not coordinate or is no member, what is wrong with
        the entries, CannotConnect, CannotStore; then nothing has changed.
        """
        if self._belief.me not in self._belief.roster.members:
            raise Ejected()
        async with self._one:
            host, met, offered = await self._heard(address)
            outcome = await self._belief.decide(
                lambda log, local: _decided(log, local, offered, host, met)
            )
            await self._release(outcome)
            told = self._told(outcome)
        self.followed(told.coordinator, address)
        return told

    async def _heard(self, address: str) -> tuple[HostId, Certificate, tuple[SignedEntry, ...]]:
        """Who answers there, by its own word; the certificate that it shows; its entries."""
        try:
            async with (
                asyncio.timeout(LONGEST_SECONDS),
                hearing(self._belief, address, self._source, self.observe) as story,
            ):
                host = await self._checked(story)
                return host, story.met, await self._tail(story)
        except TimeoutError as why:
            port, late = self._belief.roster.port, f"no end within {LONGEST_SECONDS:g} s"
            raise CannotConnect(address, port, expected="a coordinator", why=late) from why

    async def _checked(self, story: Story) -> HostId:
        """Who answers, by its own word: that it coordinates this host's pool."""
        said = await story.facts()
        roster = self._belief.roster
        if said.pool != roster.pool:
            raise ForeignLog(said.name)
        if said.host == self._belief.me:
            raise OperationNotAllowed("This host itself answers there.")
        if said.coordinator != said.host:
            raise OperationNotAllowed(
                f"{said.name} does not coordinate its pool.  Its coordinator is at "
                f"{said.coordinator_address}: xe pool-emergency-reset-master "
                f"master-address={said.coordinator_address}"
            )
        return said.host

    async def _tail(self, story: Story) -> tuple[SignedEntry, ...]:
        """Its entries from the last one that both logs have, not verified."""
        log = self._belief.log
        after = log.head_number
        while True:
            page = await story.after(after)
            if page and page[0].envelope.previous == log.hash_at(after):
                return await self._rest(story, page)
            if after < log.first:
                return tuple(page)
            after = further_back(log, after)

    async def _rest(self, story: Story, page: list[SignedEntry]) -> tuple[SignedEntry, ...]:
        entries, size = list(page), 0
        while page:
            size += sum(len(one.payload) for one in page)
            if len(entries) > MOST_ENTRIES or size > MOST_BYTES:
                raise wire.PeerMisspoke("a trust log that does not end")
            page = await story.after(entries[-1].envelope.number)
            entries += page
        return tuple(entries)

    async def _release(self, outcome: Outcome) -> None:
        """It was ordered to stay with its coordinator: its vote is void."""
        if isinstance(outcome, AlreadyHeld) and self._belief.bound:
            await self._belief.vote_for(lambda _roster, _given: None)

    def _told(self, outcome: Outcome) -> Followed:
        log, adopted = self._belief.log, outcome if isinstance(outcome, Adopted) else None
        left = adopted.left if adopted else ()
        given_up = adopted.given_up if adopted else GivenUp()
        name = log.roster.expect(log.roster.coordinator).name
        if adopted and left:
            self._telling.moved(adopted)
        new = len(adopted.new) if adopted else 0
        self._journal.warning("followed", coordinator=name, number=log.head_number, new=new)
        words = [f"This host follows {name}; its trust log ends with entry {log.head_number}."]
        if self._belief.me not in log.roster.members:
            words = [f"By the trust log of {name} this host is no member: it founds its own pool."]
        if left:
            words.append(f"{len(left)} entries of its own do not count any more.")
        for lost in given_up_words(given_up, log.roster):
            words.append(f"Given up: {lost}.")
        return Followed(
            coordinator=log.roster.coordinator,
            name=name,
            number=log.head_number,
            new=new,
            left=len(left),
            given_up=given_up,
            words=" ".join(words),
        )


def _decided(
    log: Log, local: Local, offered: Sequence[SignedEntry], host: HostId, met: Certificate
) -> Outcome:
    """What follows from the order; raises unless it leads to this host, which showed `met`."""
    outcome = follow(log, tuple(offered), host, local)
    stopped = outcome.then if isinstance(outcome, Adopted) else outcome
    name = log.roster.expect(host).name
    if isinstance(stopped, Stopped):
        raise refused(stopped.why, name).failure
    if not isinstance(outcome, Adopted | AlreadyHeld):
        raise OperationNotAllowed(f"The trust log of {name} does not follow from this host's.")
    roster = outcome.log.roster if isinstance(outcome, Adopted) else log.roster
    if roster.coordinator != host:
        leads = roster.expect(roster.coordinator).name
        raise OperationNotAllowed(f"{name} does not coordinate the pool: by the log {leads} does.")
    _check_is(host, met, roster)
    _check_kept(host, log.roster, offered)
    return outcome


def _check_is(host: HostId, met: Certificate, roster: Roster) -> None:
    """The host that answered holds a key that this log accepts from its coordinator."""
    if met.thumbprint not in roster.expect(host).accepted:
        raise CannotVerify(
            "it does not hold the key of the coordinator that it says it is",
            expected=str(roster.expect(host)),
            met=str(met.thumbprint),
            remedy="See who answers at that address: pooltrust host status",
            certificate=met.thumbprint,
        )


def _check_kept(host: HostId, before: Roster, offered: Sequence[SignedEntry]) -> None:
    """A host that this one knows was not exchanged for another machine on the way.

    Whoever takes over alone can dismiss a host and admit its own machine in its place; an order to
    follow the host is no order to believe that machine.
    """
    if host not in before.members:
        return
    kinds = [body.kind.encode() for body in (HostAdmitted, HostDismissed)]
    for signed in offered:
        if host.encode() in signed.payload and any(kind in signed.payload for kind in kinds):
            body = signed.entry.body
            if isinstance(body, HostAdmitted | HostDismissed) and body.host == host:
                name = before.expect(host).name
                raise OperationNotAllowed(
                    f"Entry {signed.entry.number} of that log exchanges {name} for another "
                    f"machine.  If that was meant, have this host admitted again: xe pool-join"
                )
