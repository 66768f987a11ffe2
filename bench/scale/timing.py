"""How long one thing takes, with the parsers' caches emptied before it: bytes come in once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from pooltrust.trust import entry

T = TypeVar("T")
BUDGET = 0.5
"""Seconds that are spent on one figure, at most and about."""


def forget() -> None:
    """Empty the caches of parsed entries, as if these bytes came in now."""
    entry._read.cache_clear()
    entry._entry.cache_clear()


def seconds(action: Callable[[], object], *, budget: float = BUDGET) -> float:
    """The median of what it takes; once if it is slow."""
    action()  # imports, tables of forms, and so on
    times: list[float] = []
    while sum(times) < budget and len(times) < 200:
        forget()
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """What it takes once, for what takes long, and what comes out."""
    forget()
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result
