"""What one thing costs in CPU time, which a busy machine bends least.

The parsers' caches are emptied first: bytes come in once.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from pooltrust.trust import entry

T = TypeVar("T")
BUDGET = 0.5
"""Seconds that are spent on one figure, at most and about."""
MOST = 200

clock = time.thread_time
"""Seconds of CPU time of this thread."""


def forget() -> None:
    """Empty the caches of parsed entries, as if these bytes came in now."""
    entry._read.cache_clear()
    entry._entry.cache_clear()


def seconds(action: Callable[[], object], *, budget: float = BUDGET) -> float:
    """The median of what it takes; once if it is slow."""
    action()  # imports, tables of forms, and so on
    gc.collect()  # so that nobody pays for what another one left
    times: list[float] = []
    while sum(times) < budget and len(times) < MOST:
        times.append(_once(action)[0])
    return statistics.median(times)


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """What it takes once, for what takes long, and what comes out."""
    gc.collect()
    return _once(action)


def _once(action: Callable[[], T]) -> tuple[float, T]:
    forget()
    began = clock()
    result = action()
    return clock() - began, result
