"""Bytes from anybody: bounded, and either answered or refused as malformed, never anything else."""

from __future__ import annotations

import time
import xmlrpc.client
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.fake import FakeContext, answer, ask, session_of
from api.test_agreement import by_xml
from pooltrust.api.declare.call import CALLS
from pooltrust.api.wire import jsonrpc, xmlread
from pooltrust.api.wire.jsonrpc import JSON
from pooltrust.api.wire.message import LONGEST_BODY, MalformedRequest, Wire
from pooltrust.api.wire.xmlrpc import XML, encode


def call(values: str, method: str = "pool.get_all") -> bytes:
    text = f"<methodCall><methodName>{method}</methodName><params>{values}</params></methodCall>"
    return f'<?xml version="1.0"?>{text}'.encode()


def value(inside: str) -> bytes:
    return call(f"<param><value>{inside}</value></param>")


BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<methodCall><methodName>&b;</methodName></methodCall>"
)
EXTERNAL = (
    b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b"<methodCall><methodName>&a;</methodName></methodCall>"
)
BAD_XML = {
    "nothing": b"",
    "no XML": b"GET / HTTP/1.1",
    "entity bomb": BOMB,
    "external entity": EXTERNAL,
    "any doctype": b"<!DOCTYPE methodCall><methodCall><methodName>a</methodName></methodCall>",
    "unknown entity": value("&nbsp;"),
    "100,000 levels": b"<methodCall>" + b"<value>" * 38_000,
    "levels in place": value("<array><data><value>" * 40 + "</value></data></array>" * 40),
    "too many elements": call("<param><value/></param>" * 10_001),
    "too long": value("a" * LONGEST_BODY),
    "cut off": value("a")[:-20],
    "latin-1": value("ü").decode().encode("latin-1"),
    "another encoding": b'<?xml version="1.0" encoding="utf-16"?>' + value("a"),
    "a control character": value("&#1;"),
    "a lone surrogate": value("&#xD800;"),
    "text between tags": call("<param>text<value>a</value></param>"),
    "element out of place": call("<value>a</value>"),
    "unknown element": value("<i16>1</i16>"),
    "two values": value("<int>1</int><int>2</int>"),
    "text beside a value": value("a<int>1</int>"),
    "an empty integer": value("<int></int>"),
    "a huge integer": value(f"<int>{'9' * 5000}</int>"),
    "digits of another script": value("<int>１２</int>"),
    "an infinite number": value("<double>inf</double>"),
    "two points": value("<double>1.2.3</double>"),
    "a vague truth": value("<boolean>2</boolean>"),
    "bad base64": value("<base64>####</base64>"),
    "base64 of no text": value("<base64>/w==</base64>"),
    "text in nil": value("<nil>a</nil>"),
    "a member twice": value(
        "<struct><member><name>a</name><value/></member><member><name>a</name><value/></member></struct>"
    ),
    "half a member": value("<struct><member><name>a</name></member></struct>"),
    "two methods": b"<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>",
    "no method": b"<methodCall><params></params></methodCall>",
    "an answer": b"<methodResponse></methodResponse>",
}
DEEP = b"[" * 100_000 + b"]" * 100_000
BAD_JSON = {
    "nothing": b"",
    "no JSON": b"<methodCall/>",
    "a batch": b'[{"method":"a","params":[],"id":1}]',
    "100,000 levels": b'{"method":"a","id":1,"params":' + DEEP + b"}",
    "100 levels": b'{"method":"a","id":1,"params":' + b"[" * 100 + b"]" * 100 + b"}",
    "100 objects": b'{"method":"a","id":1,"params":[' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"]}",
    "too long": b'{"method":"a","params":["' + b"a" * LONGEST_BODY + b'"],"id":1}',
    "a lone surrogate": b'{"method":"a","params":["\\ud800"],"id":1}',
    "latin-1": b'{"method":"\xfc","params":[],"id":1}',
    "no id": b'{"method":"a","params":[]}',
    "null id": b'{"method":"a","params":[],"id":null}',
    "true id": b'{"method":"a","params":[],"id":true}',
    "an id with a fraction": b'{"method":"a","params":[],"id":1.5}',
    "a huge id": b'{"method":"a","params":[],"id":' + b"9" * 4000 + b"}",
    "no method": b'{"params":[],"id":1}',
    "a method that is no text": b'{"method":1,"params":[],"id":1}',
    "version 1 without parameters": b'{"method":"a","id":1}',
    "version 1 with an object": b'{"method":"a","params":{},"id":1}',
    "version 2 with text": b'{"jsonrpc":"2.0","method":"a","params":"a","id":1}',
    "NaN": b'{"method":"a","params":[NaN],"id":1}',
}


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        *(pytest.param(XML, body, id=f"XML: {name}") for name, body in BAD_XML.items()),
        *(pytest.param(JSON, body, id=f"JSON: {name}") for name, body in BAD_JSON.items()),
    ],
)
def test_what_is_no_request_is_refused_at_once(wire: Wire, body: bytes):
    began = time.process_time()
    with pytest.raises(MalformedRequest) as refusal:
        answer(FakeContext(), wire, body)

    assert time.process_time() - began < 0.5
    assert len(str(refusal.value)) < 60


def test_everything_that_the_format_has_is_read():
    inside = (
        "<array><data><value>plain</value><value><string> kept </string></value><value><i4>-4</i4></value>"
        "<value><i8>9223372036854775807</i8></value><value> <int>+1</int>\n</value><value/>"
        "<value><boolean>1</boolean></value><value><double>-1.5e3</double></value><value><nil/></value>"
        "<value><dateTime.iso8601>20240131T23:59:59Z</dateTime.iso8601></value>"
        "<value><base64>w7w=\n</base64></value><value><struct><member><name>n</name><value>&lt;&amp;</value>"
        "</member></struct></value><value><array><data/></array></value></data></array>"
    )
    expected = [
        "plain", " kept ", -4, 2**63 - 1, 1, "", True, -1500.0, None, "20240131T23:59:59Z", "ü",
        {"n": "<&"}, [],
    ]  # fmt: skip

    assert [expected] == xmlread.read(value(inside)).parameters
    assert xmlread.read(b"<methodCall><methodName>a.b</methodName></methodCall>").parameters == []


def test_version_2_of_json_rpc_may_leave_parameters_out_or_give_an_object():
    assert jsonrpc.read(b'{"jsonrpc":"2.0","method":"a","id":1}').parameters == []
    assert jsonrpc.read(b'{"jsonrpc":"2.0","method":"a","params":null,"id":1}').parameters == []
    body = b'{"jsonrpc":"2.0","method":"a","params":{"b":1},"id":1}'
    assert jsonrpc.read(body).parameters == [{"b": 1}]


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1e3", "１", ""])
def test_a_number_of_more_than_64_bits_is_not_taken_for_another(number: str):
    context = FakeContext()
    session = session_of(context)
    expected = ["INTERNAL_ERROR", "pooltrust.get_log: after must be of type int"]

    assert expected == ask(context, "pooltrust.get_log", session, number)
    assert ("Failure", expected) == by_xml(context, "pooltrust.get_log", [session, number])


WRONG: list[Any] = [None, True, 1, 1.5, "x", [], ["x"], {}, {"k": 1}, 2**64 - 1, -(2**63), 1e300]


def test_every_call_answers_parameters_of_every_wrong_shape():
    context = FakeContext()
    for name, declared in CALLS.items():
        for wrong in WRONG:
            session = [session_of(context)] if declared.session else []
            said = ask(context, name, *session, *[wrong] * len(declared.parameters))
            if isinstance(said, list) and said and said[0] == "INTERNAL_ERROR":
                assert "must be of type" in said[1], (name, wrong, said)
    assert context.defects == []


def echoed(text: str) -> Any:
    ((said,), _) = xmlrpc.client.loads(
        f"<methodResponse><params><param>{encode([text])}</param></params></methodResponse>"
    )
    return said[0]


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_becomes_well_formed_xml(text: str):
    legal = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))

    assert legal.replace("\r\n", "\n").replace("\r", "\n") == echoed(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([XML, JSON]), st.binary(max_size=200))
def test_noise_is_malformed_and_nothing_worse(wire: Wire, noise: bytes):
    try:
        answer(FakeContext(), wire, noise)
    except MalformedRequest:
        return
    assert b"method" in noise


GOOD = [
    (XML, xmlrpc.client.dumps(("OpaqueRef:x", {"a": [1, 2.5, True]}), "pool.join").encode()),
    (JSON, b'{"jsonrpc":"2.0","method":"pool.join","params":["OpaqueRef:x",{"a":[1,2.5]}],"id":7}'),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(GOOD), st.integers(0, 400), st.integers(0, 40), st.binary(max_size=8))
def test_a_damaged_request_is_answered_or_malformed(
    good: tuple[Wire, bytes], at: int, length: int, put: bytes
):
    wire, body = good
    context = FakeContext()
    with suppress(MalformedRequest):
        answer(context, wire, body[:at] + put + body[at + length :])
    assert context.defects == []


JSONABLE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CALLS)), st.lists(JSONABLE, max_size=4))
def test_any_parameters_of_any_call_are_answered(name: str, parameters: list[Any]):
    context = FakeContext()
    session = [session_of(context)] if CALLS[name].session else []

    ask(context, name, *session, *parameters)

    assert context.defects == []


def test_the_deepest_echo_can_be_written():
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    body = orjson.dumps({"method": "system.isAlive", "params": [deep], "id": 1})

    assert deep == orjson.loads(answer(FakeContext(), JSON, body).body)["result"]


@pytest.mark.parametrize("host", ["::1%x\r\nA: b", "h\r\nA: b", "h/x", "h:1", "[::1]", "", " h"])
def test_a_test_post_goes_to_a_name_or_an_address_and_says_nothing_else_by_it(host: str) -> None:
    """uvloop dials an address whatever stands behind its %, and the host is a line of HTTP."""
    context = FakeContext()
    said = ask(context, "pool.send_test_post", session_of(context), host, 443, "x")
    assert said == ["INVALID_VALUE", "host", host]


@pytest.mark.parametrize("host", ["h1.example.org", "192.0.2.1", "2001:db8::1", "fe80::1%eth0"])
def test_a_test_post_goes_to_every_sort_of_place(host: str) -> None:
    context = FakeContext()
    said = ask(context, "pool.send_test_post", session_of(context), host, 443, "x")
    assert said[0] != "INVALID_VALUE"
