"""However takers and voters meet, one takeover at most is written, and in the end there is one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

import pytest

from pooltrust.errors import MayNotEndorse
from pooltrust.terms import HostId
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.takeover import Abandonment, Vote, abandon, is_free, may_yield, taker

from .pools import NOW, B, C, D, E, Pool

POOL = Pool.found(B, C, D, E)
ROSTER = POOL.log.roster
VOTERS = (B, C, D, E)
FIRST = POOL.taken_over(B)
SECOND = POOL.taken_over(C)


@cache
def takeover(host: HostId, number: int) -> SignedEntry:
    """The host's so manyth takeover of the one entry."""
    return POOL.taken_over(host, at=NOW + timedelta(seconds=number))


@dataclass
class Votes:
    """Members without their coordinator, who meet in any order, stop and forget nothing."""

    given: dict[HostId, SignedEntry] = field(default_factory=dict)
    collected: dict[HostId, set[HostId]] = field(default_factory=dict)
    words: dict[HostId, list[Abandonment]] = field(default_factory=dict)
    signed: dict[HostId, int] = field(default_factory=dict)
    written: set[SignedEntry] = field(default_factory=set)

    def leads(self, host: HostId) -> bool:
        """Whether its log has grown by its takeover: then it votes for nothing in that place."""
        return any(taker(signed) == host for signed in self.written)

    def own(self, host: HostId) -> SignedEntry | None:
        """The takeover that this host may go on with."""
        given = self.given.get(host)
        return given if given and taker(given) == host else None

    def begin(self, host: HostId) -> None:
        """Take over; after a stop too, when what was collected is gone."""
        self.collected[host], self.words[host] = {host}, []
        if host not in self.given:
            self.signed[host] = self.signed.get(host, 0) + 1
            self.given[host] = takeover(host, self.signed[host])

    def ask(self, host: HostId, voter: HostId) -> None:
        """Ask for an endorsement, with what this host knows to be given up."""
        own, before = self.own(host), self.given.get(voter)
        if own is None or host not in self.collected or self.leads(voter):
            return
        free = before is None or before == own or may_yield(voter, before, own)
        if free or (before and is_free(ROSTER, before, self.words[host])):
            self.given[voter] = own
            self.collected[host].add(voter)

    def ask_again(self, host: HostId, voter: HostId) -> None:
        """Hear who has that vote, and whether that one has given up; then ask for it."""
        other = self.given.get(voter)
        by = taker(other) if other else None
        if other is None or by is None or host not in self.collected or self.leads(by):
            return
        given = self.given.get(by)
        vote = Vote.of(given) if given else None
        try:
            self.words[host].append(abandon(ROSTER, by, other, vote, POOL.keys[by]))
        except MayNotEndorse:
            return
        self.ask(host, voter)

    def write(self, host: HostId) -> None:
        """Write it, if enough are behind it and this host's vote is still its own."""
        own = self.own(host)
        if own and 2 * len(self.collected.get(host, ())) > len(ROSTER.members):
            self.written.add(own)

    def end(self) -> None:
        """Everybody meets everybody, as long as it takes."""
        for _ in VOTERS:
            for host in VOTERS:
                self.begin(host)
                for voter in VOTERS:
                    self.ask(host, voter)
                for voter in VOTERS:
                    self.ask_again(host, voter)
                self.write(host)


@pytest.mark.parametrize("seed", range(150))
def test_one_is_written_at_most_and_at_least_when_all_are_there(seed: int) -> None:
    dice, votes = random.Random(seed), Votes()
    for _ in range(40):
        host, voter = dice.choice(VOTERS), dice.choice(VOTERS)
        match dice.randrange(8):
            case 0:
                votes.begin(host)
            case 1:
                votes.write(host)
            case 2:
                votes.collected.pop(host, None)
            case 3 | 4:
                votes.ask_again(host, voter)
            case _:
                votes.ask(host, voter)
        assert len(votes.written) <= 1
    votes.end()
    assert len(votes.written) == 1


def vote(signed: SignedEntry) -> Vote:
    return Vote(POOL.log.head_hash, signed.hash)


def test_a_taker_whose_vote_is_elsewhere_frees_the_votes_that_it_had() -> None:
    word = abandon(ROSTER, B, FIRST, vote(SECOND), POOL.keys[B])
    assert is_free(ROSTER, FIRST, [word])
    assert not is_free(ROSTER, SECOND, [word])
    assert not is_free(ROSTER, FIRST, [])


@pytest.mark.parametrize("other", [None, vote(FIRST), Vote("0" * 64, SECOND.hash)])
def test_a_taker_that_may_still_write_it_does_not_give_it_up(other: Vote | None) -> None:
    with pytest.raises(MayNotEndorse):
        abandon(ROSTER, B, FIRST, other, POOL.keys[B])


def test_nobody_gives_up_anothers_or_what_it_never_signed() -> None:
    for signed in (SECOND, POOL.sign(FIRST.entry.body, C)):
        with pytest.raises(MayNotEndorse):
            abandon(ROSTER, B, signed, vote(takeover(D, 1)), POOL.keys[B])


def test_a_word_of_another_member_frees_nothing() -> None:
    word = abandon(ROSTER, C, SECOND, vote(FIRST), POOL.keys[C])
    assert not is_free(ROSTER, FIRST, [Abandonment(FIRST.hash, word.signature)])
    # An endorsement is no abandonment: the two are different statements.
    endorsed = POOL.endorsement(FIRST, B)
    assert not is_free(ROSTER, FIRST, [Abandonment(FIRST.hash, endorsed.signature)])
