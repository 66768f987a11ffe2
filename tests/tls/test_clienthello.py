"""The ClientHello is read without trusting it: bounded, never raising, the same however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.tls.clienthello import MOST_BYTES, NeedMore, NotTls, ServerName, Why, peeked

from .stage import client_hello, in_records

HELLO = client_hello("pool")
LONGEST_ASKED = MOST_BYTES + 5


def hello(extensions: bytes | None, *, before: bytes = b"\x03\x03" + bytes(32)) -> bytes:
    """A ClientHello made by hand."""
    body = before + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    if extensions is not None:
        body += len(extensions).to_bytes(2) + extensions
    message = b"\x01" + len(body).to_bytes(3) + body
    return b"\x16\x03\x01" + len(message).to_bytes(2) + message


def named(name: bytes, *, kind: int = 0) -> bytes:
    entry = bytes([kind]) + len(name).to_bytes(2) + name
    content = len(entry).to_bytes(2) + entry
    return b"\x00\x00" + len(content).to_bytes(2) + content


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        (ServerName("pool"), HELLO),
        (ServerName("pool"), HELLO + b"early data"),
        (ServerName(None), client_hello(None)),
        (ServerName("pool"), hello(named(b"POOL"))),
        (ServerName("xapi:pool"), hello(named(b"Xapi:Pool"))),
        (ServerName("pool"), hello(b"\x00\x17\x00\x00" + named(b"pool"))),
        (ServerName(None), hello(None)),
        (ServerName(None), hello(b"")),
        (ServerName(None), hello(named(b""))),
        (ServerName(None), hello(named(b"p\xc3\xb6\xc3\xb6l"))),
        (ServerName(None), hello(named(b"pool", kind=7))),
        (NotTls(Why.MALFORMED), hello(b"\x00\x00\x00\x09\x00")),
        (NotTls(Why.MALFORMED), hello(None, before=b"\x03\x03")),
        (NotTls(Why.MALFORMED), b"\x16\x03\x01\x00\x00"),
        (NotTls(Why.NO_HELLO), b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"),
        (NotTls(Why.NO_HELLO), b"\x16\x03\x01\x00\x02\x01\x00\x17"),
        (NotTls(Why.NO_TLS), b"\x16\x16"),
        (NotTls(Why.NO_TLS), b"\x80\x2e\x01\x03\x01"),
        (NotTls(Why.NO_TLS), b"SSH-2.0-OpenSSH_9.2"),
        (NotTls(Why.PLAIN_HTTP), b"GET / HTTP/1.1"),
        (NotTls(Why.PLAIN_HTTP), b"POST "),
        (NotTls(Why.NO_TLS), b"POSTER"),
        (NotTls(Why.TOO_LONG), b"\x16\x03\x01\x40\x00"),
        (NotTls(Why.TOO_LONG), b"\x16\x03\x01\x00\x04\x01\xff\xff\xff"),
        (NotTls(Why.TOO_LONG), in_records(hello(bytes(4000)), 1)),
        (NeedMore(5), b""),
        (NeedMore(5), b"\x16"),
        (NeedMore(5 + 300), b"\x16\x03\x01\x01\x2c"),
        (NeedMore(4), b"G"),
        (NeedMore(4), b"P"),
    ],
)
def test_what_the_first_bytes_say(expected: object, data: bytes) -> None:
    assert expected == peeked(data)


@given(st.integers(8, 600), st.sampled_from([b"pool", b"pool-join", b"h1.example"]))
@settings(max_examples=60)
def test_a_hello_in_any_number_of_records_is_the_same_hello(size: int, name: bytes) -> None:
    whole = hello(b"\x00\x0a\x00\x80" + bytes(128) + named(name))
    assert ServerName(name.decode()) == peeked(in_records(whole, size))


hellos = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=300).map(lambda rest: b"\x16\x03\x01" + rest),
    st.binary(max_size=300).map(hello),
    st.binary(max_size=40).map(lambda name: hello(named(name))),
    st.integers(5, 600).map(lambda size: in_records(HELLO, size)),
    st.tuples(st.integers(0, len(HELLO) - 1), st.integers(0, 255)).map(
        lambda change: HELLO[: change[0]] + bytes([change[1]]) + HELLO[change[0] + 1 :]
    ),
)


@given(hellos)
@settings(max_examples=100, deadline=None)
def test_no_prefix_is_answered_differently_and_progress_is_always_asked_for(data: bytes) -> None:
    final = peeked(data)
    for cut in range(len(data) + 1):
        answer = peeked(data[:cut])
        if isinstance(answer, NeedMore):
            assert cut < answer.total_bytes_needed <= LONGEST_ASKED
        else:
            assert answer == final


@given(st.binary(max_size=64), st.integers(0, 40_000))
@settings(max_examples=100)
def test_sixteen_kibibytes_are_enough_for_an_answer(start: bytes, padding: int) -> None:
    data = b"\x16\x03\x01" + start + bytes(padding)
    answer = peeked(data)
    assert (
        not isinstance(answer, NeedMore) or len(data) < answer.total_bytes_needed <= LONGEST_ASKED
    )
    assert not isinstance(peeked(data + b"\x16\x03\x01\x00\x01\x01" * 3000), NeedMore)
