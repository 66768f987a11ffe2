"""Reading an XML-RPC request, bounded, on expat.

No document type, so no entities; no more bytes, levels and elements than the bounds; UTF-8 whatever
the document says.  Nothing recurses.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, NoReturn
from xml.parsers import expat

from pooltrust.api.wire.message import DEEPEST, LONGEST_BODY, MalformedRequest, Request
from pooltrust.api.wire.xmlevents import events

MOST_ELEMENTS = 20_000

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_DOUBLE = re.compile(r"[+-]?[\d.]{1,40}([eE][+-]?\d{1,4})?", re.ASCII)

_SCALARS = frozenset(
    ("int", "i4", "i8", "boolean", "double", "string", "dateTime.iso8601", "base64", "nil")
)
_CHILDREN: dict[str, frozenset[str]] = {
    "": frozenset(("methodCall",)),
    "methodCall": frozenset(("methodName", "params")),
    "params": frozenset(("param",)),
    "param": frozenset(("value",)),
    "value": _SCALARS | {"array", "struct"},
    "array": frozenset(("data",)),
    "data": frozenset(("value",)),
    "struct": frozenset(("member",)),
    "member": frozenset(("name", "value")),
}
_TEXTUAL = _SCALARS | {"methodName", "name", "value"}
_NOTHING: frozenset[str] = frozenset()


def read(body: bytes) -> Request:
    """Read a request.  Raises MalformedRequest."""
    if len(body) > LONGEST_BODY:
        raise MalformedRequest(f"longer than {LONGEST_BODY} bytes")
    reader = _Reader()
    try:
        events(body, reader, "UTF-8")
    except expat.ExpatError:
        raise MalformedRequest("not XML") from None
    return reader.request()


class _Reader:
    """The open elements, each with what was inside it so far."""

    def __init__(self) -> None:
        self._tags = [""]
        self._insides: list[list[Any]] = [[]]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise MalformedRequest(f"more than {MOST_ELEMENTS} elements")
        if len(self._tags) > DEEPEST:
            raise MalformedRequest(f"more than {DEEPEST} levels")
        if tag not in _CHILDREN.get(self._tags[-1], _NOTHING):
            raise MalformedRequest("an element out of place")
        self._tags.append(tag)
        self._insides.append([])
        self._texts.append([])

    def text(self, text: str) -> None:
        self._texts[-1].append(text)

    def end(self, tag: str) -> None:
        self._tags.pop()
        inside, text = self._insides.pop(), "".join(self._texts.pop())
        if text and (inside or tag not in _TEXTUAL) and not text.isspace():
            raise MalformedRequest("text out of place")
        self._insides[-1].append((tag, _FINISH[tag](inside, text)))

    def document_type(self, *_: object) -> NoReturn:
        raise MalformedRequest("a document type")

    def request(self) -> Request:
        match self._insides[0]:
            case [("methodCall", [("methodName", str(method))])]:
                return Request(method, [])
            case [("methodCall", [("methodName", str(method)), ("params", parameters)])]:
                return Request(method, parameters)
        raise MalformedRequest("not a method call")


def _values(inside: list[Any], _text: str) -> list[Any]:
    return [value for _, value in inside]


def _only(inside: list[Any], _text: str) -> Any:
    if len(inside) != 1:
        raise MalformedRequest("not exactly one value")
    return inside[0][1]


def _value(inside: list[Any], text: str) -> Any:
    return _only(inside, text) if inside else text


def _member(inside: list[Any], _text: str) -> tuple[str, Any]:
    match inside:
        case [("name", str(name)), ("value", value)]:
            return name, value
    raise MalformedRequest("not a member")


def _struct(inside: list[Any], _text: str) -> dict[str, Any]:
    members = dict(member for _, member in inside)
    if len(members) != len(inside):
        raise MalformedRequest("a member twice")
    return members


def _integer(_inside: list[Any], text: str) -> int:
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        raise MalformedRequest("not an integer")
    return int(text)


def _double(_inside: list[Any], text: str) -> float:
    text = text.strip()
    try:
        if not _DOUBLE.fullmatch(text):
            raise ValueError
        return float(text)
    except ValueError:
        raise MalformedRequest("not a number") from None


def _boolean(_inside: list[Any], text: str) -> bool:
    if text.strip() not in ("0", "1"):
        raise MalformedRequest("not a truth value")
    return text.strip() == "1"


def _decoded(_inside: list[Any], text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        raise MalformedRequest("not text in base64") from None


def _nil(_inside: list[Any], text: str) -> None:
    if text.strip():
        raise MalformedRequest("text in nil")


def _verbatim(_inside: list[Any], text: str) -> str:
    return text


_FINISH: dict[str, Callable[[list[Any], str], Any]] = {
    "methodCall": lambda inside, _: inside,
    "methodName": lambda _, text: text.strip(),
    "params": _values,
    "param": _only,
    "value": _value,
    "array": _only,
    "data": _values,
    "struct": _struct,
    "member": _member,
    "name": _verbatim,
    "string": _verbatim,
    "dateTime.iso8601": lambda _, text: text.strip(),
    "int": _integer,
    "i4": _integer,
    "i8": _integer,
    "double": _double,
    "boolean": _boolean,
    "base64": _decoded,
    "nil": _nil,
}
