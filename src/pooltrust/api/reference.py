"""docs/reference.md, written from the declarations: every call, class and field there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pooltrust.api import classes
from pooltrust.api.classes.absent.reader import absent_classes, refused_calls
from pooltrust.api.declare.call import CALLS, REQUIRED, Call, NamedHost, Parameter
from pooltrust.api.declare.record import CLASSES, UNPUBLISHED, Class
from pooltrust.api.declare.values import Type, compact
from pooltrust.api.roles import CLIENT_CERT, ROLES

assert classes, "imported for its declarations"

_INTRODUCTION = """\
# Reference: the calls and classes of the API

This page is written from the declarations in `src/pooltrust/api`; a test keeps it current.

Calls are made by XML-RPC at `/` or `/RPC2`, or by JSON-RPC 1 and 2 at `/jsonrpc`.  Every call takes
a session first unless it says otherwise.  *Role* is the least privileged role that may make a call;
the roles above it may as well.  *Runs on* says which host carries it out, wherever it was received.
`GET /openrpc.json` says the same for programs.
"""


def reference() -> str:
    """The text of docs/reference.md."""
    names = dict.fromkeys([*CLASSES, *(call.cls for call in CALLS.values())])
    parts = [_INTRODUCTION, *_roles(), *(_class(name) for name in names), *_absent()]
    return "\n".join(parts)


def show(value: Any) -> str:
    """A default as documentation spells it: ``"text"``, ``{}``, ``{"a"->"b"}``, ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}."
    if isinstance(value, datetime):
        return compact(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{show(k)}->{show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "{" + ", ".join(show(item) for item in value) + "}"
    if type(value) is str and not value.startswith("OpaqueRef:"):
        return f'"{value}"'
    return str(value)


def _roles() -> Iterator[str]:
    yield "## Roles\n"
    yield "The most privileged first.\n"
    yield _table(("role", "what it is for"), [(f"`{name}`", doc) for name, doc in ROLES.items()])


def _class(name: str) -> str:
    declared = CLASSES.get(name)
    parts = [f"## {name}\n"]
    if declared:
        parts += [declared.doc + "\n", _fields(declared), *_unasked(declared)]
    parts += [_call(call) for call in CALLS.values() if call.cls == name and not call.implicit]
    return "\n".join(parts)


def _absent() -> Iterator[str]:
    """What is published and not done here."""
    yield "## Classes without objects\n"
    yield (
        "A pool of hosts has no objects of these classes.  Their lists are empty, whatever is asked"
        " for by UUID or reference is not there, and everything else of theirs that is published"
        " answers `NOT_IMPLEMENTED`.\n"
    )
    yield ", ".join(f"`{name}`" for name in absent_classes()) + ".\n"
    yield "## Calls that are not done here\n"
    yield "These published calls of the classes above answer `NOT_IMPLEMENTED`.\n"
    of_served = [name for name in refused_calls() if name.partition(".")[0] in CLASSES]
    yield ", ".join(f"`{name}`" for name in sorted(of_served)) + ".\n"


def _fields(declared: Class) -> str:
    rows = []
    for field in declared.fields.values():
        if field.hidden:
            continue
        default = "" if field.default is UNPUBLISHED else f"`{show(field.default)}`"
        role = field.role + (f", {CLIENT_CERT}" if field.client_cert else "")
        rows.append((f"`{field.name}`", _type(field.type), field.kind, default, role, field.doc))
    return _table(("field", "type", "kind", "default", "set by", "what it is"), rows)


def _unasked(declared: Class) -> Iterator[str]:
    """The calls that follow from the fields, in one sentence each."""
    over_all = ", ".join(f"`{name}`" for name in sorted(declared.implicit))
    if declared.implicit:
        yield f"It has {over_all}{', and `get_` for every field' if declared.getters else ''}.\n"
    setters = [
        f"`{call.name.partition('.')[2]}`"
        for call in CALLS.values()
        if call.cls == declared.name and call.implicit
        if call.name.split(".")[1][:3] in ("set", "add", "rem")
    ]
    if setters:
        yield f"What can be set: {', '.join(setters)}.\n"


def _call(call: Call) -> str:
    parameters = ", ".join(parameter.name for parameter in call.parameters)
    parts = [f"### {call.name}({parameters})\n", call.doc + "\n"]
    if call.parameters:
        parts.append(
            _table(("parameter", "type", "default", "what it is"), map(_row, call.parameters))
        )
    parts.append("\n".join(f"* {fact}" for fact in _facts(call)) + "\n")
    return "\n".join(parts)


def _row(parameter: Parameter) -> tuple[str, str, str, str]:
    default = "" if parameter.default is REQUIRED else f"`{show(parameter.default)}`"
    doc = parameter.doc + (" Secret: never shown or logged." if parameter.secret else "")
    return f"`{parameter.name}`", _type(parameter.type), default, doc


def _facts(call: Call) -> Iterator[str]:
    yield f"Answers: {_type(call.result)}"
    role = call.role or "the local superuser only"
    extra = f" and {CLIENT_CERT}" if CLIENT_CERT in call.holders and call.role in ROLES else ""
    yield f"Role: {role}{extra}" if call.session else "Takes no session"
    if isinstance(call.runs, NamedHost):
        yield f"Runs on: the host that `{call.runs.parameter}` names"
    else:
        yield f"Runs on: {call.runs.value}"
    if call.cli:
        yield f"Command line: `xe {call.cli}`"
    if call.is_async:
        yield f"May be made a task: `Async.{call.name}`"
    if call.internal:
        yield "For other members of the pool only"
    if call.emergency:
        yield "Answered in an emergency too"
    if call.raises:
        yield "Errors: " + ", ".join(f"`{error.code}`" for error in call.raises)


def _type(of: Type) -> str:
    choices = f" ({', '.join(of.choices)})" if of.choices else ""
    return f"{of.name}{choices}"


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
