"""The types of the API, read from Python annotations once, at import.

A `Type` knows its name as the API spells it, its empty value, and how to read a decoded wire value
into Python.  The other direction needs no type: see wire/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from types import NoneType
from typing import Annotated, Any, NewType, TypeVar, get_args, get_origin
from uuid import UUID, uuid5

from pooltrust.errors import InvalidText, InvalidValue

Ref = NewType("Ref", str)
"""An opaque reference: ``OpaqueRef:`` and a UUID, which is not the object's own."""

NULL = Ref("OpaqueRef:NULL")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SPACE = UUID("5f1c0f6e-0a56-4c2e-8f5c-7e1d4ce6a8b1")
_DATE = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,4})?", re.ASCII)
ILLEGAL_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold, and so no string of the API."""


class WrongType(ValueError):
    """A value of another shape than the parameter has."""


@dataclass(frozen=True, slots=True)
class Of:
    """In an annotation: references to this class of objects."""

    cls: str


class Int32(int):
    """An integer that XML-RPC carries as a number; every other one travels as text."""


@dataclass(frozen=True, slots=True)
class Type:
    """One type of the API.

    `read` takes what a decoder made of a parameter and raises `WrongType`, or `InvalidValue` for
    text that is of the right shape but means nothing.
    """

    name: str
    zero: Any
    read: Callable[[Any], Any]
    refers_to: str = ""
    choices: tuple[str, ...] = ()
    key: Type | None = None
    item: Type | None = None


def type_of(annotation: Any) -> Type:
    """The API type of a Python annotation, or the one that is given in it.

    Raises TypeError for one that the API does not have.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for mark in inner[1:]:
            if isinstance(mark, Of | Type):
                return reference(mark.cls) if isinstance(mark, Of) else mark
        return type_of(inner[0])
    if origin is list or (origin is tuple and len(inner) == 2 and inner[1] is Ellipsis):
        return set_of(type_of(inner[0]), origin)
    if origin in (dict, Mapping):
        return map_of(type_of(inner[0]), type_of(inner[1]))
    if isinstance(annotation, type) and annotation in _ENUMS:
        return _enumeration(annotation)
    try:
        return _PLAIN[annotation]
    except (KeyError, TypeError):
        raise TypeError(f"{annotation!r} is no type of the API") from None


def reference(cls: str) -> Type:
    """References to objects of one class."""
    return Type(f"{cls} ref", NULL, _read_text, refers_to=cls)


def set_of(inner: Type, container: type = list) -> Type:
    """An API set: on the wire an array."""

    def read(raw: Any) -> Any:
        if not isinstance(raw, list | tuple):
            raise WrongType
        return container(inner.read(item) for item in raw)

    return Type(f"{inner.name} set", container(), read, item=inner)


def map_of(key: Type, value: Type) -> Type:
    """An API map: on the wire a struct, so its keys are text."""
    if not isinstance(key.zero, str):
        raise TypeError(f"a map can't have {key.name} keys")

    def read(raw: Any) -> dict[Any, Any]:
        if not isinstance(raw, dict):
            raise WrongType
        return {key.read(name): value.read(item) for name, item in raw.items()}

    return Type(f"({key.name} -> {value.name}) map", {}, read, key=key, item=value)


def is_a_type(python: type, of: Type) -> None:
    """From now on this Python class, in an annotation, is a type of the API: a record."""
    _PLAIN[python] = of


E = TypeVar("E", bound=type[StrEnum])
_ENUMS: dict[type, str] = {}


def enumeration(name: str) -> Callable[[E], E]:
    """Declare an enumeration under its API name.  Raises TypeError for a second of that name."""

    def declare(cls: E) -> E:
        if name in _ENUMS.values():
            raise TypeError(f"enum {name} is declared twice")
        _ENUMS[cls] = name
        return cls

    return declare


def _enumeration(cls: type[StrEnum]) -> Type:
    members = {member.value: member for member in cls}

    def read(raw: Any) -> StrEnum:
        if not isinstance(raw, str):
            raise WrongType
        if raw not in members:
            raise InvalidText(field=_ENUMS[cls], value=_read_text(raw))
        return members[raw]

    return Type(f"enum {_ENUMS[cls]}", next(iter(cls)), read, choices=tuple(members))


@lru_cache(maxsize=4096)
def ref_of(cls: str, uuid: str) -> Ref:
    """The reference of one object: it follows from class and UUID, and differs from the UUID."""
    return Ref(f"OpaqueRef:{uuid5(_SPACE, f'{cls}:{uuid}')}")


def named_uuid(*facts: str) -> str:
    """The UUID of an object that has none of its own, from what it is."""
    return str(uuid5(_SPACE, "\0".join(facts)))


def compact(when: datetime) -> str:
    """A date as the API writes it, ``20240131T23:59:59Z``."""
    when = when.astimezone(UTC)
    return f"{when.year:04}{when.month:02}{when.day:02}T{when:%H:%M:%S}Z"


def read_date(raw: Any) -> datetime:
    """Read ISO 8601, basic or RFC 3339; without a zone it is UTC.  A fraction is dropped."""
    if isinstance(raw, datetime):
        return raw
    if not isinstance(raw, str):
        raise WrongType
    found = _DATE.fullmatch(raw)
    try:
        if found is None:
            raise ValueError(raw)
        zone = (found[7] or "Z").upper().replace("Z", "+00:00")
        return datetime.fromisoformat(
            f"{found[1]}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6]}{zone}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidText(field="date", value=_read_text(raw)) from None


def _read_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise WrongType
    if ILLEGAL_TEXT.search(raw):
        raise InvalidValue(field="Invalid UTF-8 string in parameter", value=raw)
    return raw


def _read_integer(raw: Any) -> int:
    if isinstance(raw, str) and _INTEGER.fullmatch(raw):
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not -(2**63) <= raw < 2**63:
        raise WrongType
    return raw


def _read_float(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise WrongType
    if isinstance(raw, str) and not _NUMBER.fullmatch(raw):
        raise WrongType
    try:
        number = float(raw)
    except OverflowError:
        raise WrongType from None
    if not math.isfinite(number):
        raise WrongType
    return number


def _read_bool(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise WrongType
    return raw


def _read_void(raw: Any) -> None:
    if raw not in (None, ""):
        raise WrongType


STRING = Type("string", "", _read_text)
VOID = Type("void", None, _read_void)
_PLAIN: dict[Any, Type] = {
    str: STRING,
    int: Type("int", 0, _read_integer),
    Int32: Type("int32", Int32(0), lambda raw: Int32(_read_integer(raw))),
    float: Type("float", 0.0, _read_float),
    bool: Type("bool", False, _read_bool),
    datetime: Type("datetime", EPOCH, read_date),
    None: VOID,
    NoneType: VOID,
}
