"""Write published.json: what the published data model says of classes, calls, errors and enums.

    python tests/api/make_published.py path/to/xenapi-datamodel.json

The data model is the facts-only dump of the published one (classes with fields and messages, errors,
enums).  Our own declarations are not read here: the tests compare them with the result.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ORDER = ["pool-admin", "pool-operator", "vm-power-admin", "vm-admin", "vm-operator", "read-only"]
WITH_OBJECTS = (
    "session",
    "auth",
    "subject",
    "role",
    "user",
    "task",
    "event",
    "pool",
    "host",
    "host_metrics",
    "Certificate",
    "message",
    "secret",
)
"""Classes of which a pool of hosts may have objects: everything is said of their calls.  auth has none,
but all of its calls.
"""


def main(path: str) -> None:
    model = json.loads(Path(path).read_text())
    published = {
        "api_version": model["api_version"],
        "classes": {name: _class(model["classes"][name]) for name in WITH_OBJECTS},
        "absent": {
            name: _absent(declared)
            for name, declared in model["classes"].items()
            if name not in WITH_OBJECTS and declared["messages"]
        },
        "enums": _enums(model),
        "errors": model["errors"],
    }
    Path(__file__).with_name("published.json").write_text(_lines(published))


def _class(declared: dict[str, Any]) -> dict[str, Any]:
    return {
        "events": declared["gen_events"],
        "fields": {field["name"]: _field(field) for field in declared["fields"]},
        "calls": {message["name"]: _call(message) for message in declared["messages"]},
    }


def _absent(declared: dict[str, Any]) -> dict[str, Any]:
    """A class without objects: its fields, and the names of its calls by their sort."""
    calls: dict[str, list[str]] = {}
    for message in declared["messages"]:
        calls.setdefault(message["tag"], []).append(message["name"])
    fields = {
        field["name"]: {k: v for k, v in _field(field).items() if k not in ("roles", "keys")}
        for field in declared["fields"]
    }
    return {"fields": fields, "calls": calls}


def _field(field: dict[str, Any]) -> dict[str, Any]:
    said = {"type": field["type"], "kind": field["q"], "default": field["default"]}
    if said["default"] == "Null":
        said["default"] = "OpaqueRef:NULL"  # what clients see of it
    if field["internal_only"]:
        said["hidden"] = True
    if field["q"] == "RW":
        said["roles"] = _role(field["setter_roles"])
    if field["mapkeys"]:
        said["keys"] = {key: _role(roles) for key, roles in field["mapkeys"]}
    return said


def _call(message: dict[str, Any]) -> dict[str, Any]:
    flags = ("async", "hidden", "pool_internal")
    return {
        "tag": message["tag"],
        "params": [[one["name"], one["type"], one["default"]] for one in message["params"]],
        "result": message["result"],
        "roles": _role(message["roles"]),
        "session": message["session"],
        "flags": [flag for flag in flags if message[flag]],
    }


def _role(roles: list[str]) -> str:
    """The least privileged of these roles, all above it being there too; "" for none."""
    ordinary = [role for role in roles if role != "client-cert"]
    assert ordinary == ORDER[: len(ordinary)]
    both = ordinary[-1:] + [role for role in roles if role == "client-cert"]
    return " ".join(both)


def _enums(model: dict[str, Any]) -> dict[str, Any]:
    types = {field["type"] for name in WITH_OBJECTS for field in model["classes"][name]["fields"]}
    words = {word.strip("()") for of_type in types for word in of_type.split()}
    return {name: values for name, values in model["enums"].items() if name in words}


def _lines(value: Any, indent: str = "") -> str:
    """JSON with one line for each leaf of the table, so that a change of the model reads as one."""
    if isinstance(value, dict) and len(indent) < 8 and value:
        inside = indent + "  "
        items = (f"{inside}{json.dumps(k)}: {_lines(v, inside)}" for k, v in sorted(value.items()))
        return "{\n" + ",\n".join(items) + f"\n{indent}}}" + ("" if indent else "\n")
    return json.dumps(value)


if __name__ == "__main__":
    main(sys.argv[1])
