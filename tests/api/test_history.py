"""The history of changes: whoever follows its events from any place ends with the same picture."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.api.declare.values import Ref
from pooltrust.api.events import history
from pooltrust.api.events.history import History
from pooltrust.api.events.subscription import Subscription
from pooltrust.errors import HandleInvalid
from pooltrust.errors.telling import (
    EventFromTokenParseFailure,
    EventsLost,
    EventSubscriptionParseFailure,
)

A, B, C = (Ref(f"OpaqueRef:{name}") for name in "abc")
EVERYTHING = Subscription.parse(["*"])


def heard(of: History, place: int, *words: str) -> list[tuple[str, str, str]]:
    events = of.since(place, Subscription.parse(words or ["*"]))
    return [(event["operation"], event["class"], event["ref"]) for event in events]


def test_what_came_is_added_what_is_another_modified_and_what_went_deleted():
    one = History(7)
    one.see({"host": {A: 1, B: 1}})
    place = one.count

    assert heard(one, 0) == [("add", "host", A), ("add", "host", B)]
    assert heard(one, place) == []
    one.see({"host": {A: 2, C: 1}})
    assert heard(one, place) == [("add", "host", C), ("mod", "host", A), ("del", "host", B)]
    assert heard(one, 0) == [("add", "host", A), ("add", "host", C)]


def test_an_object_is_told_of_once_and_as_it_is_now():
    one = History(7)
    one.see({"host": {A: 1}})
    place = one.count
    for value in (2, 3, 4):
        one.see({"host": {A: value}})

    (event,) = one.since(place, EVERYTHING)

    assert event == {
        "id": "4",
        "timestamp": "0.0",
        "class": "host",
        "operation": "mod",
        "ref": A,
        "snapshot": 4,
    }


def test_what_came_and_went_is_not_told():
    one = History(7)
    one.see({"host": {A: 1}})
    place = one.count
    one.see({"host": {A: 1, B: 1}})
    one.see({"host": {A: 1}})

    assert heard(one, place) == []


def test_what_went_and_came_back_is_another_to_who_knew_it():
    one = History(7)
    one.see({"host": {A: 1}})
    knew = one.count
    one.see({"host": {}})
    missed = one.count
    one.see({"host": {A: 2}})

    assert heard(one, knew) == [("mod", "host", A)]
    assert heard(one, missed) == [("add", "host", A)]


def test_messages_come_first_and_the_newest_of_them_at_once():
    one = History(7)
    for n, ref in enumerate((A, B)):
        one.see({"message": {A: 0} if n == 0 else {A: 0, ref: n}, "host": {C: n}})

    events = one.since(0, EVERYTHING)

    assert [(event["class"], event["ref"]) for event in events] == [
        ("message", B),
        ("message", A),
        ("host", C),
    ]
    assert [event["id"] for event in events] == ["0", "0", "2"]


def test_only_what_was_asked_for_is_told():
    one = History(7)
    one.see({"host": {A: 1, B: 1}, "pool": {C: 1}})

    assert heard(one, 0, "POOL") == [("add", "pool", C)]
    assert heard(one, 0, f"host/{B}") == [("add", "host", B)]
    assert heard(one, 0, "pool", f"Host/{A}") == [("add", "host", A), ("add", "pool", C)]
    assert heard(one, 0, "VM") == []


@pytest.mark.parametrize("word", ["", "/", "a/", "/b", "a/b/c", "*/x"])
def test_what_can_not_be_asked_for_is_given_back(word: str):
    with pytest.raises(EventSubscriptionParseFailure) as refused:
        Subscription.parse(["host", word])
    assert refused.value.parameters() == [word]


def test_the_same_mapping_is_not_looked_at_twice():
    one = History(7)
    rows = {A: 1}
    assert one.see({"host": rows}) == {("host", A)}
    rows[B] = 1
    assert one.see({"host": rows}) == set() and one.count == 1
    assert one.see({"host": dict(rows)}) == {("host", B)}


def test_a_token_names_a_place_in_this_history_alone():
    one, other = History(7), History(8)
    for history_ in (one, other):
        history_.see({"host": {A: 1}})

    assert one.token == "00000000000000000007,00000000000000000001"
    assert one.place(one.token) == 1 and one.place("") == 0
    for foreign in (other.token, "00000000000000000007,00000000000000000002"):
        with pytest.raises(EventsLost):
            one.place(foreign)
    for text in ("x", "1,1", " ", one.token + " ", "٠" * 20 + "," + "٠" * 20):
        with pytest.raises(EventFromTokenParseFailure) as refused:
            one.place(text)
        assert refused.value.parameters() == [text]


def test_a_place_before_what_is_forgotten_is_lost(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "REMEMBERED", 2)
    one = History(7)
    tokens = []
    for n in range(6):
        one.see({"host": {Ref(str(n)): n}})
        tokens.append(one.token)

    for token in tokens[:3]:
        with pytest.raises(EventsLost):
            one.place(token)
    # Whoever heard that 2 went knows everything that is forgotten.
    assert heard(one, one.place(tokens[3])) == [("add", "host", "5"), ("del", "host", "3")]
    assert heard(one, 0) == [("add", "host", "5")]


def test_an_injected_change_is_before_the_token_of_whoever_hears_of_it():
    one = History(7)
    one.see({"pool": {A: 1}})
    before = one.token

    injected = one.inject("Pool", A)

    assert before < injected < one.token
    assert heard(one, one.place(before)) == [("mod", "pool", A)]
    assert heard(one, one.place(injected)) == []
    for cls, ref in (("pool", B), ("host", A)):
        with pytest.raises(HandleInvalid) as refused:
            one.inject(cls, ref)
        assert refused.value.parameters() == [cls, ref]


def test_sizes_are_of_every_class_that_was_seen():
    one = History(7)
    one.see({"pool": {A: 1}, "task": {}})

    assert one.sizes == {"pool": 1, "task": 0}


pictures = st.dictionaries(
    st.sampled_from(("host", "pool", "message")),
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2), max_size=6),
)


class Follower:
    """A client that keeps a picture by events, and asks when it likes."""

    def __init__(self) -> None:
        self.token = ""
        self.picture: dict[str, dict[str, int]] = {}

    def follow(self, of: History) -> None:
        for event in of.since(of.place(self.token), EVERYTHING):
            rows = self.picture.setdefault(event["class"], {})
            known = event["ref"] in rows
            if event["operation"] == "del":
                assert known
                del rows[event["ref"]]
            else:
                assert (event["operation"] == "mod") == known or event["class"] == "message"
                rows[event["ref"]] = event["snapshot"]
        self.token = of.token


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(pictures, st.sets(st.integers(0, 3)))))
def test_whoever_follows_has_the_picture_whenever_he_asks(
    steps: list[tuple[dict[str, dict[Any, int]], set[int]]],
):
    one, followers = History(7), [Follower() for _ in range(4)]
    for picture, ask in steps:
        # A reference belongs to one class.
        own = {cls: {cls + ref: n for ref, n in rows.items()} for cls, rows in picture.items()}
        whole = {cls: own.get(cls, {}) for cls in ("host", "pool", "message")}
        one.see(whole)
        for n in ask:
            followers[n].follow(one)
            assert {cls: followers[n].picture.get(cls, {}) for cls in whole} == whole
