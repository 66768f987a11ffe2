"""One API class is one frozen dataclass: `@record("pool")` over fields of `ro`, `static` and `rw`.

Getters, setters and everything else that a class has unasked follows from it: see implicit.py.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING, dataclass
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, dataclass_transform, get_type_hints

from pooltrust.api.declare import implicit
from pooltrust.api.declare.call import Where, register
from pooltrust.api.declare.values import Ref, Type, WrongType, reference, type_of


class Kind(StrEnum):
    """Who changes a field: users, the daemon, or nobody once the object is there."""

    RW = "RW"
    DYNAMIC = "DynamicRO"
    STATIC = "StaticRO"


NO_KEYS: Mapping[str, str] = MappingProxyType({})
UNPUBLISHED: Any = MISSING
"""The default of a field that has none in the API: rows then hold the empty value of its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a class.  `role` may set it, `keys` loosens that for some keys of a map."""

    name: str = ""
    type: Type = dataclasses.field(default_factory=lambda: type_of(str))
    kind: Kind
    doc: str
    default: Any = UNPUBLISHED
    hidden: bool = False
    role: str = ""
    client_cert: bool = False
    keys: Mapping[str, str] = dataclasses.field(default_factory=lambda: NO_KEYS)


def ro(doc: str, default: Any = UNPUBLISHED, *, hidden: bool = False) -> Any:
    """A field that only the daemon changes."""
    return _declared(Field(kind=Kind.DYNAMIC, doc=doc, default=default, hidden=hidden))


def static(doc: str, default: Any = UNPUBLISHED) -> Any:
    """A field that never changes."""
    return _declared(Field(kind=Kind.STATIC, doc=doc, default=default))


def rw(
    doc: str,
    default: Any = UNPUBLISHED,
    *,
    role: str = "pool-operator",
    client_cert: bool = False,
    keys: Mapping[str, str] = NO_KEYS,
) -> Any:
    """A field that users of this role, and of those above it, may set."""
    kind, given = Kind.RW, MappingProxyType(keys)
    return _declared(
        Field(kind=kind, doc=doc, default=default, role=role, client_cert=client_cert, keys=given)
    )


def _declared(declared: Field) -> Any:
    return dataclasses.field(metadata={"api": declared})


class Source(Protocol):
    """Where the rows of a class are.  `edit` makes the new value from the one at that moment."""

    @property
    def runs(self) -> Where:
        """Which host has them."""

    def rows(self, context: Any, cls: type) -> Mapping[Ref, Any]:
        """Every object of the class."""

    def change(
        self, context: Any, cls: type, ref: Ref, field: str, edit: Callable[[Any], Any], caller: Any
    ) -> Awaitable[None]:
        """Set one field of one object, which exists."""


class OfTheContext:
    """The usual source: the coordinator's context keeps the rows."""

    runs = Where.COORDINATOR

    def rows(self, context: Any, cls: type) -> Mapping[Ref, Any]:
        """Every object of the class."""
        rows: Mapping[Ref, Any] = context.records(cls)
        return rows

    async def change(
        self, context: Any, cls: type, ref: Ref, field: str, edit: Callable[[Any], Any], caller: Any
    ) -> None:
        """Set one field of one object."""
        await context.change(cls, ref, field, edit, caller)


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A declared class of the API.

    `implicit` names the calls over the whole class that it has; `listed` says which rows get_all
    gives, and `expressions` are texts that get_all_where knows besides its grammar.
    """

    name: str
    doc: str
    python: type
    fields: Mapping[str, Field]
    implicit: frozenset[str]
    source: Source
    listed: Callable[[Any], bool] | None
    expressions: Mapping[str, Callable[[Any], bool]]
    reference: Type
    record: Type
    evented: bool
    visible: tuple[str, ...]
    pick: Callable[[Any], tuple[Any, ...]]

    def values(self, record: Any) -> dict[str, Any]:
        """The visible fields of a record of this class."""
        return dict(zip(self.visible, self.pick(record), strict=True))

    def rows(self, context: Any) -> Mapping[Ref, Any]:
        """Every object of this class."""
        return self.source.rows(context, self.python)


CLASSES: dict[str, Class] = {}
"""Every declared class by its name."""

_BY_PYTHON: dict[type, Class] = {}


def class_of(python: type) -> Class:
    """The declaration of a record's Python class.  Raises KeyError."""
    return _BY_PYTHON[python]


def visible(record: Any) -> dict[str, Any] | None:
    """A record as the struct that clients see; None if this is no record."""
    found = _BY_PYTHON.get(type(record))
    return None if found is None else found.values(record)


T = TypeVar("T")
LISTING = frozenset({"get_all", "get_all_records", "get_all_where", "get_all_records_where"})
EVERYTHING = LISTING | {"get_record", "get_by_uuid"}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(
    name: str,
    *,
    calls: frozenset[str] = EVERYTHING,
    source: Source | None = None,
    listed: Callable[[Any], bool] | None = None,
    expressions: Mapping[str, Callable[[Any], bool]] = MappingProxyType({}),
    evented: bool = True,
) -> Callable[[type[T]], type[T]]:
    """Declare a class and register its calls.

    Raises TypeError for a missing docstring, a field that is not made by `ro`, `static` or `rw`,
    one without words, and a type that the API does not have.
    """

    def declare(cls: type[T]) -> type[T]:
        if not (cls.__doc__ or "").strip():
            raise TypeError(f"class {name} needs a docstring")
        if name in CLASSES:
            raise TypeError(f"class {name} is declared twice")
        fields = _fields(name, cls)
        python: type[T] = dataclass(frozen=True, kw_only=True, slots=True)(cls)
        shown = tuple(f.name for f in fields.values() if not f.hidden)
        declared = Class(
            name=name,
            doc=inspect.cleandoc(cls.__doc__ or ""),
            python=python,
            fields=MappingProxyType(fields),
            implicit=calls,
            source=source or OfTheContext(),
            listed=listed,
            expressions=MappingProxyType(dict(expressions)),
            reference=reference(name),
            record=Type(f"{name} record", None, _reader(python, fields, shown)),
            evented=evented,
            visible=shown,
            pick=attrgetter(*shown),
        )
        CLASSES[name] = _BY_PYTHON[python] = declared
        for made in implicit.calls_of(declared):
            register(made)
        return python

    return declare


def _fields(cls_name: str, cls: type) -> dict[str, Field]:
    """The declared fields; gives the dataclass its defaults on the way."""
    found: dict[str, Field] = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        given = cls.__dict__.get(name)
        declared = given.metadata.get("api") if isinstance(given, dataclasses.Field) else None
        if not isinstance(declared, Field) or not declared.doc.strip():
            raise TypeError(f"{cls_name}.{name} must be made by ro, static or rw, with its words")
        of_api = type_of(hint)
        found[name] = dataclasses.replace(declared, name=name, type=of_api)
        if name != "uuid":
            value = of_api.zero if declared.default is UNPUBLISHED else declared.default
            setattr(cls, name, _with_default(value))
    return found


def _with_default(value: Any) -> Any:
    if isinstance(value, dict | list):
        return dataclasses.field(default_factory=lambda: type(value)(value))
    return dataclasses.field(default=value)


def _reader(
    python: type, fields: Mapping[str, Field], shown: tuple[str, ...]
) -> Callable[[Any], Any]:
    """Reads a record back from the struct that clients see, as a forwarded call answers it."""

    def read(raw: Any) -> Any:
        if type(raw) is python:
            return raw
        if not isinstance(raw, dict) or raw.keys() != set(shown):
            raise WrongType
        return python(**{name: fields[name].type.read(value) for name, value in raw.items()})

    return read
