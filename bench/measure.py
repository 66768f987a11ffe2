"""Figures of a server under load, and how two of them compare.

CPU is what the server's processes spent (utime and stime) while the load generator ran, divided by
everything that was answered: the steadier figure, since the rate also depends on the generator.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import Done, Job

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Figures:
    """Of one round: answers a second, CPU in µs and times in ms for each."""

    rate: float
    cpu: float
    p50: float
    p99: float


Rounds = dict[str, list[Figures]]
"""For each server by its name, its figures in the order of the rounds."""


def figures(job: Job, pid: int) -> Figures:
    """Run one job against the server with this process id.  Raises RuntimeError if it failed."""
    before = cpu_seconds(pid)
    done = run(job)
    spent = cpu_seconds(pid) - before
    times = sorted(done.times)
    return Figures(
        rate=done.rate,
        cpu=spent / done.answered * 1e6,
        p50=times[len(times) // 2] * 1e3,
        p99=times[len(times) * 99 // 100] * 1e3,
    )


def run(job: Job) -> Done:
    """Run the load generator.  Raises RuntimeError, with its words, if any answer was wrong."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        timeout=job.seconds + 60,
    )
    if ran.returncode:
        raise RuntimeError(f"the load generator failed: {ran.stderr[-2000:]}")
    return Done(**json.loads(ran.stdout))


def interleaved(servers: Mapping[str, Callable[[], Figures]], rounds: int) -> Rounds:
    """Measure all in turn, then all again: what the machine does meanwhile hits them alike."""
    found: Rounds = {name: [] for name in servers}
    for _ in range(rounds):
        for name, measure in servers.items():
            found[name].append(measure())
    return found


def median(of: list[Figures]) -> Figures:
    """The median of each figure by itself."""
    return Figures(
        *(
            statistics.median(getattr(each, name) for each in of)
            for name in Figures.__dataclass_fields__
        )
    )


def ratio(ours: list[Figures], theirs: list[Figures], figure: str) -> float:
    """How many times theirs ours is: the median over the rounds of each round's ratio."""
    pairs = zip(ours, theirs, strict=True)
    return float(statistics.median(getattr(a, figure) / getattr(b, figure) for a, b in pairs))


def cpu_seconds(pid: int) -> float:
    """CPU time (s) of a process and its living children, theirs included."""
    return sum(_ticks(each) for each in family(pid)) / _TICKS


def memory(pid: int) -> float:
    """Resident memory (MB of 10^6 bytes) of a process and its living children."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in family(pid))
    return pages * _PAGE / 1e6


def family(pid: int) -> list[int]:
    """The process, its children, and theirs.  Linux only."""
    children = [
        int(child)
        for tasks in Path(f"/proc/{pid}/task").glob("*/children")
        for child in tasks.read_text().split()
    ]
    return [pid, *(each for child in children for each in family(child))]


def _ticks(pid: int) -> int:
    # The program's name, in parentheses, may contain spaces: count from after it (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
