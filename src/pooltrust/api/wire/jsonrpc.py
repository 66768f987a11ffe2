"""JSON-RPC, versions 1 and 2, one request a body.

An answer has its request's version and id.  Integers are numbers, dates are compact text.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from pooltrust.api.declare.record import declared
from pooltrust.api.declare.values import compact
from pooltrust.api.wire.kept import Kept
from pooltrust.api.wire.message import DEEPEST, LONGEST_BODY, MalformedRequest, Request, Wire

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class Envelope(NamedTuple):
    """The version (1 or 2) and id of a request."""

    version: int
    id: int | str


def read(body: bytes) -> Request:
    """Read a request.  Raises MalformedRequest."""
    if len(body) > LONGEST_BODY:
        raise MalformedRequest(f"longer than {LONGEST_BODY} bytes")
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedRequest("not JSON") from None
    if not isinstance(message, dict):
        raise MalformedRequest("not one request")
    method, number = message.get("method"), message.get("id")
    if not isinstance(method, str):
        raise MalformedRequest("no method")
    if not isinstance(number, int | str) or isinstance(number, bool):
        raise MalformedRequest("no id")
    version = 2 if message.get("jsonrpc") == "2.0" else 1
    parameters = _parameters(message.get("params"), version)
    _bounded(parameters)
    return Request(method, parameters, Envelope(version, number))


def _parameters(given: Any, version: int) -> list[Any]:
    if isinstance(given, list):
        return given
    if version == 2 and given is None:
        return []
    if version == 2 and isinstance(given, dict):
        return [given]
    raise MalformedRequest("no list of parameters")


def _bounded(parameters: list[Any]) -> None:
    """Refuse deep nesting, level by level, so that nothing here recurses."""
    level: list[Any] = [item for item in parameters if isinstance(item, list | dict)]
    depth = 1
    while level:
        depth += 1
        if depth > DEEPEST:
            raise MalformedRequest(f"more than {DEEPEST} levels")
        level = [item for one in level for item in _inside(one) if isinstance(item, list | dict)]


def _inside(container: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def encode(value: Any) -> bytes:
    """A value of the API as JSON.  Raises TypeError for anything else."""
    return orjson.dumps(value, _plain, _OPTIONS)


_KEPT: Kept[bytes] = Kept()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return compact(value)
    written = _KEPT.find(value)
    if written is None:
        cls = declared(value)
        if cls is None:
            raise TypeError(f"{type(value).__name__} is no value of the API")
        written = encode(cls.values(value))
        if cls.evented:
            _KEPT.keep(value, written)
    return orjson.Fragment(written)


def success(request: Request, value: Any) -> bytes:
    """The answer of a call that worked."""
    envelope = request.envelope
    if envelope.version == 2:
        return encode({"jsonrpc": "2.0", "result": value, "id": envelope.id})
    return encode({"result": value, "error": None, "id": envelope.id})


def failure(request: Request, description: list[str]) -> bytes:
    """The answer of a call that failed, by its code and parameters."""
    envelope = request.envelope
    if envelope.version == 2:
        error = {"code": 1, "message": description[0], "data": description[1:]}
        return encode({"jsonrpc": "2.0", "error": error, "id": envelope.id})
    return encode({"result": None, "error": description, "id": envelope.id})


JSON = Wire(
    name="JSON-RPC",
    content_type="application/json",
    read=read,
    success=success,
    bare=success,
    failure=failure,
)
