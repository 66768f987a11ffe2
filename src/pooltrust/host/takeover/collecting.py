"""Gathering the endorsements of a takeover that this host signed.

Members whose vote is with a takeover that was given up meanwhile are asked once more, with the word
of its taker that it is never written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from pooltrust.errors import Failure, Suspended, aside, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Link, Peers
from pooltrust.host.takeover.endorsing import Endorsing, candidate
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.operations.takeover import Collected
from pooltrust.pool.plan.demands import ALONE
from pooltrust.terms import HostId
from pooltrust.trust.entries import Endorsement
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.roster import Roster
from pooltrust.trust.takeover import Abandonment, behind, taker

ENDORSE_SECONDS = 30.0


@failure("TAKEOVER_TOO_FEW_ENDORSE")
class TooFewEndorse(Suspended):
    """More than half of the {members} members must endorse this takeover, and {behind} do
    ({names}): {why}."""

    members: int
    behind: int
    names: str
    why: str
    remedy: str = aside(f"Start them and go on: xe operation-resume.  {ALONE}.")


@dataclass(slots=True)
class Agreed:
    """What the members said when they were asked for their endorsement."""

    collected: Collected
    why: dict[HostId, str] = field(default_factory=dict)
    """Why a member did not endorse it, in words."""
    elsewhere: dict[HostId, SignedEntry] = field(default_factory=dict)
    """The other takeovers that have the votes of members."""

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


class Collecting:
    """Asks the members to endorse."""

    def __init__(
        self, belief: Belief, peers: Peers, endorsing: Endorsing, journal: Journal
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._endorsing = endorsing
        self._journal = journal

    async def collect(self, signed: SignedEntry) -> Agreed:
        """Ask every member at once for its endorsement."""
        agreed, roster = Agreed(Collected(signed)), self._belief.roster
        others = roster.members.keys() - {self._belief.me, roster.coordinator}
        await asyncio.gather(*(self._ask(host, agreed) for host in others))
        if agreed.collected.body(roster) is None and (words := await self._abandoned(agreed)):
            again = list(agreed.elsewhere)
            await asyncio.gather(*(self._ask(host, agreed, words) for host in again))
        return agreed

    async def _ask(self, host: HostId, agreed: Agreed, words: Collection[Abandonment] = ()) -> None:
        line = agreed.collected.candidate.line().decode()
        said = [{"takeover": w.takeover, "signature": wire.b64(w.signature)} for w in words]
        try:
            async with self._peers.link(host) as link:
                try:
                    answer = await link.ask(
                        "endorse", within=ENDORSE_SECONDS, candidate=line, abandoned=said
                    )
                except wire.PeerRefused:
                    await self._ask_why(host, link, agreed)
                    raise
            given = Endorsement(host, wire.raw(answer, "signature", limit=1024))
            agreed.collected = agreed.collected.with_endorsement(given)
        except Failure as why:
            agreed.why[host] = str(why)
            self._journal.damped("not-endorsed", peer=host, reason=why.code, words=str(why))

    async def _ask_why(self, host: HostId, link: Link, agreed: Agreed) -> None:
        other = candidate(await link.ask("vote"))
        if other is not None and other != agreed.collected.candidate:
            agreed.elsewhere[host] = other

    async def _abandoned(self, agreed: Agreed) -> list[Abandonment]:
        """What the takers say who have the votes that this one lacks: which they gave up."""
        others = {other.hash: other for other in agreed.elsewhere.values()}.values()
        words = await asyncio.gather(*(self._given_up(other) for other in others))
        return [word for word in words if word is not None]

    async def _given_up(self, other: SignedEntry) -> Abandonment | None:
        host = taker(other)
        try:
            if host == self._belief.me:
                return self._endorsing.abandon(other)
            if host not in self._belief.roster.members or host is None:
                return None
            async with self._peers.link(host) as link:
                answer = await link.ask("abandoned", candidate=other.line().decode())
            return Abandonment(other.hash, wire.raw(answer, "signature", limit=1024))
        except Failure as why:
            reason, words = why.code, str(why)
            self._journal.damped("not-given-up", peer=host or "", reason=reason, words=words)
            return None


def _name(roster: Roster, host: HostId) -> str:
    return roster.expect(host).name
