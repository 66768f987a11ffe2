"""The OpenRPC description of the JSON-RPC surface, written from the declarations.

Source: the OpenRPC specification, 1.3.2 (https://spec.open-rpc.org).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any

import orjson

from pooltrust import __version__
from pooltrust.api import classes
from pooltrust.api.declare.call import CALLS, REQUIRED, Call, Parameter
from pooltrust.api.declare.record import CLASSES, UNPUBLISHED, Class, Kind
from pooltrust.api.declare.values import Type
from pooltrust.errors import Failure

assert classes, "imported for its declarations"

Schema = dict[str, Any]

_PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "int": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "pattern": r"^\d{8}T\d{2}:\d{2}:\d{2}Z$"},
    "void": {"const": ""},
}
_EVENT: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Counts the changes."},
        "timestamp": {"type": "string"},
        "class": {"type": "string", "description": "The object's class, in lower case."},
        "operation": {"enum": ["add", "mod", "del"]},
        "ref": {"type": "string", "pattern": "^OpaqueRef:"},
        "snapshot": {"type": "object", "description": "The object's record; not after del."},
    },
    "required": ["id", "timestamp", "class", "operation", "ref"],
}
_EVENTS: Schema = {"type": "array", "items": {"$ref": "#/components/schemas/event"}}
_OTHERWISE: dict[str, Schema] = {
    "event.next": _EVENTS,
    "event.from": {
        "type": "object",
        "properties": {
            "events": _EVENTS,
            "token": {"type": "string"},
            "valid_ref_counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["events", "token", "valid_ref_counts"],
    },
}
"""What is answered otherwise than the published type of the call says."""


@lru_cache(maxsize=1)
def openrpc() -> bytes:
    """The description, as JSON."""
    return orjson.dumps(
        {
            "openrpc": "1.3.2",
            "info": {
                "title": "pooltrust",
                "version": __version__,
                "description": "Certificate verification for a pool of hosts, by the XenAPI. "
                "Every call but a login takes a session first. A class of which a pool has no "
                "objects is not described; its lists are empty.",
            },
            "servers": [{"name": "this host", "url": "/jsonrpc"}],
            "methods": [_method(call) for call in CALLS.values()],
            "components": {"schemas": dict(_schemas())},
        }
    )


def _method(call: Call) -> dict[str, Any]:
    summary = call.doc.split("\n\n")[0].replace("\n", " ")
    result = _OTHERWISE.get(call.name) or schema(call.result)
    return {
        "name": call.name,
        "tags": [{"name": call.cls}],
        "summary": summary,
        "description": call.doc,
        "paramStructure": "by-position",
        "params": [*([_SESSION] if call.session else []), *map(_parameter, call.parameters)],
        "result": {"name": call.result.name, "schema": result},
        "errors": [_error(failure) for failure in call.raises],
        "x-role": call.role or "local superuser",
        "x-async": call.is_async,
    }


_SESSION = {
    "name": "session",
    "description": "The session, as a login answered it.",
    "required": True,
    "schema": {"type": "string", "pattern": "^OpaqueRef:"},
}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    name, _, kind = parameter.type.name.rpartition(" ")
    of = _new(CLASSES[name]) if kind == "record" else schema(parameter.type)
    required = parameter.default is REQUIRED
    if not required:
        of = {**of, "default": parameter.default}
    return {
        "name": parameter.name,
        "description": parameter.doc,
        "required": required,
        "schema": of,
    }


def _error(failure: type[Failure]) -> dict[str, Any]:
    """Its message on the wire is its code, and its data are the parameters of this one."""
    names = [f.name for f in fields(failure) if f.metadata.get("wire", True)]  # type: ignore[arg-type]
    return {"code": 1, "message": failure.code, "data": names}


def schema(of: Type) -> Schema:
    """The JSON Schema of a type's values as JSON-RPC carries them."""
    if of.refers_to:
        return {"type": "string", "title": of.name, "pattern": "^OpaqueRef:"}
    if of.choices:
        return {"title": of.name, "enum": list(of.choices)}
    if of.key and of.item:
        return {"type": "object", "additionalProperties": schema(of.item)}
    if of.item:
        return {"type": "array", "items": schema(of.item)}
    name, _, kind = of.name.rpartition(" ")
    if kind == "record":
        return {"$ref": f"#/components/schemas/{name}"}
    return _PLAIN[of.name]


def _schemas() -> Iterator[tuple[str, Schema]]:
    for declared in CLASSES.values():
        yield declared.name, _EVENT if declared.name == "event" else _record(declared)


def _new(declared: Class) -> Schema:
    """What an object is made of: the fields that are chosen when it is made."""
    chosen = [field for field in declared.fields.values() if field.kind is not Kind.DYNAMIC]
    return {
        "type": "object",
        "properties": {field.name: schema(field.type) for field in chosen},
        "required": [field.name for field in chosen if field.default is UNPUBLISHED],
    }


def _record(declared: Class) -> Schema:
    shown = [field for field in declared.fields.values() if not field.hidden]
    return {
        "type": "object",
        "description": declared.doc,
        "properties": {
            field.name: {**schema(field.type), "description": field.doc} for field in shown
        },
        "required": [field.name for field in shown],
        "additionalProperties": False,
    }
