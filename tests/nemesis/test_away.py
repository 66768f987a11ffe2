"""A host is off while every other one is refreshed, over and over; then it is started."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import soak
from pools.stage import Host, own_hosts, within

from .quiet import defects, settled, unsettled

TIMES = 50 if soak.MINUTES else 2
BACK_SECONDS = 5.0


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Host]]:
    with own_hosts(3) as hosts:
        for host in hosts[1:]:
            host.join(hosts[0])
        settled(hosts)
        yield hosts


def test_it_is_back_within_five_seconds_of_starting(hosts: list[Host]):
    *others, away = hosts
    h1 = hosts[0]
    references = [h1.call("host.get_by_uuid", host.status()["host"]) for host in others]
    away.stop()
    before = int(h1.status()["entries"])
    for _ in range(TIMES):
        for reference in references:
            h1.call("host.refresh_server_certificate", reference)
    # Each accepts one certificate and withdraws another; the one that is off has not changed.
    assert int(h1.status()["entries"]) == before + TIMES * len(others) * 2
    began = time.monotonic()
    away.start()
    within(BACK_SECONDS, lambda: away.is_up() and next(unsettled(hosts), None) is None)
    soak.record(
        f"back after {TIMES} refreshes of each other host", f"{time.monotonic() - began:.1f} s"
    )
    assert defects(hosts) == []
