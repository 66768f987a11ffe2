"""The OpenRPC description says what is true: of every call, its parameters, answers and errors."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from api.fake import ask, session_of
from api.samples import arguments_of, stocked
from api.test_agreement import NEEDS_A_PASSWORD, REFUSED
from pooltrust.api.declare.call import CALLS, REQUIRED
from pooltrust.api.openrpc import openrpc
from pooltrust.api.wire.jsonrpc import encode

WHOLE: dict[str, Any] = orjson.loads(openrpc())
METHODS = {method["name"]: method for method in WHOLE["methods"]}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": int | float}


def faults(schema: dict[str, Any], value: Any, where: str = "it") -> list[str]:
    """What of a value is not as its JSON Schema says; knows the words that are used here."""
    if "$ref" in schema:
        return faults(resolved(schema["$ref"]), value, where)
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{where} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} is none of {schema['enum']}")
    if schema.get("type") == "boolean":
        return found + ([] if isinstance(value, bool) else [f"{where} is no boolean"])
    if "type" in schema and (
        isinstance(value, bool) or not isinstance(value, TYPES[schema["type"]])
    ):
        return [*found, f"{where} is no {schema['type']}: {value!r}"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where} is not like {schema['pattern']}: {value!r}")
    for index, item in enumerate(value if schema.get("type") == "array" else ()):
        found += faults(schema["items"], item, f"{where}[{index}]")
    if schema.get("type") == "object":
        known = schema.get("properties", {})
        found += [
            f"{where} lacks {name}" for name in schema.get("required", ()) if name not in value
        ]
        for name, item in value.items():
            other = schema.get("additionalProperties", True)
            if name not in known and other is False:
                found.append(f"{where} has {name}")
            found += faults(known.get(name, other if isinstance(other, dict) else {}), item, name)
    return found


def resolved(ref: str) -> dict[str, Any]:
    assert ref.startswith("#/components/schemas/")
    return dict(WHOLE["components"]["schemas"][ref.removeprefix("#/components/schemas/")])


def test_it_describes_every_call_in_the_words_of_its_declaration():
    assert WHOLE["openrpc"] == "1.3.2" and WHOLE["servers"][0]["url"] == "/jsonrpc"
    assert METHODS.keys() == CALLS.keys()
    for name, call in CALLS.items():
        params = METHODS[name]["params"]
        assert [p["name"] for p in params][-len(call.parameters) or len(params) :] == [
            p.name for p in call.parameters
        ]
        assert (params[:1] != [] and params[0]["name"] == "session") == call.session
        assert [e["message"] for e in METHODS[name]["errors"]] == [e.code for e in call.raises]
        assert METHODS[name]["paramStructure"] == "by-position"
        assert METHODS[name]["summary"] and "\n" not in METHODS[name]["summary"]


@pytest.mark.parametrize("name", list(CALLS))
def test_what_a_call_takes_and_answers_is_as_described(name: str):
    context, call = stocked(), CALLS[name]
    session = [session_of(context)] if call.session else []
    arguments = arguments_of(call, context)
    if name in NEEDS_A_PASSWORD:
        arguments[1] = "right"
    given = [*session, *orjson.loads(encode(arguments))]

    for described, value in zip(METHODS[name]["params"], given, strict=True):
        assert faults(described["schema"], value) == [], described["name"]
    for described, parameter in zip(
        METHODS[name]["params"][len(session) :], call.parameters, strict=True
    ):
        assert described["required"] == (parameter.default is REQUIRED)
        assert ("default" in described["schema"]) == (not described["required"])
    if name not in REFUSED:
        value = ask(context, name, *given)
        assert faults(METHODS[name]["result"]["schema"], value) == []


def test_the_checker_finds_what_is_not_as_described():
    host = {"$ref": "#/components/schemas/host_metrics"}
    context = stocked()
    session = session_of(context)
    (good, *_) = ask(context, "host_metrics.get_all_records", session).values()

    assert faults(host, good) == []
    assert faults(host, {**good, "live": "yes"}) == ["live is no boolean"]
    assert faults(host, {**good, "more": 1}) == ["it has more"]
    assert faults(host, {**good, "memory_total": "1"}) == ["memory_total is no integer: '1'"]
    assert faults(host, {name: of for name, of in good.items() if name != "live"}) == [
        "it lacks live"
    ]
    assert faults(host, {**good, "last_updated": "now"})[0].startswith("last_updated is not like")
