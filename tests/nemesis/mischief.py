"""Somebody who hurts a pool at random, by a seed: kills, stops, cuts, delays, wrong clocks.

What it does is drawn from the seed, so that a run can be repeated as far as the machine's own
timing allows.  Whether the pool bears it is judged elsewhere.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from soak import progress

from .clocks import DAY, YEAR
from .field import Field
from .wires import Cut

ACTS = {"kill": 1, "stop": 3, "part": 3, "half_part": 2, "slow": 2, "clock": 3}
"""What may happen, by weight, besides the kills that were ordered."""
JUMPS = (-DAY, -3600.0, -61.0, 61.0, 3600.0, DAY, 40 * DAY, 200 * DAY, YEAR)
PAUSE_SECONDS = 0.5
"""Between two acts, at most; what was done may last longer, so that they overlap."""


@dataclass
class Mischief:
    """`check` is called after every act, while the pool is hurt."""

    field: Field
    chance: random.Random
    check: Callable[[], None]
    done: Counter[str] = field(default_factory=Counter)
    _ends: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def round(self, seconds: float, kills: int) -> None:
        """Hurt the pool for so many seconds, with so many kills at least; it is well afterwards."""
        began = time.monotonic()
        due = sorted(self.chance.uniform(0, seconds * 0.9) for _ in range(kills))
        while (passed := time.monotonic() - began) < seconds or due:
            if due and passed >= due[0]:
                due.pop(0)
                self._act("kill")
            else:
                self._act(self.chance.choices(list(ACTS), list(ACTS.values()))[0])
            self.check()
            self._end_what_is_over()
            time.sleep(self.chance.uniform(0, PAUSE_SECONDS))
        self._ends.clear()
        self.field.everything_well()

    def _act(self, what: str) -> None:
        getattr(self, f"_{what}")()

    def _kill(self) -> None:
        """A host, or two; each is started again after a moment."""
        running = self.field.running
        names = self.chance.sample(running, min(len(running), self.chance.choice((1, 1, 1, 2))))
        for name in names:
            self.field.kill(name)
            self._lasts(1.0, lambda name=name: self.field.begin(name))
        if names:
            self._tell("kill", "kills", *names)

    def _stop(self) -> None:
        if self.field.running:
            name = self.chance.choice(self.field.running)
            self.field.pause(name)
            self._lasts(4.0, lambda: self.field.resume(name))
            self._tell("stop", "stops", name)

    def _part(self) -> None:
        """Two groups that do not hear one another."""
        names = self.field.names
        some = self.chance.sample(names, self.chance.randint(1, len(names) - 1))
        how = self.chance.choice(list(Cut))
        self.field.wires.cut(self.field.between(some, set(names) - set(some)), how)
        self._lasts(5.0, self.field.wires.mend)
        self._tell("part", f"parts ({how.value})", *some)

    def _half_part(self) -> None:
        """A host that others do not reach, though it reaches them; or the other way round."""
        name = self.chance.choice(self.field.names)
        pairs = [(other, name) for other in self.field.names if other != name]
        if self.chance.random() < 0.5:
            pairs = [(b, a) for a, b in pairs]
        how = self.chance.choice(list(Cut))
        self.field.wires.cut(pairs, how)
        self._lasts(3.0, self.field.wires.mend)
        self._tell("half-part", f"half parts ({how.value})", name)

    def _slow(self) -> None:
        name = self.chance.choice(self.field.names)
        pairs = self.field.between([name], self.field.names)
        self.field.wires.delay({pair: self.chance.uniform(0.02, 0.3) for pair in pairs})
        self._lasts(3.0, self.field.wires.mend)
        self._tell("slow", "slows", name)

    def _clock(self) -> None:
        name = self.chance.choice(self.field.names)
        seconds = self.chance.choice((0.0, *JUMPS))
        self.field.clocks[name].set(seconds)
        self._tell("clock", f"sets a clock {seconds:+.0f} s off:", name)

    def _lasts(self, most: float, end: Callable[[], None]) -> None:
        until = time.monotonic() + self.chance.uniform(0, most)
        heapq.heappush(self._ends, (until, next(self._order), end))

    def _end_what_is_over(self) -> None:
        while self._ends and self._ends[0][0] <= time.monotonic():
            heapq.heappop(self._ends)[-1]()

    def _tell(self, what: str, doing: str, *names: str) -> None:
        self.done[what] += len(names) if what == "kill" else 1
        progress(f"  {doing} {', '.join(sorted(names))}")
