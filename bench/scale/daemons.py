"""A pool of real daemons that grows: what a join, enabling, a refresh and doing nothing cost.

Times are by the clock, until the call was answered and until every member has it on its disk; CPU
is that of all daemons together.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.scale.growth import row
from bench.scale.machines import (
    Field,
    alike,
    call,
    founded,
    log_bytes,
    memory,
    spent,
    this_host,
    until,
)
from pooltrust.command.demo.hosts import Host

QUIET_SECONDS = 5.0
"""What follows a change by itself (the records, another look) is over by then."""


@dataclass(frozen=True)
class Took:
    """One change of a pool of so many members."""

    what: str
    members: int
    answered: float
    everywhere: float
    cpu: float
    bytes: int
    """By how much the log has grown."""


def measure(count: int, idle: float) -> None:
    """Grow a pool to so many members and print what each thing took.

    `idle`: seconds in which nothing is done, to see what that costs.
    """
    with founded(count) as field:
        started(field.hosts)
        joins = [join(field, members) for members in range(2, count + 1)]
        shown("Joining, one after the other", _some(joins))
        total = sum(took.everywhere for took in joins)
        print(f"\nAll of them: {total:.1f} s, {sum(took.cpu for took in joins):.1f} s of CPU.")
        shown("Changes of the whole pool", changes(field))
        show_memory(field.hosts)
        if idle:
            show_idle(field.hosts, idle)


def started(hosts: Sequence[Host]) -> None:
    """Start them one after the other, and print how long one takes."""
    times = []
    for host in hosts:
        began = time.monotonic()
        host.start()
        host.wait()
        times.append(time.monotonic() - began)
    print(f"A daemon answers {statistics.median(times):.2f} s after its start.")


def join(field: Field, members: int) -> Took:
    """The next host joins by a password, so that there are so many members."""
    joiner, at = field.hosts[members - 1], f"{field.hosts[0].address}:{field.port}"
    took = timed(
        "join",
        field.hosts[:members],
        lambda: call(joiner, "pool.join", at, "root", field.password),
    )
    print(f"{members} members, {took.everywhere:.2f} s", file=sys.stderr)
    return took


def changes(field: Field) -> list[Took]:
    """Enable verification, then give one member, and then all, a new pool identity."""
    pool = field.hosts
    one = this_host(pool[-1])
    return [
        timed("enable", pool, lambda: call(pool[0], "pool.enable_tls_verification")),
        timed("refresh one", pool, lambda: call(pool[0], "host.refresh_server_certificate", one)),
        timed("refresh all", pool, lambda: call(pool[0], "pooltrust.refresh_pool")),
    ]


def timed(what: str, pool: Sequence[Host], change: Callable[[], object]) -> Took:
    """Make a change to this pool, and wait until all have it and it is quiet again."""
    cpu, length, began = spent(pool), log_bytes(pool[0]), time.monotonic()
    change()
    answered = time.monotonic() - began
    until(lambda: log_bytes(pool[0]) > length and alike(pool), f"{what}: everybody has it")
    everywhere = time.monotonic() - began
    time.sleep(QUIET_SECONDS)
    grown = log_bytes(pool[0]) - length
    return Took(what, len(pool), answered, everywhere, spent(pool) - cpu, grown)


def shown(title: str, took: Sequence[Took]) -> None:
    """Print a table of these changes."""
    head = ["", "members", "answered, s", "on every disk, s", "CPU of all, s", "bytes of log"]
    print(f"\n{title}\n\n{row(head)}\n{row(['---'] + ['---:'] * (len(head) - 1))}")
    for one in took:
        times = (one.answered, one.everywhere, one.cpu)
        cells = [one.what, str(one.members), *(f"{time:.2f}" for time in times)]
        print(row([*cells, f"{one.bytes:,}"]), flush=True)


def show_memory(pool: Sequence[Host]) -> None:
    """Print what the daemons hold."""
    found = [memory(host) for host in pool]
    rss, pss = ([one[name] for one in found] for name in ("Rss", "Pss"))
    print(
        f"\nMemory of a daemon, MB: resident {statistics.median(rss):.0f} "
        f"(at most {max(rss):.0f}), its share of what it has (PSS) {statistics.median(pss):.0f}; "
        f"all {len(pool)} together {sum(pss):.0f}."
    )


def show_idle(pool: Sequence[Host], idle: float) -> None:
    """Print what an idle pool costs."""
    before = [spent([host]) for host in pool]
    time.sleep(idle)
    percent = [(spent([host]) - cpu) / idle * 100 for host, cpu in zip(pool, before, strict=True)]
    print(
        f"Idle for {idle:.0f} s, CPU of one core: the coordinator {percent[0]:.2f} %, "
        f"a supporter {statistics.mean(percent[1:]):.2f} %."
    )


def _some(joins: Sequence[Took]) -> list[Took]:
    """Those that double the pool, and the last one."""
    powers = {2**n for n in range(1, 20)}
    return [took for took in joins if took.members in powers or took is joins[-1]]
