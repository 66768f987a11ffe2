"""Calls of the API and waiting for events, printed beside the bare HTTP stack."""

from __future__ import annotations

from pathlib import Path

from bench.calls import compare, many, waiting
from bench.measure import Rounds, median, ratio

CALLS = ("host.get_name_label", "host.get_record", "host.get_all_records")


def report(
    folder: Path,
    seconds: float,
    rounds: int,
    *,
    calls: tuple[str, ...] = CALLS,
    clients: int = waiting.CLIENTS,
) -> None:
    """Measure everything in this folder, and print it."""
    pool = many.start(folder)
    try:
        host = pool.call("host.get_all")[0]
        print(
            f"\nCalls in a pool of {many.HOSTS} hosts, keep-alive; the bare stack's answer is alike"
        )
        print(f"\n{'':24}{'per second':>11}{'CPU, µs':>9}{'p50, ms':>9}{'p99, ms':>9}")
        for name in calls:
            of_one = [] if name.endswith("get_all_records") else [host]
            body = many.request(name, [pool.session, *of_one])
            print_rounds(name, compare.rounds_of(pool, folder / name, body, seconds, rounds))
        print_waiting(waiting.measure(pool, clients), clients)
    finally:
        pool.server.stop()


def print_rounds(name: str, of: Rounds) -> None:
    """One line for ours, one for the bare stack with what part of its rate is ours."""
    ours, bare = of.values()
    for title, rounds in ((name, ours), (f"  {compare.BARE}", bare)):
        m = median(rounds)
        line = f"{title:24}{m.rate:>11,.0f}{m.cpu:>9,.0f}{m.p50:>9.2f}{m.p99:>9.2f}"
        if rounds is bare:
            line += (
                f"  CPU × {ratio(ours, bare, 'cpu'):.2f}, rate × {ratio(ours, bare, 'rate'):.2f}"
            )
        print(line)


def print_waiting(heard: waiting.Heard, clients: int) -> None:
    """When the clients heard of a change."""
    print(f"\nA change, until {clients} clients that wait for it by event.from have heard")
    print(f"\n{'first, ms':>12}{'median, ms':>12}{'last, ms':>12}{'memory for each, KB':>22}")
    times = (heard.first, heard.median, heard.last)
    print("".join(f"{each * 1e3:>12.0f}" for each in times) + f"{heard.memory:>22.0f}")
