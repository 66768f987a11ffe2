"""One value, one spelling; every other spelling is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.trust.canonical import LARGEST, NotCanonical, decode, encode, pae

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150)
@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert decode(encode(value)) == value


@settings(max_examples=100)
@given(VALUES)
def test_no_other_spelling_of_a_value_is_read(value):
    plain = encode(value)
    others = {
        json.dumps(value).encode(),
        json.dumps(value, indent=1, ensure_ascii=False).encode(),
        json.dumps(value, separators=(",", ":")).encode(),
        plain + b"\n",
        b" " + plain,
    }
    for other in others - {plain}:
        with pytest.raises(NotCanonical):
            decode(other)


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_noise_is_refused_in_one_way(data):
    try:
        value = decode(data)
    except NotCanonical:
        return
    assert encode(value) == data


REFUSED = {
    "nothing": b"",
    "key twice": b'{"a":1,"a":1}',
    "keys out of order": b'{"b":1,"a":1}',
    "space": b'{"a": 1}',
    "newline at the end": b"{}\n",
    "second value": b"{}{}",
    "trailing zero byte": b"{}\0",
    "byte order mark": b"\xef\xbb\xbf{}",
    "float": b"1.0",
    "exponent": b"1e2",
    "negative zero": b"-0",
    "leading zero": b"01",
    "plus": b"+1",
    "not a number": b"NaN",
    "infinity": b"Infinity",
    "2^53": str(2**53).encode(),
    "-2^53": str(-(2**53)).encode(),
    "2^64": str(2**64).encode(),
    "thousand digits": b"9" * 1000,
    "lone surrogate escaped": b'"\\ud800"',
    "lone surrogate in UTF-8": b'"\xed\xa0\x80"',
    "surrogate pair escaped": b'"\\ud83d\\ude00"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "needless escape": b'"\\u0041"',
    "escaped slash": b'"\\/"',
    "escape in upper case": b'"\\u001F"',
    "raw control character": b'"\x01"',
    "raw tab": b'"\t"',
    "single quotes": b"'a'",
    "trailing comma": b"[1,]",
    "comment": b"[1]//x",
    "seventeen lists": b"[" * 17 + b"]" * 17,
    "thousands of lists": b"[" * 5000 + b"]" * 5000,
    "objects too deep": b'{"a":' * 17 + b"1" + b"}" * 17,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_other_spellings_are_refused(data):
    with pytest.raises(NotCanonical):
        decode(data)


def test_what_is_allowed_to_the_edge():
    assert decode(str(LARGEST).encode()) == LARGEST
    assert decode(b"[" * 16 + b"]" * 16)
    assert decode('"\\u0001\\t\\"é\U0001f600"'.encode()) == '\x01\t"é\U0001f600'


def test_brackets_within_text_are_not_nesting():
    assert decode(encode("[" * 100)) == "[" * 100


@pytest.mark.parametrize("value", [1.5, {1: 2}, b"x", 2**53, {"a": {1}}, "\ud800", object()])
def test_values_without_a_spelling_are_not_written(value):
    with pytest.raises(NotCanonical):
        encode(value)


def test_size_is_bounded_before_it_is_parsed():
    with pytest.raises(NotCanonical, match="more than the 10"):
        decode(b"[" * 11, limit=10)


def test_the_signed_bytes_are_those_of_dsse():
    # The example of the DSSE specification, protocol.md.
    said = pae("http://example.com/HelloWorld", b"hello world")
    assert said == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
