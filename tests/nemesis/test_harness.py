"""The harness itself: a cut wire is cut, a moved clock is moved, and a failure is seen as one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from pools.stage import SOON, within

from .clocks import DAY
from .field import Field, field_of, join_all
from .strangers import Stranger, knock, self_made
from .traffic import Traffic
from .wires import Cut

pytestmark = pytest.mark.needs("faketime")


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    with field_of(3, clocks=True) as field:
        join_all(field)
        within(SOON, lambda: verified(field, "h1") == {"h1", "h2", "h3"})
        yield field


def verified(field: Field, observer: str) -> set[str]:
    """Whom this host meets and believes now."""
    return {name for name, one in field[observer].probe().items() if one["verified"] == "true"}


def test_a_cut_wire_is_cut_for_that_pair_only(field: Field):
    field.wires.cut(field.between(["h2"], ["h3"]))
    assert verified(field, "h1") == {"h1", "h2", "h3"}
    assert verified(field, "h2") == {"h1", "h2"}
    assert verified(field, "h3") == {"h1", "h3"}
    field.wires.mend()
    assert verified(field, "h2") == {"h1", "h2", "h3"}


def test_a_wire_can_be_cut_in_one_direction(field: Field):
    field.wires.cut([("h2", "h3")])
    assert verified(field, "h2") == {"h1", "h2"}
    assert verified(field, "h3") == {"h1", "h2", "h3"}
    field.wires.mend()


def test_what_a_silent_wire_held_back_comes_when_it_is_mended(field: Field):
    field.wires.cut([("h2", "h3")], Cut.SILENT)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(verified, field, "h2")
        with pytest.raises(TimeoutError):
            asked.result(1.0)
        field.wires.mend()
        assert asked.result(SOON) == {"h1", "h2", "h3"}


def test_a_wire_can_refuse_after_it_was_silent(field: Field):
    field.wires.cut([("h2", "h3")], Cut.SILENT)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(verified, field, "h2")
        with pytest.raises(TimeoutError):
            asked.result(0.5)
        field.wires.cut([("h2", "h3")], Cut.REFUSING)
        assert asked.result(SOON) == {"h1", "h2"}
    field.wires.mend()


def test_a_cut_that_refuses_resets_what_is_connected(field: Field):
    there = field["h3"].address, field["h3"].port
    with (
        socket.create_connection(there, SOON, (field["h2"].listen, 0)) as mine,
        socket.create_connection(there, SOON, (field["h1"].listen, 0)) as others,
    ):
        field.wires.cut([("h2", "h3")], Cut.REFUSING)
        with pytest.raises(ConnectionResetError):
            mine.recv(1)
        others.settimeout(0.2)
        with pytest.raises(TimeoutError):
            others.recv(1)
    field.wires.mend()


def test_a_slow_wire_is_slow(field: Field):
    field.wires.delay({("h2", "h3"): 0.3})
    began = time.monotonic()
    assert verified(field, "h2") == {"h1", "h2", "h3"}
    assert time.monotonic() - began > 0.9
    field.wires.mend()


def test_a_daemons_clock_is_moved_while_it_runs(field: Field):
    def says(name: str) -> float:
        at = datetime.fromisoformat(field[name].probe()["h1"]["at"])
        return (at - datetime.now(UTC)).total_seconds()

    field.clocks["h2"].set(3 * DAY)
    assert abs(says("h2") - 3 * DAY) < 5
    assert abs(says("h1")) < 5
    field.clocks["h2"].set(0)
    assert abs(says("h2")) < 5


def test_a_moved_clock_leaves_the_clock_of_waits_alone(field: Field):
    words = "import time; print(time.time(), time.monotonic())"
    clock = field.clocks["h3"]
    clock.set(-9 * DAY)
    done = subprocess.run(
        [sys.executable, "-c", words],
        env=os.environ | clock.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    clock.set(0)
    wall, steady = map(float, done.stdout.split())
    assert abs(wall - time.time() + 9 * DAY) < SOON
    assert abs(steady - time.monotonic()) < SOON


def test_a_real_member_that_knocks_is_answered(field: Field):
    """Or else nobody could tell that strangers are refused."""
    [file] = (field["h2"].state / "identities").glob("pool-*")
    me, other = field["h2"].status()["host"], field["h1"].status()
    words = {"pool": other["pool"], "expect": other["host"]}
    member = Stranger("h2", me, file)
    assert b"head" in knock(member, field["h1"], **words)
    assert knock(self_made(field.folder, "h2-self-made", me), field["h1"], **words) == b""


def test_a_lost_connection_is_booked_and_excused_by_a_kill_only(field: Field):
    with Traffic(field, seed=0) as traffic:
        within(SOON, lambda: traffic.book.answered["lasting h3"] > 3)
        field.kill("h3")
        within(SOON, lambda: {drop.kind for drop in traffic.book.drops} >= {"lasting", "brief"})
        field.start("h3")
        answered = traffic.book.answered["lasting h3"]
        within(SOON, lambda: traffic.book.answered["lasting h3"] > answered)
    assert {drop.host for drop in traffic.book.drops} <= {"h3"}
    assert traffic.book.unexcused(field.absences) == []
    assert traffic.book.unexcused([]) == traffic.book.drops != []
    assert {uuid for uuid, _ in traffic.book.met} >= {field["h1"].status()["host"]}
