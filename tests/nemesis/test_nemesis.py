"""Five daemons that are killed, stopped, parted and confused while they work and are talked to."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

import soak
from pools.stage import Host, within
from pooltrust.command.client import NoDaemon, Reported

from .field import Field, field_of, join_all
from .mischief import Mischief
from .quiet import SETTLE_SECONDS, defects, disagreements, ever_accepted, settled
from .strangers import Knocking, Stranger, carried_off, self_made
from .traffic import Traffic

HOSTS = 5
ROUND_SECONDS = 20.0
ROUNDS = round((soak.MINUTES or 1) * 60 / ROUND_SECONDS)
KILLS_PER_ROUND = 10
MAY_FAIL = {
    "CANNOT_CONTACT_HOST",
    "OTHER_OPERATION_IN_PROGRESS",
    "OPERATION_SUSPENDED",
    "OPERATION_ABANDONED",
    "NOT_COMMITTED",
    "LOG_BEHIND",
    "TLS_CONNECTION_FAILED",
    "SSL_VERIFY_ERROR",
}
"""What a refresh may be answered while hosts are hurt: try again, or it goes on by itself."""


class Refreshing:
    """Refreshes, one after another, from entering the context to leaving it."""

    def __init__(self, field: Field, seed: int) -> None:
        self.answers: Counter[str] = Counter()
        self._hosts = list(field.hosts.values())
        self._names = field.names
        self._chance = random.Random(seed)
        self._one = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="refreshing", daemon=True)

    def __enter__(self) -> Refreshing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(150)
        assert not self._thread.is_alive(), "a refresh was never answered"

    def held(self) -> threading.Lock:
        """A context in which none is under way."""
        return self._one

    def in_peace(self) -> None:
        """Two hosts while nobody is hurt: nothing stands in the way.  To be `held`.

        Unless a host is refreshed by itself just then: clocks were a year on.
        """
        for subject in self._chance.sample(self._names, 2):
            asked = self._chance.choice(self._hosts)
            within(SETTLE_SECONDS, lambda asked=asked, subject=subject: self._done(asked, subject))
            self.answers["done in peace"] += 1

    def _done(self, asked: Host, subject: str) -> bool:
        answer = self._answer(asked, subject)
        assert answer in ("done", "OTHER_OPERATION_IN_PROGRESS")
        return answer == "done"

    def _go_on(self) -> None:
        while not self._over.wait(0.3):
            with self._one:
                asked, subject = self._chance.choice(self._hosts), self._chance.choice(self._names)
                self.answers[self._answer(asked, subject)] += 1

    def _answer(self, host: Host, subject: str) -> str:
        try:
            uuid = host.members()[subject]["host"]
            host.call("host.refresh_server_certificate", host.call("host.get_by_uuid", uuid))
            return "done"
        except NoDaemon:
            return "nobody to ask"
        except Reported as why:
            return why.code


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    with field_of(HOSTS, clocks=True) as field:
        join_all(field)
        settled(list(field.hosts.values()))
        yield field


@pytest.mark.needs("faketime")
def test_nothing_is_dropped_that_was_not_on_a_killed_host_and_nobody_is_falsely_believed(
    field: Field,
):
    hosts = list(field.hosts.values())
    members = {name: one["host"] for name, one in field["h1"].members().items()}
    strangers = [self_made(field.folder, "a stranger", members["h2"]), withdrawn(field, "h3")]
    soak.progress(f"nemesis with seed {soak.SEED}: repeat it with POOLTRUST_SEED={soak.SEED}")
    mischief = Mischief(field, random.Random(soak.SEED), lambda: agree(field))
    with (
        Knocking(field, strangers, members) as knocking,
        Traffic(field, soak.SEED) as traffic,
        Refreshing(field, soak.SEED) as refreshing,
    ):
        for number in range(ROUNDS):
            soak.progress(f"round {number + 1} of {ROUNDS}")
            mischief.round(ROUND_SECONDS, KILLS_PER_ROUND)
            soak.progress("  hurts nobody any more")
            with refreshing.held():
                settled(hosts)
                soak.progress("  all of them are whole again")
                agree(field)
                refreshing.in_peace()
                soak.progress("  two hosts were refreshed")
    soak.record("mischief", counted(mischief.done))
    soak.record("refreshes", counted(refreshing.answers))
    soak.record("answered", counted(traffic.book.answered))
    soak.record("lost with a killed host", str(len(traffic.book.drops)))
    soak.record("refused", counted(knocking.refused))
    assert traffic.book.unexcused(field.absences) == []
    assert knocking.believed == []
    assert not traffic.book.met - ever_accepted(field["h1"].state / "trust.log")
    assert not refreshing.answers.keys() - MAY_FAIL - {"done", "done in peace", "nobody to ask"}
    assert defects(hosts) == []
    assert mischief.done["kill"] >= 30
    assert min(knocking.refused[stranger.name] for stranger in strangers) >= 15


def withdrawn(field: Field, name: str) -> Stranger:
    """Who has this host's pool identity with the key, from before its last refresh."""
    host = field[name]
    thief = carried_off(field.folder, host)
    host.call("host.refresh_server_certificate", host.call("host.get_by_uuid", thief.says))
    settled(list(field.hosts.values()))
    return thief


def agree(field: Field) -> None:
    assert disagreements(field.hosts.values()) == []


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counter.items()))
