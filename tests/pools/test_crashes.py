"""Hosts that are killed, or were away: the pool goes on, and is whole again when they are back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .stage import SOON, Host, own_hosts, within

Pool = list[Host]


@pytest.fixture(scope="module")
def hosts() -> Iterator[Pool]:
    """Three members, and a fourth host that has a pool of its own."""
    with own_hosts(4) as hosts:
        for joiner in hosts[1:3]:
            joiner.join(hosts[0])
        within(SOON, lambda: is_whole(hosts[:3]))
        yield hosts


def is_whole(pool: Pool) -> bool:
    """Whether all of them hold one log, know that they missed nothing, and verify one another."""
    told = [host.status() for host in pool]
    alike = {(status["pool"], status["head"]) for status in told}
    current = {status["current"] for status in told}
    seen = [one["verified"] for host in pool for one in host.probe().values()]
    return len(alike) == 1 and current == {"yes"} and seen == ["true"] * len(pool) ** 2


def test_a_killed_supporter_is_missed_by_name_and_comes_back(hosts: Pool):
    h1, h2, h3 = hosts[:3]
    h3.kill()
    assert h3.socket.exists()  # a kill leaves what a stop would have removed
    missed = h1.probe()["h3"]
    assert (missed["verified"], missed["met"]) == ("false", "")
    assert "h3" in missed["reason"] and "nothing listens there" in missed["reason"]
    assert h2.probe()["h1"]["verified"] == "true"
    h3.run()
    within(SOON, lambda: is_whole([h1, h2, h3]))


def test_a_killed_coordinator_comes_back_and_its_pool_is_whole(hosts: Pool):
    h1, h2, h3 = hosts[:3]
    before = h1.status()
    h1.kill()
    assert h2.probe()["h3"]["verified"] == "true"  # supporters need nobody for that
    h1.run()
    within(SOON, lambda: is_whole([h1, h2, h3]))
    after = h1.status()
    assert (after["role"], after["head"]) == ("coordinator", before["head"])
    assert after["members"] == before["members"]


def test_all_of_them_killed_at_once_come_back(hosts: Pool):
    for host in hosts[:3]:
        host.kill()
    for host in hosts[:3]:
        host.run()
    within(SOON, lambda: is_whole(hosts[:3]))


def test_who_was_away_when_a_host_joined_catches_up_by_itself(hosts: Pool):
    """The coordinator has just been killed, so it first asks half of the others for their logs."""
    h1, h2, h3, h4 = hosts
    h3.stop()
    h4.join(h1)
    assert list(h2.members()) == ["h1", "h2", "h3", "h4"]
    h3.run()
    within(SOON, lambda: "h4" in h3.members())
    within(SOON, lambda: is_whole(hosts))
