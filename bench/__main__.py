"""`python -m bench`: what a verified connection, a call and the daemon cost, next to others.

Everything that is compared is measured in one run, in turn, with the same keys, replies and client.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import commands, reference_loop, reference_nginx, subject
from bench.calls import report as calls_report
from bench.load import Job
from bench.measure import Rounds, figures, interleaved, median, memory, ratio
from bench.processes import Server
from bench.subject import Subject
from pooltrust.pki.mint import KeyKind

OURS, NGINX, LOOP = "pooltrust", "nginx", "bare loop"
NO_NGINX = "nginx: skipped, it is not installed (Debian: nginx-light)"

Start = Callable[[Path, KeyKind], Subject]


@dataclass(frozen=True)
class Pace:
    """How long each measurement takes, and how often."""

    seconds: float
    rounds: int


def main() -> None:
    """Measure, and print."""
    read = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    read.add_argument("--quick", action="store_true", help="a smoke test: one short round")
    read.add_argument("--listener", action="store_true", help="our listener, without a host")
    given = read.parse_args()
    pace = Pace(0.2, 1) if given.quick else Pace(1.2, 5)
    begin = subject.start_listener if given.listener else subject.start
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, one server process each;")
    print(f"medians of {pace.rounds} interleaved rounds of {pace.seconds} s.")
    if reference_nginx.program() is None:
        print(NO_NGINX)
    with tempfile.TemporaryDirectory(prefix="pooltrust-bench-") as folder:
        report(Path(folder), begin, pace)


def report(folder: Path, begin: Start, pace: Pace) -> None:
    """Measure everything in this folder and print it."""
    with ExitStack() as ends:
        for kind in (KeyKind.RSA2048, KeyKind.P256):
            ours = begin(folder / f"ours-{kind}", kind)
            ends.callback(ours.server.stop)
            print_cost(ours)
            clients = others(folder / f"clients-{kind}", ours, ends)
            title = f"New verified connections, server identity ({kind})"
            measured(title, ours.client_job, clients, pace)
        hello = "ours with the hello" if ours.hello else "no hello"
        members = others(folder / "members", ours, ends, mutual=True)
        title = f"New verified connections, mutual pool identity (p-256; {hello})"
        measured(title, ours.member_job, members, pace)
        kept = partial(ours.client_job, keep_alive=True)
        lasting = [server for server in clients if server.name != LOOP]
        measured("Keep-alive JSON-RPC calls", kept, lasting, pace)
        if ours.hello is not None:
            commands.report(folder / f"ours-{kind}", ours.server.port, pace.rounds)
            calls_report.report(folder / "calls", pace.seconds, pace.rounds)
        print(f"\nMemory after all this: {memory(ours.server.pid):.0f} MB.")


def others(folder: Path, ours: Subject, ends: ExitStack, *, mutual: bool = False) -> list[Server]:
    """Ours and its yardsticks, with our keys: for clients, or for members of the pool."""
    identity = ours.pool_identity if mutual else ours.server_identity
    clients = identity if mutual else None
    found = [ours.server]
    if reference_nginx.program() is not None:
        tickets = not mutual
        nginx = reference_nginx.serve(
            folder / "nginx", identity, ours.reply, clients=clients, tickets=tickets
        )
        ends.callback(nginx.stop)
        found.append(nginx)
    loop = reference_loop.serve(folder / "loop", identity, ours.reply, clients=clients)
    ends.callback(loop.stop)
    return [*found, loop]


def measured(title: str, job: Callable[..., Job], servers: list[Server], pace: Pace) -> None:
    """Measure these servers in turn and print a table of them."""
    rounds = interleaved(
        {
            server.name: partial(figures, job(server, seconds=pace.seconds), server.pid)
            for server in servers
        },
        pace.rounds,
    )
    print(f"\n{title}\n")
    print_table(rounds)


def print_table(rounds: Rounds) -> None:
    """One line a server; the last columns are the first server's share of its CPU and rate."""
    ours = next(iter(rounds.values()))
    print(f"{'':14}{'per second':>11}{'CPU, µs':>9}{'p50, ms':>9}{'p99, ms':>9}  ours to it")
    for name, of in rounds.items():
        m = median(of)
        line = f"{name:14}{m.rate:>11,.0f}{m.cpu:>9,.0f}{m.p50:>9.2f}{m.p99:>9.2f}"
        if of is not ours:
            line += f"  CPU × {ratio(ours, of, 'cpu'):.2f}, rate × {ratio(ours, of, 'rate'):.2f}"
        print(line)


def print_cost(ours: Subject) -> None:
    """Start-up time and memory of ours, before any load."""
    ready, megabytes = ours.server.ready * 1e3, memory(ours.server.pid)
    print(f"\n{ours.server.name}: listening {ready:,.0f} ms after its start, {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
