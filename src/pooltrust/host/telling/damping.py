"""One line per matter and interval, and how many were swallowed.

Arithmetic only: seconds of a monotonic clock come in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

INTERVAL = 60.0
"""Seconds in which a matter gets one line."""

MOST = 4096
"""Matters that are remembered; one more, and the oldest interval ends early."""

Matter: TypeAlias = tuple[str, str, str]
"""Event, peer, reason."""


@dataclass(frozen=True, slots=True)
class Swallowed:
    """How many lines of one matter were swallowed in an interval that is over."""

    what: Matter
    count: int


@dataclass(slots=True)
class _Interval:
    began: float
    swallowed: int = 0


class Damping:
    """Which matters have had their line."""

    def __init__(self) -> None:
        self._intervals: OrderedDict[Matter, _Interval] = OrderedDict()  # by when they began
        self._evicted: list[Swallowed] = []

    def admits(self, what: Matter, now: float) -> bool:
        """Whether this gets a line; if not it is counted.  Call `over` first."""
        interval = self._intervals.get(what)
        if interval is not None:
            interval.swallowed += 1
            return False
        if len(self._intervals) >= MOST:
            self._end(next(iter(self._intervals)))
        self._intervals[what] = _Interval(now)
        return True

    def over(self, now: float) -> Iterator[Swallowed]:
        """End the intervals that are over and tell what each of them swallowed, if anything."""
        for what in list(self._intervals):
            if now - self._intervals[what].began < INTERVAL:
                break
            self._end(what)
        told, self._evicted = self._evicted, []
        yield from told

    def next_over(self, now: float) -> float | None:
        """Seconds until `over` has something to tell; None if nothing is swallowed so far."""
        ends = [
            interval.began + INTERVAL - now
            for interval in self._intervals.values()
            if interval.swallowed
        ]
        return max(0.0, min(ends)) if ends else None

    def _end(self, what: Matter) -> None:
        count = self._intervals.pop(what).swallowed
        if count:
            self._evicted.append(Swallowed(what, count))
