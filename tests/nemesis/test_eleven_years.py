"""The whole pool is stopped and started with clocks eleven years on: every certificate is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pools.stage import START_SECONDS, Host, within

from .clocks import YEAR
from .field import Field, field_of, join_all
from .quiet import defects, settled

pytestmark = pytest.mark.needs("faketime")
REFRESHED_SECONDS = 60.0


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    """Three members whose clocks are eleven years on since they were started last."""
    with field_of(3, clocks=True) as field:
        join_all(field)
        settled(list(field.hosts.values()))
        for host in field.hosts.values():
            assert host.stop() == 0
        for clock in field.clocks.values():
            clock.set(11 * YEAR)
        field.start_all()
        yield field


def years_on(host: Host) -> float:
    """How far this host's clock is on."""
    at = datetime.fromisoformat(host.probe()["h1"]["at"])
    return (at - datetime.now(UTC)).total_seconds() / YEAR


def alerts(host: Host) -> set[str]:
    """The names of the alerts that this host's pool has now."""
    return {one["name"] for one in host.call("pooltrust.get_alerts")}


def days_left(host: Host, sort: str) -> list[float]:
    """What each member's identity has left, as this host has it."""
    return [float(one[sort]["days_left"]) for one in host.members().values()]


def test_it_starts_and_talks(field: Field):
    for host in field.hosts.values():
        assert 10.9 < years_on(host) < 11.1
        within(
            START_SECONDS,
            lambda host=host: {one["verified"] for one in host.probe().values()} == {"true"},
        )


def test_it_refreshes_itself_and_nobody_was_told_to(field: Field):
    for host in field.hosts.values():
        within(REFRESHED_SECONDS, lambda host=host: min(days_left(host, "pool")) > 300)
    settled(list(field.hosts.values()))
    calls = {line["call"] for line in field["h1"].call("pooltrust.get_log", 3)}
    assert calls == {"host.refresh_server_certificate"}
    assert {line["by"] for line in field["h1"].call("pooltrust.get_log", 3)} == {"automatic"}


def test_what_it_does_not_renew_unasked_is_alerted(field: Field):
    h1 = field["h1"]
    assert max(days_left(h1, "server")) < 0
    within(START_SECONDS, lambda: "HOST_SERVER_CERTIFICATE_EXPIRED" in alerts(h1))
    within(START_SECONDS, lambda: "HOST_INTERNAL_CERTIFICATE_EXPIRED" not in alerts(h1))
    for host in field.hosts.values():
        said = [line for line in host.log.read_text().splitlines() if "certificate-dates" in line]
        assert any("its certificate expired on" in line for line in said)
    assert defects(field.hosts.values()) == []
