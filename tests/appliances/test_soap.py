"""The envelopes of the appliance: what can be read, what is refused, and that nothing expands."""

from __future__ import annotations

import time

import pytest

from appliances.stage import soap as answer
from pooltrust.errors.appliances import WlbInternalError
from pooltrust.host.appliances import soap

METHOD = "AddXenServer"


def test_what_is_said_comes_out_as_it_went_in() -> None:
    hard = "a<b>&amp;\"'ü"
    sent = soap.envelope(METHOD, soap.leaf("Password", hard), soap.settings("P", {"k<": "v&"}))
    back = soap._read(sent).child("Body").child(METHOD).child("request")
    assert back.said("Password") == hard
    pair = back.child("P").child("KeyValueOfstringstring")
    assert (pair.said("Key"), pair.said("Value")) == ("k<", "v&")


@pytest.mark.parametrize("prefix", ["", "s:", "SOAP-ENV:"])
def test_prefixes_do_not_matter(prefix: str) -> None:
    space = f" xmlns{':' + prefix[:-1] if prefix else ''}='urn:x'"
    text = (
        f"<{prefix}Envelope{space}><{prefix}Body><AddXenServerResponse><AddXenServerResult>"
        f"<Id>7</Id></AddXenServerResult></AddXenServerResponse></{prefix}Body></{prefix}Envelope>"
    )
    assert soap.result(METHOD, text.encode()).said("Id") == "7"


@pytest.mark.parametrize(
    ("inside", "parameters"),
    [
        ("<ResultCode>5</ResultCode><ErrorMessage>no &amp; no</ErrorMessage>", ["5", "no & no"]),
        ("<ResultCode>4005</ResultCode>", ["4005", ""]),
        ("<ResultCode/>", ["", ""]),
        ("<ResultCode>00</ResultCode>", ["00", ""]),
        ("<ResultCode>0</ResultCode>", None),
        ("<ResultCode> 0 </ResultCode>", None),
        ("", None),
    ],
)
def test_any_result_code_but_0_is_an_error_and_a_missing_one_is_none(
    inside: str, parameters: list[str] | None
) -> None:
    if parameters is None:
        assert soap.result(METHOD, answer(METHOD, inside)).name == "AddXenServerResult"
        return
    with pytest.raises(WlbInternalError) as why:
        soap.result(METHOD, answer(METHOD, inside))
    assert why.value.parameters() == parameters


@pytest.mark.parametrize(
    "fault",
    [
        "<faultcode>x</faultcode><faultstring>gone</faultstring>",
        "<Reason><Text>gone</Text></Reason>",
    ],
)
def test_a_fault_is_told_in_its_own_words(fault: str) -> None:
    text = f"<Envelope><Body><Fault>{fault}</Fault></Body></Envelope>"
    with pytest.raises(WlbInternalError) as why:
        soap.result(METHOD, text.encode())
    assert why.value.parameters() == ["Exception:", "gone"]


BAD = {
    "nothing": b"",
    "no XML": b"hello",
    "cut off": answer(METHOD, "<Id>7</Id>")[:-5],
    "another element": b"<html/>",
    "another method": answer("RemoveXenServer", ""),
    "no body": b"<Envelope/>",
    "an empty body": b"<Envelope><Body/></Envelope>",
    "an unknown encoding": b"<?xml version='1.0' encoding='mabel'?><Envelope/>",
    "too deep": b"<a>" * 40 + b"</a>" * 40,
    "too many elements": b"<Envelope>" + b"<a/>" * 50_001 + b"</Envelope>",
    "too long": b"<Envelope>" + b" " * (4 * 1024 * 1024) + b"</Envelope>",
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("name", BAD)
def test_whatever_is_no_answer_is_refused_in_our_words(name: str) -> None:
    with pytest.raises(soap.Unreadable) as why:
        soap.result(METHOD, BAD[name])
    assert len(str(why.value)) < 100


@pytest.mark.parametrize(
    "doctype",
    [
        b"<!DOCTYPE x>",
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>",
    ],
)
def test_an_answer_with_a_document_type_is_refused_however_good_it_is(doctype: bytes) -> None:
    good = answer(METHOD, "<Id>7</Id>")
    assert soap.result(METHOD, good).said("Id") == "7"
    with pytest.raises(soap.Unreadable, match="document type"):
        soap.result(METHOD, doctype + good)


def test_a_long_namespace_is_not_written_out_for_each_element() -> None:
    """A small document must not stop a host, which has one thread for whatever it serves."""
    space, leaves = "u" * 2_000_000, "<a/>" * 20_000
    text = (
        f'<Envelope xmlns="{space}"><Body><AddXenServerResponse><AddXenServerResult>{leaves}'
        "</AddXenServerResult></AddXenServerResponse></Body></Envelope>"
    )
    began = time.process_time()
    assert len(soap.result(METHOD, text.encode()).children) == 20_000
    assert time.process_time() - began < 5
