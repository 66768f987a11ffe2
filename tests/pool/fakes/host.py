"""A host made for tests: real log, real folds, and fake everything else.

What is on its disk survives a crash, what is in its memory does not.  Its hands do as they are
told, without asking whether it is wise: so that the order of a plan alone is what keeps a promise.
The two things that they do refuse (a key that is nowhere, an order that came too late) are marked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pooltrust.errors import MayNotEndorse
from pooltrust.pool.operations.mending import own_steps
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.picture import Known, Probed
from pooltrust.pool.plan.steps import Promote, Retire, Step
from pooltrust.terms import EntryHash, HostId, Thumbprint
from pooltrust.trust.entries import Endorsement
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Adopted, Bound, Local, Log, Outcome
from pooltrust.trust.takeover import Abandonment, Vote, abandon, is_free, may_endorse, may_yield

from . import minted
from .planners import Accepting, exactly_its_own


@dataclass
class FakeHost:
    id: HostId
    # On its disk.
    log: Log
    keys: set[Thumbprint]
    serves_at_start: Thumbprint
    voted_for: SignedEntry | None = None
    override: bool = False
    journal: Operation | None = None
    emergency: Operation | None = None
    settled: int = 1
    """Up to here it has known its log to be committed."""
    # In its memory.
    up: bool = True
    side: int = 0
    """Hosts reach one another while they are on the same side of the network."""
    serves: Thumbprint | None = None
    fresh: bool = True
    """It is current: it talks with other members."""
    fit: bool = False
    """It has compared its log with at least half of the members since its start."""
    todo: list[Step] = field(default_factory=list)
    """Steps of its operation that were decided together and are on their way."""
    met: frozenset[HostId] | None = None
    """Who answered when this run of its operation began."""
    stopped: bool = False
    """This run is over: it could not go on."""
    probes: set[Probed] = field(default_factory=set)
    failed: dict[Step, str] = field(default_factory=dict)
    failed_at: dict[Step, object] = field(default_factory=dict)
    """What those whom the step needs held then."""
    last: dict[HostId, Known] = field(default_factory=dict)
    accepting: Accepting = exactly_its_own
    stores: bool = True
    """It stores what it serves."""

    def crash(self) -> None:
        self.up = self.fresh = self.fit = False
        self.serves = None
        self.forget()
        self.last.clear()

    def forget(self) -> None:
        """The run of its operation is over; the next one looks and tries again."""
        self.met, self.stopped = None, False
        self.todo.clear()
        self.probes.clear()
        self.failed.clear()
        self.failed_at.clear()

    def start(self) -> None:
        self.up, self.serves = True, self.serves_at_start
        self.heal()

    @property
    def signs_with(self) -> Thumbprint:
        return self.serves or self.serves_at_start

    @property
    def is_member(self) -> bool:
        return self.id in self.log.roster.members

    @property
    def enforces(self) -> bool:
        return self.log.roster.verification and not self.override

    @property
    def vote(self) -> Vote | None:
        return Vote.of(self.voted_for) if self.voted_for else None

    @property
    def bound(self) -> bool:
        """Its vote is given to what is to follow its log, and it waits for that."""
        return self.standing_vote is not None

    @property
    def standing_vote(self) -> SignedEntry | None:
        """The takeover that has its vote for what follows its log now."""
        given = self.voted_for
        return given if given and given.envelope.previous == self.log.head_hash else None

    def accepts(self, other: HostId, met: Thumbprint | None) -> bool:
        """Whether a connection that expects `other` goes on when it meets this certificate."""
        return met is not None and self.accepting(self.log, other, met)

    def take(
        self,
        offered: Sequence[SignedEntry],
        ordered: Collection[EntryHash] = (),
        committed: Collection[EntryHash] = (),
    ) -> bool:
        """Take in what these entries add to its log, and look after its own keys then.

        False if its vote keeps it from following them.
        """
        outcome = self._outcome(offered, ordered, committed)
        if isinstance(outcome, Adopted):
            self.hold(outcome.log)
            self.settled = min(self.settled, outcome.new[0].entry.number - 1)
            self.heal()
        return not isinstance(outcome, Bound)

    def would_follow(self, offered: Sequence[SignedEntry]) -> bool:
        """Whether it would take in some of these."""
        return isinstance(self._outcome(offered, (), ()), Adopted)

    def _outcome(
        self,
        offered: Sequence[SignedEntry],
        ordered: Collection[EntryHash],
        committed: Collection[EntryHash],
    ) -> Outcome:
        local = Local(frozenset(ordered), self.vote, frozenset(committed), self.settled)
        return minted.outcome(self.log, offered, local)

    def hold(self, log: Log) -> None:
        """Have this log from now on.  Whoever becomes coordinator has to compare heads first."""
        self.fit = self.fit and log.roster.coordinator == self.log.roster.coordinator
        self.log = log

    def heal(self) -> None:
        for step in own_steps(self.log, self.id, self.keys, self.serves, settled=self.settled):
            self._do(step)

    def obey(self, order: Order) -> str:
        """Carry out an order to promote or retire; says why not, if it is not obeyed."""
        if not order.in_time(self.log.roster):  # refused: it came too late
            return "too late"
        return self._do(order.step) if isinstance(order.step, Promote | Retire) else "no such order"

    def _do(self, step: Promote | Retire) -> str:
        if isinstance(step, Retire):
            self.keys.discard(step.certificate)
        elif step.certificate not in self.keys:  # refused: there is no such key
            return "it has no such key"
        else:
            self.serves = step.certificate
            if self.stores:
                self.serves_at_start = step.certificate
        return ""

    def endorse(
        self, candidate: SignedEntry, *, lost: bool, words: Sequence[Abandonment] = ()
    ) -> Endorsement | None:
        """Its signature for a takeover.  The vote is on disk before it is given."""
        before = self.standing_vote
        if before and before != candidate and not self._may_leave(before, candidate, words):
            return None
        if not (lost or before) or not self.vote_for(candidate):
            return None
        return minted.endorsement(self.log.pool, self.id, self.signs_with, candidate.hash)

    def _may_leave(
        self, before: SignedEntry, other: SignedEntry, words: Sequence[Abandonment]
    ) -> bool:
        mine = may_yield(self.id, before, other)
        return mine or is_free(self.log.roster, before, words)

    def abandon(self, own: SignedEntry) -> Abandonment | None:
        """Its word that it never writes this takeover of its own, if that is so."""
        key = minted.key_of(self.signs_with)
        try:
            return abandon(self.log.roster, self.id, own, self.vote, key)
        except MayNotEndorse:
            return None

    def stand(self, own: SignedEntry) -> str:
        """Give its vote to its own takeover; says why not."""
        if self.standing_vote not in (None, own):
            return "its vote is with another takeover"
        return "" if self.vote_for(own) else "it may not take over"

    def vote_for(self, candidate: SignedEntry) -> bool:
        try:
            may_endorse(self.log.roster, candidate, host=self.id, vote=None, lost=True)
        except MayNotEndorse:
            return False
        self.voted_for = candidate
        return True
