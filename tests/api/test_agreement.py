"""XML-RPC and JSON-RPC say the same of every declared call, read by decoders that are not ours."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import orjson
import pytest

from api.fake import FakeContext, answer, ask, session_of
from api.samples import arguments_of, stocked
from pooltrust.api import classes
from pooltrust.api.classes.absent.reader import absent_calls
from pooltrust.api.declare.call import CALLS
from pooltrust.api.declare.values import compact
from pooltrust.api.wire.jsonrpc import JSON, encode
from pooltrust.api.wire.xmlrpc import XML

assert classes


NEEDS_A_PASSWORD = {"session.login_with_password", "session.slave_local_login_with_password"}
REFUSED = {
    # Where a host is, the trust log says.
    "host.set_address": "OPERATION_NOT_ALLOWED",
    "host.set_hostname": "OPERATION_NOT_ALLOWED",
    "event.next": "SESSION_NOT_REGISTERED",
    # The first certificate there is belongs to a host.
    "pool.uninstall_trusted_certificate": "NOT_TRUSTED_CERTIFICATE",
    # There is no directory but the pool's own, and PAM.
    "host.enable_external_auth": "AUTH_UNKNOWN_TYPE",
    "host.external_auth_set_ldaps": "AUTH_IS_DISABLED",
    "pool.enable_external_auth": "AUTH_UNKNOWN_TYPE",
    "pool.external_auth_set_ldaps": "AUTH_IS_DISABLED",
}
"""These are declared, and never done; or not by somebody who has done nothing before."""


def plain(value: Any) -> Any:
    """What either decoder gave, as one spelling: integers and dates are text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, xmlrpc.client.DateTime):
        return value.value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def by_xml(context: FakeContext, method: str, parameters: list[Any]) -> tuple[str, Any]:
    dates = [xmlrpc.client.DateTime(compact(p)) if hasattr(p, "tzinfo") else p for p in parameters]
    said = answer(context, XML, xmlrpc.client.dumps(tuple(dates), method).encode())
    assert said.content_type == "text/xml"
    assert b">\n" not in said.body and b"> <" not in said.body
    ((value,), _) = xmlrpc.client.loads(said.body)
    return value["Status"], plain(value.get("Value", value.get("ErrorDescription")))


def by_json(
    context: FakeContext, method: str, parameters: list[Any], version: int
) -> tuple[str, Any]:
    message: dict[str, Any] = {"method": method, "id": "x"}
    message["params"] = [compact(p) if hasattr(p, "tzinfo") else p for p in parameters]
    if version == 2:
        message["jsonrpc"] = "2.0"
    said = answer(context, JSON, orjson.dumps(message))
    assert said.content_type == "application/json"
    value = orjson.loads(said.body)
    assert value.pop("id") == "x" and (value.pop("jsonrpc", None) == "2.0") == (version == 2)
    assert version == 2 or set(value) == {"result", "error"}
    error = value.get("error")
    if error is None:
        return "Success", plain(value["result"])
    return "Failure", plain([error["message"], *error["data"]] if version == 2 else error)


@pytest.mark.parametrize("name", list(CALLS))
def test_both_wires_answer_the_same(name: str):
    answers, contexts = [], []
    for way in (by_xml, lambda *a: by_json(*a, version=1), lambda *a: by_json(*a, version=2)):
        context = stocked()
        call = CALLS[name]
        session = [session_of(context)] if call.session else []
        arguments = arguments_of(call, context)
        if name in NEEDS_A_PASSWORD:
            arguments[1] = "right"
        answers.append(way(context, name, [*session, *arguments]))
        contexts.append(context)

    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == ("Failure" if name in REFUSED else "Success"), answers[0]
    assert name not in REFUSED or answers[0][1][0] == REFUSED[name]
    assert [context.defects for context in contexts] == [[], [], []]
    assert contexts[0].rows == contexts[1].rows == contexts[2].rows


@pytest.mark.parametrize("name", [name for name in CALLS if name not in REFUSED])
def test_an_answer_reads_back_as_the_type_that_its_call_declares(name: str):
    context, call = stocked(), CALLS[name]
    session = [session_of(context)] if call.session else []
    arguments = arguments_of(call, context)
    if name in NEEDS_A_PASSWORD:
        arguments[1] = "right"

    value = ask(context, name, *session, *arguments)

    read = call.result.read(value)
    assert value == ("" if read is None else orjson.loads(encode(read)))


def test_no_call_is_made_without_a_session():
    for name in CALLS:
        if not CALLS[name].session:
            continue
        context = stocked()
        session_of(context)
        parameters = ["OpaqueRef:none", *arguments_of(CALLS[name], context)]
        expected = ("Failure", ["SESSION_INVALID", "OpaqueRef:none"])
        assert expected == by_xml(context, name, parameters)
        assert expected == by_json(context, name, parameters, 2)


def test_list_methods_is_a_bare_list_and_names_every_call():
    body = xmlrpc.client.dumps((), "system.listMethods").encode()
    ((listed,), _) = xmlrpc.client.loads(answer(stocked(), XML, body).body)

    assert sorted([*CALLS, *absent_calls()]) == sorted(listed)
    assert sorted(ask(FakeContext(), "system.listMethods")) == sorted(listed)


def test_is_alive_echoes():
    assert ask(FakeContext(), "system.isAlive:", "there") == "there"
    assert by_xml(FakeContext(), "system.isAlive", ["there"]) == ("Success", "there")


def test_the_encodings_that_clients_depend_on():
    context = stocked()
    session = session_of(context)
    body = xmlrpc.client.dumps((session, arguments_of(CALLS["host.get_record"], context)[0]),
                               "host.get_record").encode()  # fmt: skip

    text = answer(context, XML, body).body.decode()

    assert "<name>API_version_minor</name><value>23</value>" in text
    assert "<name>name_description</name><value></value>" in text
    assert "<name>enabled</name><value><boolean>1</boolean></value>" in text
    assert "<name>tags</name><value><array><data></data></array></value>" in text
    assert "<dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601>" in text
    assert "boot_free_mem" not in text and "recommended_guidances</name>" not in text
    assert text.startswith('<?xml version="1.0"?><methodResponse><params><param><value><struct>')
    body = xmlrpc.client.dumps((session, "OpaqueRef:x", "<name>"), "host.set_name_label").encode()
    assert b"<value>HANDLE_INVALID</value><value>host</value>" in answer(context, XML, body).body
