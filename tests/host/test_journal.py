"""One line per event, whatever text comes in; and not the same line over and over."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooltrust.host.telling import damping
from pooltrust.host.telling.damping import Damping, Swallowed
from pooltrust.host.telling.journal import Journal, line

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


class Told:
    """A journal with a clock, and what it has told without the times."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stream = io.StringIO()
        self.journal = Journal.open("info", self.stream)
        self.journal._monotonic = lambda: self.now

    @property
    def lines(self) -> list[str]:
        told = self.stream.getvalue().splitlines()
        assert all(STAMP.match(entry) for entry in told)
        return [STAMP.sub("", entry, count=1) for entry in told]


@pytest.fixture
def told() -> Iterator[Told]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    yield Told()
    root.handlers = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def test_an_event_is_one_line_with_its_facts_in_order(told: Told):
    told.journal.event("host-admitted", host="h1", number=3, alone=True, by=None, ok=False)
    assert told.lines == ["info host-admitted host=h1 number=3 alone=yes by=- ok=no"]


def test_the_level_decides_what_is_told(told: Told):
    told.journal.debug("heard", peer="h1")
    told.journal.warning("late", peer="h1")
    told.journal.error("lost", peer="h1")
    assert told.lines == ["warning late peer=h1", "error lost peer=h1"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("192.0.2.1:443", "192.0.2.1:443"),
        ("", '""'),
        ("-", '"-"'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "x"\\', '"say \\"x\\"\\\\"'),
        ("x\n2026-01-01T00:00:00.000Z info fine", '"x\\u000a2026-01-01T00:00:00.000Z info fine"'),
        ("\x1b[2J\u202e\u2028", '"\\u001b[2J\\u202e\\u2028"'),
        ("\ud800\U000e0001", '"\\ud800\\U000e0001"'),
        ("é中", '"é中"'),
        ("x" * 1001, '"' + "x" * 1000 + '…"'),
    ],
)
def test_hostile_text_stays_in_its_value(told: Told, value: str, shown: str):
    told.journal.event("met", words=value, after=1)
    assert [f"info met words={shown} after=1"] == told.lines


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(max_size=30), min_size=1))
def test_every_line_can_be_taken_apart_again(facts: dict[str, str]):
    told = line("now", "info", "met", facts)
    assert told.isprintable()
    found = re.findall(r' ([a-z]+)=("(?:[^"\\]|\\.)*"|[^" ]+)(?= |$)', told)
    assert [*facts] == [name for name, _ in found]
    for (_, shown), value in zip(found, facts.values(), strict=True):
        plain = re.sub(
            r'\\(u[0-9a-f]{4}|U[0-9a-f]{8}|["\\])',
            lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else m[1],
            shown.strip('"') if shown[0] != '"' else shown[1:-1],
        )
        assert value == plain


@pytest.mark.parametrize(
    "name", ["password", "join_code", "old_password", "private_key", "session", "key", "token"]
)
def test_a_fact_that_is_called_a_secret_is_refused(told: Told, name: str):
    for tell in (told.journal.event, told.journal.debug, told.journal.error):
        with pytest.raises(ValueError, match="secret"):
            tell("login", **{name: "hunter2"})
    with pytest.raises(ValueError, match="secret"):
        told.journal.damped("login", peer="h1", reason="x", **{name: "hunter2"})
    assert told.lines == []


@pytest.mark.parametrize("fact", [b"\x01", bytearray(b"\x01"), memoryview(b"\x01")])
def test_bytes_are_refused_for_they_may_be_a_key(told: Told, fact: object):
    with pytest.raises(ValueError, match="secret"):
        told.journal.event("met", nonce=fact)


@pytest.mark.parametrize("event", ["", "Two Words", "x=1", "x\n"])
def test_an_event_has_a_name(told: Told, event: str):
    with pytest.raises(ValueError, match="not the name"):
        told.journal.event(event)


def test_a_library_tells_in_the_same_form(told: Told):
    logging.getLogger("aiohttp.server").warning("bad %s", 'thing"\nfoo')
    assert told.lines == [r'warning message from=aiohttp.server text="bad thing\"\u000afoo"']


def test_a_defect_says_where_it_is_on_one_line(told: Told):
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError as why:
        told.journal.defect("call-failed", why, call="pool.join")
    (entry,) = told.lines
    assert entry.startswith("error call-failed call=pool.join failure=RuntimeError")
    assert r'why="two\u000alines"' in entry
    assert "test_a_defect_says_where_it_is_on_one_line:" in entry


def refused(told: Told, peer: str = "192.0.2.1", reason: str = "expired") -> None:
    told.journal.damped("refused", peer=peer, reason=reason, words="it is over")


def test_the_same_matter_has_one_line_a_minute_and_a_count(told: Told):
    for second in range(60):
        told.now = float(second)
        refused(told)
    first = "warning refused peer=192.0.2.1 reason=expired words="
    assert [f'{first}"it is over"'] == told.lines
    told.now = 60.0
    refused(told)
    assert [
        f'{first}"it is over"',
        "warning refused peer=192.0.2.1 reason=expired suppressed=59",
        f'{first}"it is over"',
    ] == told.lines


def test_other_peers_and_reasons_have_their_own_lines(told: Told):
    for peer, reason in [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")]:
        refused(told, peer, reason)
    assert len(told.lines) == 3


def test_the_count_is_told_though_nothing_comes_after(told: Told):
    refused(told)
    assert told.journal.flush() is None
    told.now = 10.0
    refused(told)
    assert told.journal.flush() == 50.0
    assert len(told.lines) == 1
    told.now = 60.0
    assert told.journal.flush() is None
    assert "suppressed=1" in told.lines[-1]
    assert told.journal.flush() is None
    assert len(told.lines) == 2


def test_the_count_is_told_at_the_end(told: Told):
    refused(told)
    refused(told)
    told.journal.close()
    told.journal.close()
    assert [entry.split()[-1] for entry in told.lines[1:]] == ["suppressed=1"]


def test_many_matters_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(damping, "MOST", 2)
    matters = [("e", str(number), "r") for number in range(3)]
    core = Damping()
    assert [core.admits(matters[number], 0.0) for number in (0, 0, 1, 2)] == [
        True,
        False,
        True,
        True,
    ]
    assert [Swallowed(matters[0], 1)] == list(core.over(0.0))
    assert [core.admits(matters[number], 1.0) for number in (1, 0)] == [False, True]
