"""Who waits for events, and waking them: the waiting side of the api floor's history.

One change wakes those who asked for it and nobody else.  What changes together, within
`BATCH_SECONDS`, is told together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pooltrust.api.declare.values import Int32, Ref
from pooltrust.api.events.history import Changed, Event, History
from pooltrust.api.events.subscription import EVERYTHING, Subscription
from pooltrust.errors.telling import EventsLost, SessionNotRegistered

BATCH_SECONDS = 0.05

LOOK_SECONDS = 5.0
"""How often it is looked for what nobody announces, such as a host that falls silent."""

HEARTBEAT_SECONDS = 30.0
"""How long event.next waits; then it tells of the pool although nothing has changed."""

LONGEST_SECONDS = 24 * 3600.0

Look = Callable[[], Mapping[str, Mapping[Ref, Any]]]
"""Every object by class, in lower case, and reference; the same mapping while nothing changed."""

Gate = Callable[[], None]
"""Raises why somebody who has waited is not served any more."""


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody who waits."""

    subscription: Subscription
    session: Ref
    woken: asyncio.Future[None]

    @property
    def keys(self) -> Collection[str]:
        """Where it is found; somebody who wants nothing waits too."""
        return self.subscription.keys or ("",)

    def wake(self) -> None:
        if not self.woken.done():
            self.woken.set_result(None)


class Hub:
    """Everybody who waits for events on this host.  `whose`: see History."""

    def __init__(self, look: Look, whose: int) -> None:
        self._look = look
        self._history = History(whose)
        self._waiting: dict[str, set[_Waiter]] = {}
        self._registered: dict[Ref, tuple[Subscription, int]] = {}
        self._untold: Changed = set()
        self._due: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """How many times something was seen to have changed."""
        self._see()
        return self._history.count

    @property
    def sizes(self) -> Mapping[str, Int32]:
        """How many objects of each class there were when it was last looked."""
        return self._history.sizes

    async def since(
        self, subscription: Subscription, token: str, seconds: float, session: Ref, gate: Gate
    ) -> tuple[list[Event], str]:
        """The events after this token, and the next token.

        Waits for one, at most so many seconds.  Raises EventFromTokenParseFailure, EventsLost and
        what `gate` raises.
        """
        self._see()
        place = self._history.place(token)
        until = asyncio.get_running_loop().time() + _bounded(seconds)
        if token and self._history.since(place, subscription) and not _only_tasks(subscription):
            await asyncio.sleep(BATCH_SECONDS)
            self._see()
        while not (events := self._history.since(place, subscription)):
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await self._wait(subscription, session, left)
            gate()
            place = self._history.place(token)
        return events, self._history.token

    def register(self, session: Ref, subscription: Subscription) -> None:
        """From now on remember for this session what it has not heard by `next`."""
        self._see()
        known, place = self._registered.get(session, (Subscription(), self._history.count))
        self._registered[session] = known | subscription, place

    def unregister(self, session: Ref, subscription: Subscription) -> None:
        """Do not remember these any more."""
        known, place = self._registered.pop(session, (Subscription(), 0))
        if (left := known - subscription).keys:
            self._registered[session] = left, place

    async def next(self, session: Ref, gate: Gate) -> list[Event]:
        """What a registered session has not heard; waits until there is something, or a heartbeat.

        Raises SessionNotRegistered, EventsLost and what `gate` raises.
        """
        self._see()
        while True:
            subscription, place = self._place_of(session)
            events = self._history.since(place, subscription)
            if not events and not await self._wait(subscription, session, HEARTBEAT_SECONDS):
                events = self._history.heartbeat(subscription)
            if events:
                self._registered[session] = subscription, self._history.count
                return events
            gate()

    def inject(self, cls: str, ref: Ref) -> str:
        """Have an object count as changed; returns the token of that.  Raises HandleInvalid."""
        self._see()
        token = self._history.inject(cls, ref)
        self._tell_later({(cls.lower(), ref)})
        return token

    def changed(self) -> None:
        """Something may be another now."""
        if self._waiting:
            self._tell_later(set())

    def changed_task(self) -> None:
        """A task is another now: whoever waits for tasks alone is told at once."""
        if self._waiting.get("task"):
            self._see()
            self._wake(lambda waiter: _only_tasks(waiter.subscription) and self._wants(waiter))
        self.changed()

    def end_session(self, session: Ref) -> None:
        """Whoever waits in this session is let go."""
        self._registered.pop(session, None)
        self._wake(lambda waiter: waiter.session == session)

    def end_all(self) -> None:
        """Everybody who waits is let go: this host may not be whom they asked any more."""
        self._wake(lambda _: True)

    def close(self) -> None:
        """Everybody who waits is cut off: the daemon stops."""
        for timer in (self._due, self._looking):
            if timer is not None:
                timer.cancel()
        for waiter in set().union(*self._waiting.values()):
            waiter.woken.cancel()

    def _place_of(self, session: Ref) -> tuple[Subscription, int]:
        if session not in self._registered:
            raise SessionNotRegistered(session)
        subscription, place = self._registered[session]
        try:
            self._history.heard(place)
        except EventsLost:
            self._registered[session] = subscription, self._history.count
            raise
        return subscription, place

    def _see(self) -> None:
        changed = self._history.see(self._look())
        if changed and self._waiting:
            self._tell_later(changed)

    def _tell_later(self, changed: Changed) -> None:
        self._untold |= changed
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._tell)

    def _tell(self) -> None:
        self._due = None
        self._untold |= self._history.see(self._look())
        classes = {cls for cls, _ in self._untold}
        self._wake(self._wants, {*classes, EVERYTHING} if classes else set())
        self._untold = set()

    def _wants(self, waiter: _Waiter) -> bool:
        return any(waiter.subscription.wants(cls, ref) for cls, ref in self._untold)

    def _wake(self, which: Callable[[_Waiter], bool], keys: Collection[str] | None = None) -> None:
        for key in self._waiting if keys is None else keys:
            for waiter in self._waiting.get(key, ()):
                if which(waiter):
                    waiter.wake()

    async def _wait(self, subscription: Subscription, session: Ref, seconds: float) -> bool:
        """Wait to be woken, at most so long.  Returns whether it was before that time."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(subscription, session, loop.create_future())
        end = loop.time() + seconds  # uvloop's handle of a very short time can't tell it
        until = loop.call_later(seconds, waiter.wake)
        for key in waiter.keys:
            self._waiting.setdefault(key, set()).add(waiter)
        self._look_again()
        try:
            await waiter.woken
        finally:
            until.cancel()
            self._leave(waiter)
        return loop.time() < end

    def _leave(self, waiter: _Waiter) -> None:
        for key in waiter.keys:
            self._waiting[key].discard(waiter)
            if not self._waiting[key]:
                del self._waiting[key]

    def _look_again(self) -> None:
        """Look once in a while, as long as somebody waits."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._looked)

    def _looked(self) -> None:
        self._looking = None
        if self._waiting:
            self._see()
            self._look_again()


def _bounded(seconds: float) -> float:
    return seconds if 0 <= seconds <= LONGEST_SECONDS else LONGEST_SECONDS


def _only_tasks(subscription: Subscription) -> bool:
    return subscription.keys == {"task"}
