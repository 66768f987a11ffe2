"""Telling an administrator what became of entries that others offered.

Every case has its own event, failure and words: see verdicts.py.  Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from pooltrust.host.belief import Belief
from pooltrust.host.takeover.verdicts import (
    CutShort,
    Verdict,
    forked,
    given_up_words,
    no_own_key,
    refused,
)
from pooltrust.host.telling.journal import Journal
from pooltrust.terms import HostId
from pooltrust.trust.entries import CertificateWithdrawn
from pooltrust.trust.log import Adopted, AlreadyHeld, Bound, Fork, Gap, Log, Outcome, Stopped


class Telling:
    """Writes outcomes into the journal, and keeps the evidence of a fork."""

    def __init__(self, belief: Belief, journal: Journal) -> None:
        self._belief = belief
        self._journal = journal
        self.forked: Callable[[HostId, int], None] = lambda _host, _number: None
        """Told of a fork that nothing has decided: who holds another entry, and of which number."""

    async def of(self, outcome: Outcome, source: HostId) -> None:
        """What became of entries that `source` offered.  Raises CannotStore."""
        match outcome:
            case Adopted(log=log):
                self._journal.event("log-adopted", number=log.head_number, source=source)
                if outcome.left:
                    self.moved(outcome)
                if outcome.then is not None:
                    self.verdict(refused(outcome.then.why, self._name(source)), source)
            case AlreadyHeld() | Gap():
                return
            case Fork(number=number):
                await self._belief.keep_evidence([outcome.theirs])
                verdict = forked(outcome, self._name(source))
                self._journal.damped(
                    verdict.event, peer=source, reason=verdict.failure.code, number=number,
                    ours=outcome.ours.hash, theirs=outcome.theirs.hash, words=str(verdict.failure),
                )  # fmt: skip
                if not outcome.ours_stands:
                    self.forked(source, number)
            case Bound(vote=vote):
                self._journal.damped("log-bound", peer=source, reason="voted", vote=vote.takeover)
            case Stopped(why=why):
                self.verdict(refused(why, self._name(source)), source)
            case _:
                assert_never(outcome)

    def moved(self, outcome: Adopted) -> None:
        """This host left entries of its own: what does not count any more, by name."""
        roster, first = outcome.log.roster, outcome.left[0].envelope.number
        leads = self._name(roster.coordinator)
        self._journal.error(
            "log-moved",
            left=len(outcome.left),
            first=first,
            coordinator=leads,
            words=f"this host follows {leads} now; its own entries from {first} on do not count "
            "and are kept beside the log as evidence",
        )
        for words in given_up_words(outcome.given_up, roster):
            self._journal.error("given-up", words=words)

    def cut_short(self, source: HostId, number: int) -> None:
        """This member has signed for entry `number`, and hands over none that lead there."""
        what = (
            f"it signed that its log ends with entry {number}, and its entries that count lead to "
            f"entry {self._belief.log.head_number}"
        )
        self.verdict(Verdict("log-cut-short", CutShort(self._name(source), what)), source)

    def unexplained(self, source: HostId) -> None:
        """Whoever answers for this member is not believed, and its story does not say why."""
        what = (
            "it showed a certificate that is not accepted, or refused this host, and no entry that "
            "it gave explains that"
        )
        self.verdict(Verdict("story-cut-short", CutShort(self._name(source), what)), source)

    def keyless(self) -> None:
        """This host is a member, and the last certificate that it has a key of was withdrawn."""
        belief = self._belief
        verdict = no_own_key(belief.roster, belief.me, _withdrawn(belief.log, belief.me))
        words = str(verdict.failure)
        self._journal.error(verdict.event, reason=verdict.failure.code, words=words)

    def verdict(self, verdict: Verdict, source: HostId) -> None:
        """One line of it; the same again within a minute is counted."""
        failure = verdict.failure
        self._journal.damped(verdict.event, peer=source, reason=failure.code, words=str(failure))

    def _name(self, host: HostId) -> str:
        return self._belief.roster.expect(host).name


def _withdrawn(log: Log, host: HostId) -> int:
    """The number of the entry that withdrew a certificate of this host last; 0 if none did."""
    kind, about = CertificateWithdrawn.kind.encode(), host.encode()
    for signed in reversed(log.tail(0)):
        if kind in signed.payload and about in signed.payload:
            body = signed.entry.body
            if isinstance(body, CertificateWithdrawn) and body.host == host:
                return signed.entry.number
    return 0
