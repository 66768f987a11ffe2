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
from pooltrust.api.declare.values import Ref, Type, WrongType, is_a_type, reference, type_of
from pooltrust.api.roles import READ_ONLY
from pooltrust.errors import FieldTypeError


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
    """One field of a class.

    `role` may set it, `keys` loosens that for some keys of a map; `reader` may look at it.
    """

    name: str = ""
    type: Type = dataclasses.field(default_factory=lambda: type_of(str))
    kind: Kind
    doc: str
    default: Any = UNPUBLISHED
    hidden: bool = False
    role: str = ""
    client_cert: bool = False
    keys: Mapping[str, str] = dataclasses.field(default_factory=lambda: NO_KEYS)
    reader: str = READ_ONLY


def ro(
    doc: str,
    default: Any = UNPUBLISHED,
    *,
    hidden: bool = False,
    keys: Mapping[str, str] = NO_KEYS,
    reader: str = READ_ONLY,
) -> Any:
    """A field that only the daemon changes, or calls of its own."""
    return _declared(
        Field(kind=Kind.DYNAMIC, doc=doc, default=default, hidden=hidden, keys=keys, reader=reader)
    )


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
    reader: str = READ_ONLY,
) -> Any:
    """A field that users of this role, and of those above it, may set."""
    return _declared(
        Field(
            kind=Kind.RW,
            doc=doc,
            default=default,
            role=role,
            client_cert=client_cert,
            keys=MappingProxyType(keys),
            reader=reader,
        )
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

    async def create(self, context: Any, cls: type, values: Mapping[str, Any], caller: Any) -> Ref:
        """Make an object of these fields."""
        ref: Ref = await context.create(cls, values, caller)
        return ref

    async def destroy(self, context: Any, cls: type, ref: Ref, caller: Any) -> None:
        """Remove an object, which exists."""
        await context.destroy(cls, [ref], caller)


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A declared class of the API.

    `implicit` names the calls over the whole class that it has; `listed` says which rows get_all
    gives, and `expressions` are texts that get_all_where knows besides its grammar.  `role` may
    look at its objects, and make and remove them where users can.  A class without `getters` has no
    call for a single field, and hides none of those that it has.
    """

    name: str
    doc: str
    python: type
    fields: Mapping[str, Field]
    implicit: frozenset[str]
    source: Source
    role: str
    getters: bool
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

    def given(self, raw: Any) -> dict[str, Any]:
        """Read the record that `create` takes: the fields that are chosen when an object is made.

        The others may be there and count for nothing.  Raises WrongType, and FieldTypeError for a
        field that is missing, unknown, or of another type.
        """
        if not isinstance(raw, dict):
            raise WrongType
        for name in raw.keys() - self.fields.keys():
            raise FieldTypeError(field=str(name))
        chosen = (field for field in self.fields.values() if field.kind is not Kind.DYNAMIC)
        return {field.name: _chosen(field, raw) for field in chosen}


def _chosen(field: Field, raw: dict[str, Any]) -> Any:
    if field.name not in raw and field.default is not UNPUBLISHED:
        return field.default
    try:
        return field.type.read(raw[field.name])
    except (KeyError, WrongType):
        raise FieldTypeError(field=field.name) from None


CLASSES: dict[str, Class] = {}
"""Every declared class by its name."""

_BY_PYTHON: dict[type, Class] = {}


def class_of(python: type) -> Class:
    """The declaration of a record's Python class.  Raises KeyError."""
    return _BY_PYTHON[python]


def declared(value: Any) -> Class | None:
    """The class of a record; None if this is no record."""
    return _BY_PYTHON.get(type(value))


def evented(context: Any) -> dict[str, Mapping[Ref, Any]]:
    """Every object of which events tell, by class, in lower case, and reference."""
    return {one.name.lower(): one.rows(context) for one in CLASSES.values() if one.evented}


T = TypeVar("T")
MAKING = frozenset({"create", "destroy"})
LISTING = frozenset({"get_all", "get_all_records", "get_all_where", "get_all_records_where"})
EVERYTHING = LISTING | {"get_record", "get_by_uuid"}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def record(
    name: str,
    *,
    calls: frozenset[str] = EVERYTHING,
    source: Source | None = None,
    role: str = READ_ONLY,
    getters: bool = True,
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
            fields=MappingProxyType({f.name: f for f in fields.values()}),
            implicit=calls,
            source=source or OfTheContext(),
            role=role,
            getters=getters,
            listed=listed,
            expressions=MappingProxyType(dict(expressions)),
            reference=reference(name),
            record=Type(f"{name} record", None, _reader(python, fields)),
            evented=evented,
            visible=shown,
            pick=attrgetter(*(key for key, field in fields.items() if not field.hidden)),
        )
        CLASSES[name] = _BY_PYTHON[python] = declared
        is_a_type(python, declared.record)
        for made in implicit.calls_of(declared):
            register(made)
        return python

    return declare


def _fields(cls_name: str, cls: type) -> dict[str, Field]:
    """The declared fields by their Python names, which end in ``_`` where Python has the word.

    Gives the dataclass its defaults on the way.
    """
    found: dict[str, Field] = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        given = cls.__dict__.get(name)
        declared = given.metadata.get("api") if isinstance(given, dataclasses.Field) else None
        if not isinstance(declared, Field) or not declared.doc.strip():
            raise TypeError(f"{cls_name}.{name} must be made by ro, static or rw, with its words")
        of_api = type_of(hint)
        found[name] = dataclasses.replace(declared, name=name.rstrip("_"), type=of_api)
        if name != "uuid":
            value = of_api.zero if declared.default is UNPUBLISHED else declared.default
            setattr(cls, name, _with_default(value))
    return found


def _with_default(value: Any) -> Any:
    if isinstance(value, dict | list):
        return dataclasses.field(default_factory=lambda: type(value)(value))
    return dataclasses.field(default=value)


def _reader(python: type, fields: Mapping[str, Field]) -> Callable[[Any], Any]:
    """Reads a record back from the struct that clients see, as a forwarded call answers it."""
    shown = {field.name: (key, field) for key, field in fields.items() if not field.hidden}

    def read(raw: Any) -> Any:
        if type(raw) is python:
            return raw
        if not isinstance(raw, dict) or raw.keys() != shown.keys():
            raise WrongType
        return python(**{key: field.type.read(raw[name]) for name, (key, field) in shown.items()})

    return read


def constructed(python: type) -> Type:
    """The record that a constructor takes: see `Class.given`, whose dictionary it becomes."""
    declared = class_of(python)
    return Type(declared.record.name, None, declared.given)
