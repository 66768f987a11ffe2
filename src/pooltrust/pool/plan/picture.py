"""The picture: what is known of the pool at one moment, as a value.

Whoever looked is not here: the driver makes a picture from signed heads, reports and handshakes.
Everything that an operation does next follows from its plan and from this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pooltrust.pool.plan.steps import Append, Step
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import (
    CertificateWithdrawn,
    CoordinatorChanged,
    HostAdmitted,
    HostDismissed,
    TakenOver,
    TakeoverEndorsed,
)
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Roster


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one host: its own last words, and whether it answers now."""

    reachable: bool = False
    held: int = 0
    """The number of the last entry that it holds *of this log*, by a head that it signed."""
    serves: Thumbprint | None = None
    """The pool certificate that new connections meet."""
    keys: frozenset[Thumbprint] | None = None
    """The pool certificates that it has the keys of, staged ones too; None if it never said."""
    override: bool = False
    """Its emergency switch is on: it does not verify, whatever the roster requires."""
    why: str = ""
    """Why it is not reachable, in words, as far as is known."""


@dataclass(frozen=True, slots=True)
class Probed:
    """A verified handshake, when the observer held entry `held`."""

    observer: HostId
    subject: HostId
    certificate: Thumbprint
    held: int


NOBODY = Known()
_HANDED_ON = (CoordinatorChanged.kind, TakenOver.kind)
_DECIDING = tuple(
    kind.encode()
    for kind in (HostAdmitted.kind, HostDismissed.kind, TakeoverEndorsed.kind, *_HANDED_ON)
)


@dataclass(frozen=True, slots=True)
class Picture:
    """The pool as host `me` knows it.  `log` is its own."""

    me: HostId
    log: Log
    hosts: Mapping[HostId, Known] = field(default_factory=dict)
    probes: frozenset[Probed] = frozenset()
    failed: Mapping[Step, str] = field(default_factory=dict)
    """Steps that were tried in this run and refused, with the reason in words."""
    settled: int | None = None
    """Up to this entry the log was known to be committed before; None if no count is kept.  Keep it
    on disk: who once held an entry can't be asked when he is no member any more."""
    _met: dict[tuple[HostId, HostId, Thumbprint], int] = field(
        init=False, compare=False, repr=False
    )
    _there: frozenset[HostId] = field(init=False, compare=False, repr=False)
    _newest: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Counted once: every step of every member asks for them.
        there = [(host, known.held) for host, known in self.hosts.items() if known.reachable]
        object.__setattr__(self, "_there", frozenset({self.me, *(host for host, _ in there)}))
        newest = max((self.log.head_number, *(held for _, held in there)))
        object.__setattr__(self, "_newest", newest)
        met: dict[tuple[HostId, HostId, Thumbprint], int] = {}
        for one in self.probes:
            key = one.observer, one.subject, one.certificate
            met[key] = max(one.held, met.get(key, -1))
        object.__setattr__(self, "_met", met)

    @property
    def roster(self) -> Roster:
        """The fold of the log."""
        return self.log.roster

    @property
    def newest(self) -> int:
        """The number of the last entry that anybody is known to hold."""
        return self._newest

    def known(self, host: HostId) -> Known:
        """What is known of that host; this one is always there and holds its own log."""
        known = self.hosts.get(host, NOBODY)
        return (
            replace(known, reachable=True, held=self.log.head_number) if host == self.me else known
        )

    def reachable(self) -> frozenset[HostId]:
        """The hosts that answer, members or not."""
        return self._there

    def holders(self, number: int) -> frozenset[HostId]:
        """The hosts, members or not, known to hold that entry."""
        return frozenset(h for h in {*self.hosts, self.me} if self.known(h).held >= number)

    def written(self, append: Append) -> int | None:
        """The number of the entry that says this, after `append.after`; None if there is none."""
        body = append.body
        kind = body.kind.encode()
        for signed in reversed(self.log.tail(append.after)):
            if kind in signed.payload and signed.entry.body == body:
                return signed.entry.number
        return None

    def withdrawn(self, after: int) -> frozenset[Thumbprint]:
        """The pool certificates that were withdrawn after that entry."""
        kind = CertificateWithdrawn.kind.encode()
        tail = (signed for signed in self.log.tail(after) if kind in signed.payload)
        bodies = (signed.entry.body for signed in tail)
        return frozenset(b.thumbprint for b in bodies if isinstance(b, CertificateWithdrawn))

    def committed(self, number: int) -> bool:
        """Whether entry `number`, and every one before it, is held by at least half of those who
        were members before it, the coordinator included.

        After a change of coordinator it is the new one that counts: the old one may be lost, and
        everything that the new one took over from it stays.
        """
        return self._is_committed(number, self._judges(number))

    def _is_committed(self, number: int, judges: Iterable[Roster]) -> bool:
        # A host that is dismissed by it, or since, is no witness.
        held = self.roster.members.keys() & self.holders(number)
        return self.roster.coordinator in held and _half_of_each(judges, held)

    def enough(self, there: AbstractSet[HostId], number: int) -> bool:
        """Whether these are at least half of the members that each entry up to `number` needs.

        An entry that is not committed yet may have changed who the members are; whoever was one
        before it could endorse another in its place.
        """
        return _half_of_each(self._judges(number), there)

    def _judges(self, number: int, *, by_word: bool = True) -> Iterator[Roster]:
        """The rosters of which half must agree; `by_word`: none from before the coordinator led.

        Whoever hands over has seen everything before it committed, and those who saw it with him
        may be members no more.  Whoever takes over alone has his administrator's order.
        """
        if self.settled is not None and number <= self.settled:
            return  # nobody can take its place any more
        yield self.before(number)
        for signed in reversed(self.log.tail(self.settled or number)):
            if any(kind in signed.payload for kind in _DECIDING):
                envelope = signed.envelope
                if envelope.kind == TakeoverEndorsed.kind:
                    return  # more than half of the members stood by everything before it
                if envelope.number < number:
                    yield self.before(envelope.number)
                if by_word and envelope.kind in _HANDED_ON:
                    return

    @property
    def settles(self) -> int:
        """Up to where the log is known to be committed now: `settled` of later pictures.

        By what this host has seen itself, and by no coordinator's word.
        """
        head = self.log.head_number
        seen = self._is_committed(head, self._judges(head, by_word=False))
        return head if seen else min(self.settled or 0, head)

    def before(self, number: int) -> Roster:
        """The roster before entry `number`: its members are those who could take its place."""
        return self.log.roster_at(max(number - 1, self.log.first - 1, 1))

    def met(self, observer: HostId, subject: HostId, certificate: Thumbprint) -> int:
        """What the observer held when it last met exactly that certificate; -1 if it did not."""
        return self._met.get((observer, subject, certificate), -1)

    def seen(self, host: HostId, **facts: Any) -> Picture:
        """This picture with other facts (fields of Known) about one host."""
        known = replace(self.hosts.get(host, NOBODY), **facts)
        return replace(self, hosts=MappingProxyType({**self.hosts, host: known}))

    def probed(self, *probes: Probed) -> Picture:
        """This picture with these handshakes as well."""
        return replace(self, probes=self.probes | set(probes))

    def failing(self, step: Step, why: str) -> Picture:
        """This picture after that step was refused."""
        return replace(self, failed=MappingProxyType({**self.failed, step: why}))

    def grown(self, log: Log) -> Picture:
        """This picture with this host's log grown."""
        return replace(self, log=log)

    @classmethod
    def whole(cls, log: Log, me: HostId, *, away: Iterable[HostId] = ()) -> Picture:
        """Everybody but `away` is there, up to date, and serves the newest accepted certificate."""
        gone = frozenset(away)
        hosts = {
            host: Known(
                reachable=host not in gone,
                held=log.head_number,
                serves=member.newest.thumbprint,
                keys=frozenset(c.thumbprint for c in member.certificates),
            )
            for host, member in log.roster.members.items()
        }
        return cls(me, log, MappingProxyType(hosts))


def _half_of_each(judges: Iterable[Roster], there: AbstractSet[HostId]) -> bool:
    return all(2 * len(roster.members.keys() & there) >= len(roster.members) for roster in judges)
