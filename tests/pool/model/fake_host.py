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
from pooltrust.trust.log import Adopted, Bound, Local, Log
from pooltrust.trust.takeover import Vote, may_endorse

from . import minted


@dataclass
class FakeHost:
    id: HostId
    # On its disk.
    log: Log
    keys: set[Thumbprint]
    serves_at_start: Thumbprint
    vote: Vote | None = None
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
    probes: set[Probed] = field(default_factory=set)
    failed: dict[Step, str] = field(default_factory=dict)
    last: dict[HostId, Known] = field(default_factory=dict)
    bound: bool = False

    def crash(self) -> None:
        self.up = self.fresh = self.fit = self.bound = False
        self.serves = None
        self.probes.clear()
        self.failed.clear()
        self.last.clear()

    def start(self) -> None:
        self.up, self.serves = True, self.serves_at_start
        self.heal()

    @property
    def is_member(self) -> bool:
        return self.id in self.log.roster.members

    @property
    def enforces(self) -> bool:
        return self.log.roster.verification and not self.override

    def accepts(self, other: HostId, met: Thumbprint | None) -> bool:
        """Whether a connection that expects `other` goes on when it meets this certificate."""
        return met is not None and met in self.log.roster.expect(other).accepted

    def take(
        self,
        offered: Sequence[SignedEntry],
        ordered: Collection[EntryHash] = (),
        committed: Collection[EntryHash] = (),
    ) -> None:
        """Take in what these entries add to its log, and look after its own keys then."""
        local = Local(frozenset(ordered), self.vote, frozenset(committed), self.settled)
        outcome = minted.outcome(self.log, offered, local)
        self.bound = isinstance(outcome, Bound)
        if isinstance(outcome, Adopted):
            self.log = outcome.log
            self.settled = min(self.settled, outcome.new[0].entry.number - 1)
            self.heal()

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
            self.serves = self.serves_at_start = step.certificate
        return ""

    def endorse(self, candidate: SignedEntry, *, lost: bool) -> Endorsement | None:
        """Its signature for a takeover.  The vote is on disk before it is given."""
        stands = self.vote is not None and self.vote.takeover == candidate.hash
        try:
            self.vote = may_endorse(
                self.log.roster, candidate, host=self.id, vote=self.vote, lost=lost or stands
            )
        except MayNotEndorse:
            return None
        self.voted_for = candidate
        key = self.serves or self.serves_at_start
        return minted.endorsement(self.log.pool, self.id, key, candidate.hash)
