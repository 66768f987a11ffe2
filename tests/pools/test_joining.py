"""Hosts become a pool, by a password or by a code, with verification on or off at both."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pooltrust.command.client import Reported

from .stage import SOON, Host, contents, own_hosts, pooltrust, within

NAMES = ["h1", "h2", "h3"]
STILL_SECONDS = 0.3
OF_EACH_RUN = ("starts", "lock")
"""Files of a state folder that say nothing of what a host believes."""


@dataclass(frozen=True)
class Joined:
    """h2 has joined h1 by password, h3 by code.  `alone`: what each said of itself before."""

    hosts: dict[str, Host]
    alone: dict[str, dict[str, Any]]
    verification: bool


def join_by_code(host: Host, coordinator: Host) -> None:
    host.call("pooltrust.join_with_code", coordinator.call("pooltrust.create_join_code", 60))


@pytest.fixture(scope="module", params=[True, False], ids=["on", "off"])
def joined(request: pytest.FixtureRequest) -> Iterator[Joined]:
    with own_hosts(3, off=() if request.param else NAMES) as (h1, h2, h3):
        hosts = {host.name: host for host in (h1, h2, h3)}
        alone = {name: host.members()[name] for name, host in hosts.items()}
        h2.join(h1)
        join_by_code(h3, h1)
        yield Joined(hosts, alone, request.param)


def test_every_member_knows_every_member(joined: Joined):
    for host in joined.hosts.values():
        within(SOON, lambda host=host: list(host.members()) == NAMES)
    told = [host.status() for host in joined.hosts.values()]
    assert {status["head"] for status in told} == {told[0]["head"]}
    assert [status["role"] for status in told] == ["coordinator", "supporter", "supporter"]


def test_the_log_says_how_each_was_met(joined: Joined):
    done = pooltrust("log", "show", "--json", joined.hosts["h3"].state / "trust.log")
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    met = [(one["body"]["name"], one["body"].get("met"), one["call"]) for one in entries]
    assert met == [
        ("h1", None, "pooltrust host init"),
        ("h2", "password", "pool.join"),
        ("h3", "code", "pool.join"),
    ]


def test_every_pair_can_verify_one_another_from_now_on(joined: Joined):
    """With verification off too: the certificates are exchanged all the same."""
    pool = {
        name: member["pool"]["thumbprint"] for name, member in joined.hosts["h1"].members().items()
    }
    for host in joined.hosts.values():
        seen = {name: (one["met"], one["verified"]) for name, one in host.probe().items()}
        assert seen == {name: (pool[name], "true") for name in NAMES}


def test_verification_is_what_it_was_at_both(joined: Joined):
    for host in joined.hosts.values():
        [pool] = host.call("pool.get_all_records").values()
        assert pool["tls_verification_enabled"] is joined.verification
        told = [r["tls_verification_enabled"] for r in host.call("host.get_all_records").values()]
        assert told == [joined.verification] * 3


@pytest.mark.parametrize("name", ["h2", "h3"])
def test_who_joins_keeps_its_server_identity_and_gets_a_new_pool_identity(
    joined: Joined, name: str
):
    before, now = joined.alone[name], joined.hosts["h1"].members()[name]
    assert now["host"] == before["host"]
    assert now["server"] == before["server"] | {"days_left": now["server"]["days_left"]}
    assert now["pool"]["thumbprint"] != before["pool"]["thumbprint"]
    files = {path.stem for path in (joined.hosts[name].state / "identities").iterdir()}
    served = {sort: now[sort]["thumbprint"].replace(":", "").lower() for sort in ("server", "pool")}
    assert files == {f"{sort}-{thumbprint}" for sort, thumbprint in served.items()}


@pytest.mark.parametrize("name", ["h2", "h3"])
def test_a_member_does_not_join_again(joined: Joined, name: str):
    with pytest.raises(Reported) as refused:
        joined.hosts[name].join(joined.hosts["h1"])
    assert "already part of a pool" in str(refused.value)


@pytest.fixture(scope="module")
def unlike() -> Iterator[dict[str, Host]]:
    """A host that was founded with verification, and one without."""
    with own_hosts(2, off=["h2"]) as (on, off):
        yield {"on": on, "off": off}


def at_rest(*hosts: Host) -> dict[str, bytes]:
    """Their state, once what they write after a start is written."""
    seen: list[dict[str, bytes]] = [{}]

    def still() -> bool:
        seen.append(contents(*(host.state for host in hosts), but=OF_EACH_RUN))
        time.sleep(STILL_SECONDS)
        return seen[-1] == seen[-2]

    within(SOON, still)
    return seen[-1]


@pytest.mark.parametrize("by", ["password", "code"])
@pytest.mark.parametrize(
    "joiner, pool, said",
    [
        (
            "on",
            "off",
            "it is off at the pool of h2. "
            "Enable it on the pool's coordinator h2: xe pool-enable-tls-verification",
        ),
        (
            "off",
            "on",
            "it is off at the joining host h2. Enable it on h2: xe pool-enable-tls-verification",
        ),
    ],
    ids=["the pool", "the joiner"],
)
def test_a_join_is_refused_where_one_side_is_off_and_both_stay_as_they_were(
    unlike: dict[str, Host], joiner: str, pool: str, said: str, by: str
):
    host, coordinator = unlike[joiner], unlike[pool]
    before = at_rest(host, coordinator)
    with pytest.raises(Reported) as refused:
        host.join(coordinator) if by == "password" else join_by_code(host, coordinator)
    assert refused.value.code == "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"
    assert said in str(refused.value)
    assert at_rest(host, coordinator) == before
    assert [len(one.members()) for one in (host, coordinator)] == [1, 1]
