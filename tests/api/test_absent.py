"""Classes without objects: what a client hears of them is what a pool without any would say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.fake import FakeContext, ask, session_of
from api.test_agreement import by_json, by_xml
from pooltrust.api.classes.absent.reader import (
    absent_calls,
    absent_classes,
    find_absent,
    refused_calls,
)
from pooltrust.api.wire.jsonrpc import encode

NOBODY = "OpaqueRef:6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11"


def expected(name: str) -> tuple[str, Any]:
    """What a pool without objects of this class answers to this call."""
    cls, _, method = name.partition(".")
    match method:
        case "get_all" | "get_all_where" | "get_by_name_label":
            return "Success", []
        case "get_all_records" | "get_all_records_where":
            return "Success", {}
        case "get_by_uuid":
            return "Failure", ["UUID_INVALID", cls, "no such"]
    return "Failure", ["HANDLE_INVALID", cls, NOBODY]


def test_every_call_answers_as_for_a_pool_that_has_none():
    context = FakeContext()
    session = session_of(context, "read-only")
    for name in absent_calls():
        call = find_absent(name)
        assert call is not None and call.name == name
        given = {"self": NOBODY, "uuid": "no such", "expr": 'not field "uuid" = "x"'}
        zeros = [given.get(parameter.name, parameter.type.zero) for parameter in call.parameters]
        arguments = orjson.loads(encode(zeros))
        answer = by_json(context, name, [session, *arguments], 2)
        if name.rpartition(".")[2].startswith("get"):
            assert by_xml(context, name, [session, *arguments]) == answer
        assert expected(name) == answer, name
    assert context.defects == []


def test_what_is_not_done_here_says_so_whatever_it_is_given():
    context = FakeContext()
    session = session_of(context, "read-only")
    for name in refused_calls():
        assert ["NOT_IMPLEMENTED", name] == ask(context, name, session, "x", 1, {"y": []})
    assert ask(context, "VM.start", session) == ["NOT_IMPLEMENTED", "VM.start"]
    assert ask(context, "VM.start", "x") == ["SESSION_INVALID", "x"]


def test_expressions_are_read_even_if_nothing_can_fit():
    context = FakeContext()
    session = session_of(context)

    def records(expression: str) -> Any:
        return ask(context, "VM.get_all_records_where", session, expression)

    assert records('field "name__label" = "a" and not field "is_a_template" = "true"') == {}
    assert records('field "no_such_field" = "a"')[0] == "INVALID_VALUE"
    assert records("true or")[0] == "INVALID_VALUE"


@pytest.mark.parametrize("name", ["VM.fly", "VM.get_wings", "LVHD.get_all", "VM_metrics.create"])
def test_what_was_never_published_is_unknown(name: str):
    context = FakeContext()

    assert ["MESSAGE_METHOD_UNKNOWN", name] == ask(context, name, session_of(context))


def test_the_other_spelling_works_for_these_too():
    context = FakeContext()
    session = session_of(context)

    assert ask(context, "VM_metrics_get_all_records", session) == {}
    assert ask(context, "VM_start", session, NOBODY) == ["NOT_IMPLEMENTED", "VM.start"]


def test_general_clients_find_every_class_that_they_list():
    assert {"VM", "SR", "VDI", "network", "PIF", "host_cpu", "blob"} <= set(absent_classes())
    listed = ask(FakeContext(), "system.listMethods")
    assert "VM.get_all_records" in listed and "PIF.get_all_records" in listed
    assert "VM.start" not in listed
