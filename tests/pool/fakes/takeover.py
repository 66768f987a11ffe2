"""A takeover in a pool made for tests: the same questions and votes as between real daemons.

The taker signs, gives itself its own vote, asks the others, and writes both entries; each vote is
on a disk before it counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from pooltrust.errors import Failure
from pooltrust.pool.operations.takeover import Collected, standing_candidate
from pooltrust.pool.plan.steps import Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import TakenOver
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.takeover import Abandonment, taker

from . import minted
from .host import FakeHost
from .network import FakeNetwork


@dataclass(eq=False)
class FakeTakeover(FakeNetwork):
    """How one host takes over."""

    def take_over(self, me: FakeHost, step: Append, *, heard: bool) -> str:
        """Take over as the step says; says why not.  Unless heard, every answer is lost."""
        assert isinstance(step.body, TakenOver)
        self.fetch(me)
        if step.body.replaced != me.log.roster.coordinator:
            return "another host is the coordinator now"
        if step.alone:
            return self._alone(me, step)
        signed = self._standing(me) or self._new(me, step)
        return signed if isinstance(signed, str) else self._endorsed(me, signed, heard)

    def _alone(self, me: FakeHost, step: Append) -> str:
        if self.reaches_coordinator(me):
            return "the coordinator is back"
        before, lost = me.log, self.hosts[me.log.roster.coordinator]
        signed = minted.signed(me.log, step.body, me.signs_with, alone=True)
        why = self._written(me, signed, alone=True)
        if not why and me.emergency and me.emergency.plan.id in self.told.alone:
            self.told.ordered(before, lost.log)
        return why

    def _standing(self, me: FakeHost) -> SignedEntry | None:
        """The takeover that it signed before and that has its vote."""
        return standing_candidate(me.log, me.id, [me.voted_for] if me.voted_for else [])

    def _new(self, me: FakeHost, step: Append) -> SignedEntry | str:
        if self.reaches_coordinator(me):
            return "the coordinator is back"
        given = [h.standing_vote for h in (me, *self.others(me))]
        there = {host.id for host in self.others(me)}
        for other in given:
            if other and other.envelope.previous == me.log.head_hash and taker(other) in there:
                return "another takeover is under way"
        return minted.signed(me.log, step.body, me.signs_with)

    def _endorsed(self, me: FakeHost, signed: SignedEntry, heard: bool) -> str:
        if why := me.stand(signed):
            return why
        self.changed()
        collected, before = self._collected(me, Collected(signed), heard), me.log.roster
        if collected.body(before) is None:
            words = self._given_up(me, signed) if heard else ()
            collected = self._collected(me, collected, heard, words)
        body = collected.body(before)
        if body is None:
            return f"too few endorse it: {len(collected.missing(before))} do not"
        if me.standing_vote != signed:
            return "it yielded to another one meanwhile"
        return self._written(me, signed, minted.following(signed, body, me.signs_with))

    def _collected(
        self,
        me: FakeHost,
        collected: Collected,
        heard: bool,
        words: tuple[Abandonment, ...] = (),
    ) -> Collected:
        for host in self.others(me):
            self.fetch_from(host, me)
            lost = not self.reaches_coordinator(host)
            given = host.endorse(collected.candidate, lost=lost, words=words)
            if given and heard:
                collected = collected.with_endorsement(given)
            self.changed()
        return collected

    def _given_up(self, me: FakeHost, signed: SignedEntry) -> tuple[Abandonment, ...]:
        """The words of takers that are there and never write what others have voted for."""
        there = {host.id: host for host in (me, *self.others(me))}
        elsewhere = dict.fromkeys(h.standing_vote for h in there.values())
        others = [other for other in elsewhere if other not in (None, signed)]
        takers = [(other, there.get(taker(other) or HostId(""))) for other in others if other]
        words = (host.abandon(other) for other, host in takers if host)
        return tuple(word for word in words if word)

    def _written(self, me: FakeHost, *entries: SignedEntry, alone: bool = False) -> str:
        try:
            me.hold(minted.grown(me.log, *entries, alone=alone))
        except Failure as why:
            return str(why)
        me.fit = me.fresh = self.confirm(me)
        return ""

    def reaches_coordinator(self, me: FakeHost) -> bool:
        """Whether its coordinator answers and leads the pool."""
        coordinator = self.hosts[me.log.roster.coordinator]
        return self.reach(me, coordinator) and self.leads(coordinator)
