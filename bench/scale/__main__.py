"""`python -m bench.scale`: how the pure core grows with hosts and changes; with --daemons, real ones.

Ctrl-C ends it and prints what was measured until then.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.scale import daemons
from bench.scale.growth import Moment, kinds, table, with_changes, with_hosts


@dataclass(frozen=True)
class Extent:
    """Pools of these sizes after `changes`; the pool of `hosts` after each of these changes."""

    sizes: tuple[int, ...]
    changes: int
    hosts: int
    stops: tuple[int, ...]


QUICK = Extent((10, 30, 100), 200, 30, (100, 300, 1_000))
FULL = Extent((10, 30, 100, 300, 1_000), 1_000, 1_000, (100, 1_000, 10_000, 100_000))


def main() -> None:
    """Measure, and print."""
    read = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    read.add_argument("--full", action="store_true", help="up to 1,000 hosts and 100,000 changes")
    read.add_argument("--seed", type=int, default=1, help="which chances (default: 1)")
    read.add_argument("--daemons", type=int, metavar="N", help="a pool of N real daemons instead")
    read.add_argument("--idle", type=float, default=60, help="with --daemons: seconds of nothing")
    given = read.parse_args()
    extent = FULL if given.full else QUICK
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, seed {given.seed}.")
    try:
        if given.daemons:
            daemons.measure(given.daemons, given.idle)
        else:
            simulate(extent, given.seed)
    except KeyboardInterrupt:
        print("\nEnded before its end.")


def simulate(extent: Extent, seed: int) -> None:
    """Let pools in memory grow in both directions."""
    shown(
        f"Growing hosts, {extent.changes:,} changes each",
        with_hosts(extent.sizes, extent.changes, seed),
        lambda moment: moment.hosts,
    )
    shown(
        f"Growing changes, {extent.hosts:,} hosts",
        with_changes(extent.hosts, extent.stops, seed),
        lambda moment: moment.changes,
    )


def shown(title: str, moments: Iterable[Moment], of: Callable[[Moment], int]) -> None:
    """Print the table of these moments, even if there are no more of them."""
    measured: list[Moment] = []
    try:
        for moment in moments:
            measured.append(moment)
    finally:
        if measured:
            print(f"\n{title}\n\n{table(measured, of)}\n\n{kinds(measured[-1])}", flush=True)


if __name__ == "__main__":
    main()
