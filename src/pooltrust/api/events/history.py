"""What changed, counted: from pictures of the pool, one after another, to the events since one.

An object that changed twice has one event; one that came and went has none.  A token is the place
of a client in this history: whose history it is, and how far it was read.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pooltrust.api.declare.values import Int32, Ref
from pooltrust.api.events.subscription import Subscription
from pooltrust.errors import HandleInvalid
from pooltrust.errors.telling import EventFromTokenParseFailure, EventsLost

REMEMBERED = 2048
"""Objects that are gone, and of which clients can still be told."""

_TOKEN = re.compile(r"(\d{20}),(\d{20})", re.ASCII)

Changed: TypeAlias = "set[tuple[str, Ref]]"
"""Objects by class, in lower case, and reference."""

Event: TypeAlias = dict[str, Any]
"""One event as it goes on the wire."""


@dataclass(slots=True)
class _Object:
    """One object, and at which count it came and last changed."""

    cls: str
    ref: Ref
    record: Any
    came: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Gone:
    cls: str
    ref: Ref
    came: int
    went: int


class History:
    """The objects as last seen, in the order of their last change.

    `whose` tells this history from that of another host, and of another start of this one.
    """

    def __init__(self, whose: int) -> None:
        self.whose = whose
        self.count = 0
        self._seen: dict[str, Mapping[Ref, Any]] = {}
        self._objects: dict[Ref, _Object] = {}
        self._gone: deque[_Gone] = deque()
        self._forgotten = 0

    @property
    def token(self) -> str:
        """The place of somebody who has heard everything."""
        return self._token(self.count)

    def _token(self, count: int) -> str:
        return f"{self.whose:020d},{count:020d}"

    @property
    def sizes(self) -> dict[str, Int32]:
        """How many objects of each class there are."""
        return {cls: Int32(len(rows)) for cls, rows in self._seen.items()}

    def heard(self, place: int) -> None:
        """Raise EventsLost if something was forgotten after this place."""
        if place < self._forgotten:
            raise EventsLost

    def place(self, token: str) -> int:
        """How far somebody has read: 0 for the empty token.

        Raises EventFromTokenParseFailure, and EventsLost for a place of another history or one
        after which something was forgotten.
        """
        if not token:
            return 0
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise EventFromTokenParseFailure(token=token)
        whose, count = int(found[1]), int(found[2])
        if whose != self.whose or count > self.count:
            raise EventsLost
        self.heard(count)
        return count

    def see(self, picture: Mapping[str, Mapping[Ref, Any]]) -> Changed:
        """Compare every class with what was last seen of it; returns what is another now.

        The mappings are snapshots: one that is the same object as before holds nothing new.
        """
        changed = {
            (cls, ref)
            for cls, rows in picture.items()
            if rows is not self._seen.get(cls)
            for ref in self._differences(cls, rows)
        }
        self.count += bool(changed)
        return changed

    def inject(self, cls: str, ref: Ref) -> str:
        """Have an object count as changed; returns the token of this change.

        The token of whoever hears of it is a greater one.  Raises HandleInvalid for an object that
        is not there.
        """
        known = self._objects.get(ref)
        if known is None or known.cls != cls.lower():
            raise HandleInvalid(type=cls, handle=ref)
        self._note(known.cls, ref, known.record)
        self.count += 2
        return self._token(self.count - 1)

    def heartbeat(self, subscription: Subscription) -> list[Event]:
        """The pool as an event, for who wants to hear of it, although it has not changed."""
        return [
            _event(self.count, "pool", "mod", ref, record)
            for ref, record in self._seen.get("pool", {}).items()
            if subscription.wants("pool", ref)
        ]

    def since(self, place: int, subscription: Subscription) -> list[Event]:
        """The events after this place: messages, the newest first, then what came, what is another
        and what went."""
        messages: list[Event] = []
        came: list[Event] = []
        changed: list[Event] = []
        went = {gone.ref: gone for gone in self._went(place, subscription)}
        for one in self._changed(place, subscription):
            known = one.came <= place or went.pop(one.ref, None) is not None
            if one.cls == "message":
                messages.append(_event(0, one.cls, "add", one.ref, one.record))
            elif known:
                changed.append(_event(one.changed, one.cls, "mod", one.ref, one.record))
            else:
                came.append(_event(one.changed, one.cls, "add", one.ref, one.record))
        lost = [_event(gone.went, gone.cls, "del", gone.ref) for gone in went.values()]
        return [*messages, *reversed(came), *reversed(changed), *reversed(lost)]

    def _changed(self, place: int, subscription: Subscription) -> Iterator[_Object]:
        for one in reversed(self._objects.values()):
            if one.changed <= place:
                return
            if subscription.wants(one.cls, one.ref):
                yield one

    def _went(self, place: int, subscription: Subscription) -> Iterator[_Gone]:
        """What somebody at this place knows and what was there no more after it."""
        for gone in reversed(self._gone):
            if gone.went <= place:
                return
            if gone.came <= place and subscription.wants(gone.cls, gone.ref):
                yield gone

    def _differences(self, cls: str, rows: Mapping[Ref, Any]) -> Iterator[Ref]:
        for ref, record in rows.items():
            known = self._objects.get(ref)
            if known is None or known.record != record:
                self._note(cls, ref, record)
                yield ref
        for ref in self._seen.get(cls, {}).keys() - rows.keys():
            self._forget(self._objects.pop(ref))
            yield ref
        self._seen[cls] = rows

    def _note(self, cls: str, ref: Ref, record: Any) -> None:
        """As of the next count.  Taken out and put back, it is the last in order."""
        known = self._objects.pop(ref, None)
        came = known.came if known else self.count + 1
        self._objects[ref] = _Object(cls, ref, record, came, self.count + 1)

    def _forget(self, one: _Object) -> None:
        self._gone.append(_Gone(one.cls, one.ref, one.came, self.count + 1))
        if len(self._gone) > REMEMBERED:
            self._forgotten = self._gone.popleft().went


def _event(count: int, cls: str, operation: str, ref: Ref, record: Any = None) -> Event:
    event = {
        "id": str(count),
        "timestamp": "0.0",
        "class": cls,
        "operation": operation,
        "ref": ref,
    }
    return event if operation == "del" else {**event, "snapshot": record}
