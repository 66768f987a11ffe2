"""What this host has observed of its TLS conversations, newest of each: bounded, in memory only.

Of each kind of endpoint, way, outcome and peer the last conversation is kept, when the first one
was, and how many there were.  Strangers can take places from strangers only: whoever has proved
nothing never displaces a member, a client that logged in, or an appliance.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pooltrust.api.sessions import Session
from pooltrust.host.telling.conversations import Conversation, Outcome, Way
from pooltrust.terms import HostId
from pooltrust.tls.endpoints import Kind

MOST_STRANGERS = 64
"""Peers that are kept of one kind, way and outcome if anybody can be one of them."""

MOST_PROVED = 128
"""The same if they were dialled, or have proved something."""

MOST_MEMBERS = 512
"""The same of members, who are in the roster."""

_CLAIMED = {"cli": Kind.COMMAND_LINE, "pooltrust console": Kind.CONSOLE}
"""What clients of ours call themselves at a login; it is their word, and decides nothing."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The last conversation with one peer that ended so, and how many there were since `first`.

    `forgotten`: how many other peers of its kind, way and outcome gave way.  Times are UTC.
    """

    conversation: Conversation
    first: datetime
    at: datetime
    count: int
    forgotten: int


@dataclass(slots=True)
class _Kept:
    last: Conversation
    first: datetime
    at: datetime
    count: int = 0


@dataclass(slots=True)
class _Group:
    most: int
    kept: OrderedDict[str, _Kept]
    forgotten: int = 0


class Observations:
    """Collects them.  `now`: UTC."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.since = now()
        """Since when this host observes: its start, or when it forgot."""
        self._groups: dict[tuple[Kind, Way, Outcome], _Group] = {}
        self._appliance = ""
        self.shown: Callable[[], str] = str
        """The thumbprint of what clients are shown."""

    def note(self, seen: Conversation) -> None:
        """Remember this one; it took place just now."""
        seen = self._recognized(seen).bounded()
        group = self._group(seen)
        key = f"{seen.peer} {seen.says}" if seen.outcome is Outcome.LET_IN else seen.peer
        kept = group.kept.get(key)
        now = self._now()
        if kept is None:
            if len(group.kept) >= group.most:
                group.kept.popitem(last=False)
                group.forgotten += 1
            kept = group.kept[key] = _Kept(seen, now, now)
        else:
            group.kept.move_to_end(key)
        kept.last, kept.at = seen, now
        kept.count += 1

    def rows(self) -> Iterator[Observed]:
        """Everything that is remembered."""
        for group in self._groups.values():
            for kept in group.kept.values():
                yield Observed(kept.last, kept.first, kept.at, kept.count, group.forgotten)

    def told(self) -> list[dict[str, str]]:
        """The same as texts, for clients."""
        return [_told(row, self.since) for row in self.rows()]

    def logged_in(self, session: Session) -> None:
        """A client has: by a password or a certificate, over TLS."""
        who, origin = session.principal, session.principal.origin
        if origin.local or who.pool or not origin.address:
            return
        self.note(
            Conversation(
                kind=Kind.CERTIFIED if who.client_certificate else Kind.API_CLIENT,
                way=Way.ANSWERED,
                peer=origin.address,
                outcome=Outcome.LET_IN,
                address=origin.address,
                says=who.originator,
                shown=self.shown(),
                tls_version=origin.tls_version,
            )
        )

    def left(self, hosts: Collection[HostId], showed: Collection[str]) -> None:
        """Forget what was observed of these hosts, which are no members any more, and whatever
        `showed` these certificates of theirs (thumbprints)."""
        for group in self._groups.values():
            for key, kept in list(group.kept.items()):
                if kept.last.peer in hosts or kept.last.met in showed:
                    del group.kept[key]

    def forget(self) -> None:
        """Know nothing: this host belongs to another pool now."""
        self._groups.clear()
        self._appliance = ""
        self.since = self._now()

    def _group(self, seen: Conversation) -> _Group:
        key = seen.kind, seen.way, seen.outcome
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(_most(seen), OrderedDict())
        return group

    def _recognized(self, seen: Conversation) -> Conversation:
        """Of API clients, those of ours by what they say, the appliance by where it is."""
        if seen.kind is Kind.BALANCING and seen.way is Way.DIALLED:
            self._appliance = seen.address
        if seen.kind is not Kind.API_CLIENT or seen.way is not Way.ANSWERED:
            return seen
        if kind := _CLAIMED.get(seen.says):
            return replace(seen, kind=kind)
        if self._appliance and seen.address == self._appliance:
            return replace(seen, kind=Kind.BALANCING_IN)
        return seen


def _most(seen: Conversation) -> int:
    proved = seen.way is Way.DIALLED or seen.outcome in (Outcome.VERIFIED, Outcome.LET_IN)
    if not proved:
        return MOST_STRANGERS
    return MOST_MEMBERS if seen.kind is Kind.MEMBER else MOST_PROVED


def _told(row: Observed, since: datetime) -> dict[str, str]:
    seen = row.conversation
    return {
        "kind": seen.kind,
        "way": seen.way,
        "peer": seen.peer,
        "address": seen.address,
        "outcome": seen.outcome,
        "says": seen.says,
        "met": seen.met,
        "shown": seen.shown,
        "tls_version": seen.tls_version,
        "expected": seen.expected,
        "refused_by": seen.by,
        "reason": seen.reason,
        "cure": seen.cure,
        "at": row.at.isoformat(timespec="seconds"),
        "first": row.first.isoformat(timespec="seconds"),
        "count": str(row.count),
        "forgotten": str(row.forgotten),
        "since": since.isoformat(timespec="seconds"),
    }
