"""What this host noticed that is no part of the log, and, on the coordinator, what members noticed.

Forks that stand, copies, ejected hosts that knock, admitted ones that nobody heard of, emergency
switches.  Nothing is stored: what still has a cause is noticed again.  Alerts are made of it in
pool/alerts.py and kept by alerting.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.alerts import KNOCKING, Forked, Knocked, Noticed
from pooltrust.terms import HostId
from pooltrust.tls.answer import Refusal
from pooltrust.tls.reasons import UNKNOWN_TO_US
from pooltrust.trust.heads import Life
from pooltrust.trust.log.members import Left, admission, were_members
from pooltrust.trust.roster import Roster

CALL = "noticed"
_ADDRESS = re.compile(r"[0-9A-Fa-f:.%]+")
MOST_KNOCKS = 64
"""So many of one member are believed."""
GRACE = timedelta(minutes=1)
"""So long a host that was just ejected may not have heard of it, and goes on as it did."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one member has to tell its coordinator."""

    override: bool = False
    knocks: tuple[Knocked, ...] = ()

    def content(self) -> wire.Frame:
        """As a frame's content."""
        knocks = [
            {"host": k.host, "address": k.address, "at": k.at.isoformat()} for k in self.knocks
        ]
        return {"override": self.override, "knocks": knocks}

    @classmethod
    def read(cls, frame: wire.Frame, now: datetime) -> Word:
        """Read what a member tells; what it says of the future was at `now`.

        Raises PeerMisspoke.
        """
        knocks = frame.get("knocks")
        if not isinstance(knocks, list) or len(knocks) > MOST_KNOCKS:
            raise wire.PeerMisspoke(f"'knocks' is no list of at most {MOST_KNOCKS}")
        return cls(wire.flag(frame, "override"), tuple(_knocked(one, now) for one in knocks))


class Noticing:
    """Collects it.  `now`: UTC.  `changed` is called when there is something new, or over."""

    def __init__(
        self, belief: Belief, peers: Peers, journal: Journal, now: Callable[[], datetime]
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._journal = journal
        self._now = now
        self._forks: dict[HostId, Forked] = {}
        self._knocks: dict[HostId, Knocked] = {}
        self._words: dict[HostId, Word] = {}
        self._switched: frozenset[HostId] = frozenset()
        self._told: tuple[Life | None, Word] = (None, Word())
        self._left: dict[HostId, Left] | None = None
        self._admitted: dict[HostId, datetime | None] = {}
        self.changed: Callable[[], None] = lambda: None
        belief.watch(self._roster_changed)
        peers.sightings.watch(self._look)
        peers.witness.changed = self._changed

    @property
    def overrides(self) -> frozenset[HostId]:
        """The hosts whose emergency switch is on; of others only what a coordinator was told."""
        return self._switched | {self._belief.me} if self._belief.override else self._switched

    def _heard(self) -> None:
        there = {host for host, word in self._words.items() if word.override}
        self._switched = frozenset(there - {self._belief.me})

    def noticed(self) -> Noticed:
        """Everything that has a cause now; of other members only what a coordinator was told."""
        self._look()
        me, words = self._belief.me, dict(self._words)
        words[me] = self._word()
        knocks = {
            knock.host: knock
            for knock in sorted((k for w in words.values() for k in w.knocks), key=lambda k: k.at)
        }
        return Noticed(
            overrides=frozenset(host for host, word in words.items() if word.override),
            forks=tuple(self._forks.values()),
            copies=self._peers.witness.copies,
            knocks=tuple(knocks.values()),
            admitted=dict(self._ghosts()),
        )

    def forked(self, host: HostId, number: int) -> None:
        """This member holds another entry of that number, and nothing has decided which counts."""
        if host not in self._forks:
            self._forks[host] = Forked(host, number, self._now())
            self.changed()

    def knocked(self, host: HostId, address: str) -> None:
        """This host, which was a member, tried to connect."""
        if host in self._belief.roster.members or self._may_not_know(host):
            return
        new = host not in self._knocks
        self._knocks[host] = Knocked(host, address, self._now())
        words = "a host that was ejected from this pool tried to connect"
        self._journal.damped("ejected-host", peer=host, reason="knocked", at=address, words=words)
        if new:
            self.changed()

    def refused(self, refusal: Refusal) -> None:
        """A connection under the pool's name was refused: it may be an ejected host's."""
        if refusal.reason != UNKNOWN_TO_US.code or refusal.name is None:
            return
        taken = {member.address for member in self._belief.roster.members.values()}
        for host, left in self._were_members().items():
            if left.address == refusal.address and left.address not in taken:
                self.knocked(host, left.address)
                return

    async def told(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Note what a member noticed."""
        word = Word.read(frame, self._now())
        once = self._were_members() if word.knocks else {}
        word = Word(word.override, tuple(k for k in word.knocks if k.host in once))
        if self._words.get(peer, Word()) != word:
            self._words[peer] = word
            self._heard()
            self.changed()
        return {}

    async def tell(self) -> None:
        """Tell the coordinator what it does not know yet.  Raises what keeps it from hearing."""
        belief = self._belief
        coordinator = belief.roster.coordinator
        if coordinator == belief.me:
            return
        word, (life, told) = self._word(), self._told
        if word == (told if life == self._life(coordinator) else Word()):
            return
        await self._peers.call_verified(coordinator, CALL, **word.content())
        self._told = self._life(coordinator), word

    def _life(self, host: HostId) -> Life | None:
        head = self._peers.sightings.newest(host)
        return head.life if head else None

    def _changed(self) -> None:
        self.changed()

    def _may_not_know(self, host: HostId) -> bool:
        left = self._were_members().get(host)
        # A clock that was wrong when it was ejected hides nothing: then there is no grace.
        return left is not None and timedelta() <= self._now() - left.at < GRACE

    def _were_members(self) -> Mapping[HostId, Left]:
        """The hosts that were members and are none now."""
        if self._left is None:
            self._left = were_members(self._belief.log)
        return self._left

    def _word(self) -> Word:
        latest = sorted(self._knocks.values(), key=lambda k: k.at)[-MOST_KNOCKS:]
        return Word(self._belief.override, tuple(latest))

    def _ghosts(self) -> Iterator[tuple[HostId, datetime]]:
        """Members that this coordinator admitted and has not heard of.

        Whether one that another coordinator admitted was ever heard of is not known here.
        """
        belief, witness = self._belief, self._peers.witness
        if not belief.is_coordinator:
            return
        for host in belief.roster.members:
            if host != belief.me and not witness.heard_of(host):
                if host not in self._admitted:
                    self._admitted[host] = admission(belief.log, host, belief.me)
                if (at := self._admitted[host]) is not None:
                    yield host, at

    def _look(self) -> None:
        """Forget what is over."""
        now, members = self._now(), self._belief.roster.members
        forks = {h: f for h, f in self._forks.items() if self._stands(f)}
        knocks = {
            host: knock
            for host, knock in self._knocks.items()
            if host not in members and now - knock.at < KNOCKING
        }
        if (len(forks), len(knocks)) != (len(self._forks), len(self._knocks)):
            self._forks, self._knocks = forks, knocks
            self.changed()

    def _stands(self, fork: Forked) -> bool:
        """Until its host shows a head that fits, or is no member any more."""
        fits = self._peers.sightings.fits(fork.host)
        return fork.host in self._belief.roster.members and not fits

    def _roster_changed(self, before: Roster, after: Roster) -> None:
        if before.coordinator != after.coordinator or before.pool != after.pool:
            self._words.clear()
        for host in self._words.keys() - after.members.keys():
            del self._words[host]
        self._heard()
        if before.members.keys() != after.members.keys():
            self._left = None
            self._admitted.clear()
        if before.pool != after.pool:
            self._forks.clear()
            self._knocks.clear()
        self._look()


def _knocked(content: object, now: datetime) -> Knocked:
    if not isinstance(content, dict):
        raise wire.PeerMisspoke("a knock that is no object")
    try:
        at = datetime.fromisoformat(wire.text(content, "at", limit=64))
        if at.utcoffset() is None:
            raise ValueError("no zone")
    except ValueError as why:
        raise wire.PeerMisspoke(f"'at' is no time: {why}") from why
    host, address = wire.host(content, "host"), wire.text(content, "address", limit=64)
    if not _ADDRESS.fullmatch(address):
        raise wire.PeerMisspoke("'address' is none")
    return Knocked(host, address, min(at, now))
