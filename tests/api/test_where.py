"""The expressions of get_all_where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.fake import H1, FakeContext, ask, session_of
from pooltrust.api.declare.where import LONGEST, test_of, text_of
from pooltrust.api.views import host_ref
from pooltrust.errors import InvalidValue

test_of.__test__ = False  # type: ignore[attr-defined]
FIELDS = ("name_label", "on", "tags")


@dataclass
class Row:
    name_label: str = "h1"
    on: bool = True
    tags: tuple[str, ...] = ("a", "it's")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", True),
        (" true ", True),
        ("false", False),
        ('field "name_label" = "h1"', True),
        ('field "name__label" = "h1"', True),
        ('field"name__label"="h2"', False),
        ('field "on" = "true"', True),
        ("field \"tags\" = \"('a' 'it\\'s')\"", True),
        ("not true", False),
        ("not not true", True),
        ("not (false)", True),
        ("true or false and false", True),
        ("(true or false) and false", False),
        ("not false and false", False),
        ("not (false and false)", True),
        ('((field "on" = "true"))and not(field "name__label" = "")', True),
        ('field "name__label" = "a and b" or true', True),
    ],
)
def test_expressions(expression: str, expected: bool):
    assert expected == test_of(expression, FIELDS)(Row())


@pytest.mark.parametrize(
    "expression",
    [
        "", "True", "truefalse", "true false", "and", "not", "(true", "true)", "()", "true and",
        'field "name_label"', 'field "name_label" =', "field name_label = \"h1\"",
        'field "name_label" = h1', '"h1" = field "name_label"', 'field "nothing" = "h1"',
        'field "name_label" == "h1"', 'field "name_label" = "h1', "true; false", "field",
        "(" * 101 + "true" + ")" * 101, "not " * 101 + "true", "true or " * LONGEST + "true",
        "__class__", 'field "__class__" = "x"', "\x00",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_named_with_the_reason(expression: str):
    with pytest.raises(InvalidValue) as refusal:
        test_of(expression, FIELDS)
    assert refusal.value.field == expression and refusal.value.value


def test_nesting_up_to_the_bound_works():
    assert test_of("(" * 99 + "true" + ")" * 99, ())(Row())


COMPARISON = 'field "name_label" = "h2"'


@pytest.mark.parametrize(
    ("expression", "records", "why"),
    [
        (" or ".join([COMPARISON] * 65), 1, "more than 64 comparisons"),
        (" or ".join(["true"] * 513), 1, "more than 512 terms"),
        (" or ".join(["not not not true"] * 129), 1, "more than 512 terms"),
        (COMPARISON, 7282, "1 terms are too many for 7282 records"),
        (" or ".join([COMPARISON] * 64), 911, "64 terms are too many for 911 records"),
    ],
)
def test_an_expression_that_is_too_much_work_is_refused(expression: str, records: int, why: str):
    with pytest.raises(InvalidValue) as refusal:
        test_of(expression, FIELDS, records=records)
    assert why == refusal.value.value
    less = expression.partition(" or ")[2] or expression
    test_of(less, FIELDS, records=records - (records > 1))


def test_a_value_is_rendered_once_for_a_record_however_often_it_is_compared():
    rendered = []

    class Counted(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            return "v"

        def __iter__(self) -> Iterator[str]:
            rendered.append(self)
            return iter("k")

        def __len__(self) -> int:
            return 1

    test = test_of(" or ".join(['field "tags" = "x"'] * 64), FIELDS)
    assert [test(Row(tags=Counted())) for _ in range(3)] == [False] * 3
    assert len(rendered) == 3


TREES = st.recursive(
    st.sampled_from([("true", True), ("false", False), ('field "on" = "true"', True)]),
    lambda inner: st.one_of(
        st.tuples(inner).map(lambda t: (f"not ({t[0][0]})", not t[0][1])),
        st.tuples(inner, inner).map(lambda t: (f"({t[0][0]} and {t[1][0]})", t[0][1] and t[1][1])),
        st.tuples(inner, inner).map(lambda t: (f"({t[0][0]} or {t[1][0]})", t[0][1] or t[1][1])),
    ),
    max_leaves=15,
)


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_any_expression_means_what_its_words_mean(tree: tuple[str, bool]):
    assert tree[1] == test_of(tree[0], FIELDS)(Row())


WORDS = st.sampled_from(
    ["true", "not", "and", "or", "(", ")", "field", '"on"', "=", '"x', " ", "é"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_text_is_an_expression_or_invalid(text: str):
    try:
        assert test_of(text, FIELDS)(Row()) in (True, False)
    except InvalidValue as refusal:
        assert refusal.parameters()[0] == text


def test_values_are_compared_as_text():
    when = datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert text_of(when) == "20240131T23:59:59Z"
    assert text_of({"k": "v"}) == "(('k' 'v'))"
    assert (text_of(7), text_of([]), text_of({})) == ("7", "()", "()")


def test_on_the_wire():
    context = FakeContext()
    session = session_of(context)

    assert [host_ref(H1)] == ask(
        context, "host.get_all_where", session, 'field "name__label" = "h1"'
    )
    assert len(ask(context, "host.get_all_records_where", session, "true")) == 3
    assert ask(context, "host.get_all_records_where", session, "false") == {}
    assert ask(context, "host.get_all_where", session, "maybe")[:2] == ["INVALID_VALUE", "maybe"]
    hidden = 'field "boot_free_mem" = "0"'
    assert ["INVALID_VALUE", hidden] == ask(context, "host.get_all_where", session, hidden)[:2]
