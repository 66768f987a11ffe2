"""Pools that grow, measured on the way, and tables that say how each figure grows."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.scale.costs import Figure, figures
from bench.scale.simulated import Simulated, Spent
from bench.scale.timing import forget

MISSED = 500
"""Changes, at most, that the member has missed which is seen to catch up."""
PROGRESS_SECONDS = 2.0

WORDS = ((0.25, "stays"), (0.75, "less"), (1.3, "in step"), (1.7, "more"), (math.inf, "square"))
"""What an exponent is called, up to which one."""


@dataclass(frozen=True)
class Moment:
    """A pool of so many hosts after so many changes."""

    hosts: int
    changes: int
    figures: tuple[Figure, ...]
    spent: Mapping[str, Spent]
    """On each kind of entry, since the moment before."""

    def get(self, name: str) -> float | None:
        """The figure of this name."""
        return next((one.value for one in self.figures if one.name == name), None)


def with_hosts(sizes: Sequence[int], changes: int, seed: int) -> Iterator[Moment]:
    """A pool of each size, after so many changes."""
    for hosts in sizes:
        yield from with_changes(hosts, [changes], seed)


def with_changes(hosts: int, stops: Sequence[int], seed: int) -> Iterator[Moment]:
    """One pool, after each of these numbers of changes."""
    told = _Progress(f"{hosts:,} hosts")
    pool = Simulated.founded(hosts, seed)
    done = 0
    for stop in stops:
        pool.spent.clear()
        earlier = pool.log
        while done < stop:
            pool.change()
            done += 1
            if done == stop - min(MISSED, (stop - 1) // 2):
                earlier = pool.log
            told.so_far(f"{done:,} of {stops[-1]:,} changes")
        forget()
        told.now(f"{done:,} of {stops[-1]:,} changes; measuring")
        spent = {kind: replace(one) for kind, one in pool.spent.items()}
        yield Moment(hosts, done, tuple(figures(pool, earlier)), spent)
    told.end()


def table(moments: Sequence[Moment], of: Callable[[Moment], int]) -> str:
    """In markdown: a row a figure, a column a moment, and how it grows as what `of` gives."""
    head = ["", *(f"{of(moment):,}" for moment in moments), "grows"]
    lines = [row(head), row(["---"] + ["---:"] * len(moments) + ["---"])]
    for name in dict.fromkeys(one.name for moment in moments for one in moment.figures):
        known = [(of(moment), moment.get(name)) for moment in moments]
        values = [_short(value) if value is not None else "–" for _, value in known]
        measured = [(size, value) for size, value in known if value is not None]
        lines.append(row([name, *values, grows(measured)]))
    return "\n".join(lines)


def kinds(moment: Moment) -> str:
    """In markdown: what one entry of each kind costs, in the order of their bytes in the log."""
    head = ["one entry", "of all, %", "bytes of log", "sign, µs", "check and fold, µs"]
    lines = [row(head), row(["---"] + ["---:"] * 4)]
    whole = sum(one.entries for one in moment.spent.values())
    for kind, one in sorted(moment.spent.items(), key=lambda each: -each[1].bytes):
        each = (one.bytes, one.signing * 1e6, one.folding * 1e6)
        values = (100 * one.entries / whole, *(value / one.entries for value in each))
        lines.append(row([kind, *map(_short, values)]))
    return "\n".join(lines)


def grows(values: Sequence[tuple[float, float]]) -> str:
    """In a word how a value grows with a size: by the last step, where beginnings count least."""
    if len(values) < 2:
        return ""
    (small, before), (large, after) = values[-2:]
    if min(small, large, before, after) <= 0 or small == large:
        return ""
    exponent = math.log(after / before) / math.log(large / small)
    return next(word for most, word in WORDS if exponent < most)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def row(cells: Sequence[str]) -> str:
    """One line of a table in markdown."""
    return f"| {' | '.join(cells)} |"


class _Progress:
    """One line on a terminal that is written over; every so often a line in a file."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._last = time.monotonic()
        self._live = sys.stderr.isatty()

    def so_far(self, words: str) -> None:
        """Say it, unless something was said just now."""
        if time.monotonic() - self._last > (PROGRESS_SECONDS if self._live else 30.0):
            self.now(words)

    def now(self, words: str) -> None:
        self._last = time.monotonic()
        line = f"{self._what}: {words}, {self._last - self._began:,.0f} s"
        print(
            f"\r{line}\033[K" if self._live else line,
            end="" if self._live else "\n",
            file=sys.stderr,
        )
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._live:
            print("\r\033[K", end="", file=sys.stderr)
