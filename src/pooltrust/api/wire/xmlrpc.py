"""XML-RPC: answers written compactly, because clients break on white space between tags.

Integers travel as text, `Int32` alone as ``<i4>``; text has no tag of its own; nothing is a
``<fault>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pooltrust.api.declare.record import class_of, declared
from pooltrust.api.declare.values import ILLEGAL_TEXT, Int32, compact
from pooltrust.api.wire.kept import Kept
from pooltrust.api.wire.message import Request, Wire
from pooltrust.api.wire.xmlread import read

_SPECIAL = re.compile('[&<>"]')
_HEAD = '<?xml version="1.0"?><methodResponse><params><param>'
_TAIL = "</param></params></methodResponse>"
_STATUS = (
    "<value><struct><member><name>Status</name><value>{}</value></member><member><name>{}</name>"
)
_END = "</member></struct></value>"
_SUCCESS = _HEAD + _STATUS.format("Success", "Value")
_FAILURE = _HEAD + _STATUS.format("Failure", "ErrorDescription")


def encode(value: Any) -> str:
    """A value of the API as ``<value>…</value>``.  Raises TypeError for anything else."""
    out: list[str] = []
    _write(value, out.append)
    return "".join(out)


Put = Callable[[str], None]


def _write(value: Any, put: Put) -> None:
    writer = _WRITERS.get(type(value))
    if writer is None:
        writer = _writer_of(value)
    writer(value, put)


def _writer_of(value: Any) -> Callable[[Any, Put], None]:
    """For what is not of exactly one of the types below: enums, other mappings, records."""
    if isinstance(value, str):
        return _text
    if isinstance(value, Mapping):
        return _struct
    if declared(value) is not None:
        return _record
    raise TypeError(f"{type(value).__name__} is no value of the API")


def escaped(text: str) -> str:
    """Text for XML, without the characters that no XML document may hold."""
    text = str(text)
    if ILLEGAL_TEXT.search(text):
        text = ILLEGAL_TEXT.sub("", text)
    if not _SPECIAL.search(text):
        return text
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", "&gt;").replace('"', "&quot;")


def _text(value: str, put: Put) -> None:
    put(f"<value>{escaped(value)}</value>")


def _integer(value: int, put: Put) -> None:
    put(f"<value>{value:d}</value>")


def _int32(value: int, put: Put) -> None:
    put(f"<value><i4>{value:d}</i4></value>")


def _float(value: float, put: Put) -> None:
    put(f"<value><double>{value:.16g}</double></value>")


def _boolean(value: bool, put: Put) -> None:
    put("<value><boolean>1</boolean></value>" if value else "<value><boolean>0</boolean></value>")


def _date(value: datetime, put: Put) -> None:
    put(f"<value><dateTime.iso8601>{compact(value)}</dateTime.iso8601></value>")


def _nil(_value: None, put: Put) -> None:
    put("<value><nil/></value>")


def _array(value: list[Any] | tuple[Any, ...], put: Put) -> None:
    put("<value><array><data>")
    for item in value:
        _write(item, put)
    put("</data></array></value>")


def _struct(value: Mapping[Any, Any], put: Put) -> None:
    put("<value><struct>")
    for name, item in value.items():
        put(f"<member><name>{escaped(name)}</name>")
        _write(item, put)
        put("</member>")
    put("</struct></value>")


_KEPT: Kept[str] = Kept()


def _record(value: Any, put: Put) -> None:
    written = _KEPT.find(value)
    if written is None:
        cls = class_of(type(value))
        whole: list[str] = []
        _struct(cls.values(value), whole.append)
        written = "".join(whole)
        if cls.evented:
            _KEPT.keep(value, written)
    put(written)


_WRITERS: dict[type, Callable[[Any, Put], None]] = {
    str: _text,
    int: _integer,
    Int32: _int32,
    float: _float,
    bool: _boolean,
    datetime: _date,
    type(None): _nil,
    list: _array,
    tuple: _array,
    dict: _struct,
}


def success(_request: Request, value: Any) -> bytes:
    """The answer of a call that worked."""
    return f"{_SUCCESS}{encode(value)}{_END}{_TAIL}".encode()


def bare(_request: Request, value: Any) -> bytes:
    """An answer that is the value alone."""
    return f"{_HEAD}{encode(value)}{_TAIL}".encode()


def failure(_request: Request, description: list[str]) -> bytes:
    """The answer of a call that failed: its code and parameters."""
    return f"{_FAILURE}{encode(description)}{_END}{_TAIL}".encode()


XML = Wire(
    name="XML-RPC",
    content_type="text/xml",
    read=read,
    success=success,
    bare=bare,
    failure=failure,
)
