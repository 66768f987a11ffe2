"""Long tests: how long they are here, which part of them, by which seed, and what came of it.

POOLTRUST_SOAK is the number of minutes that mischief lasts: with it everything is done instead of a
sample.  POOLTRUST_SEED repeats a run's chances; processes that share a run's tests inherit it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MINUTES = float(os.environ.get("POOLTRUST_SOAK") or 0)
SEED = int(os.environ.setdefault("POOLTRUST_SEED", str(random.randrange(10**6))))
RESULTS = Path(__file__).resolve().parent.parent / "build" / "soak.md"

_rows: list[tuple[str, str]] = []


def sample(everything: Sequence[T], count: int, of: str) -> list[T]:
    """So many of these, by the seed and in order; all of them in a soak.  `of`: what is drawn."""
    if MINUTES or len(everything) <= count:
        return list(everything)
    drawn = random.Random(f"{SEED} {of}").sample(range(len(everything)), count)
    return [everything[at] for at in sorted(drawn)]


def progress(words: str) -> None:
    """Tell who watches a soak how far it is."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def record(what: str, result: str) -> None:
    """Keep a result for the table; in a soak it is written at once, whatever comes after."""
    progress(f"{what}: {result}")
    _rows.append((what, result))
    if MINUTES:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(table())


def table() -> str:
    """The results so far, in markdown."""
    lines = [f"| {what} | {result} |" for what, result in _rows]
    return "\n".join([f"Seed {SEED}.", "", "| what | result |", "|---|---|", *lines, ""])
