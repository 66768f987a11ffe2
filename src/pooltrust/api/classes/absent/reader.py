"""Classes without objects, made from a table when somebody asks for one.

General clients ask for every class when they connect, and take each answer as the pool's word that
it has none.  There are too many to be made at start: fields.py and calls.py are read instead.

A field is its name; ``!`` if users may set it, ``.`` if it never changes; ``?`` if nobody sees it;
``:`` and its type unless that is string; ``=`` and its default if it has one, nothing for the empty
value.  Types: i, f, b, s (string), d (datetime), m (a map of strings), ``@`` and a class, ``#`` and
an enumeration, ``*`` behind one for a set of it, ``{key>item}`` a map.  A class with ``~`` can't be
listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from pooltrust.api import roles
from pooltrust.api.classes.absent import calls, fields
from pooltrust.api.declare import implicit
from pooltrust.api.declare.call import CALLS, Call, Parameter, Where
from pooltrust.api.declare.record import EVERYTHING, LISTING, UNPUBLISHED, Class, Field, Kind
from pooltrust.api.declare.values import STRING, VOID, Ref, Type, map_of, reference, set_of, type_of
from pooltrust.errors import NotImplementedHere

_FIELD = re.compile(r"(\w+)([!.]?)(\??)(?::([^=]+))?(?:=(.*))?", re.ASCII)
_KINDS = {"": Kind.DYNAMIC, "!": Kind.RW, ".": Kind.STATIC}
_ANYTHING = Parameter("arguments", Type("value", None, lambda raw: raw), "Not looked at.", None)


def _lines(table: str) -> dict[str, str]:
    """By class, what is said behind its name; a line that goes on is indented."""
    whole = table.replace("\n  ", " ").strip().split("\n")
    return {name: said for name, _, said in (line.partition(" ") for line in whole)}


_FIELDS = _lines(fields.FIELDS)
_CALLS = _lines(calls.CALLS)


class Nowhere:
    """The source of classes without objects."""

    runs = Where.HERE

    def rows(self, context: Any, cls: type) -> Mapping[Ref, Any]:
        """None."""
        return {}

    async def change(
        self, context: Any, cls: type, ref: Ref, field: str, edit: Callable[[Any], Any], caller: Any
    ) -> None:
        """Never called: there is nothing to change."""


def absent_classes() -> tuple[str, ...]:
    """The name of each class that has no objects."""
    return tuple(_FIELDS)


@cache
def absent_class(name: str) -> Class:
    """One of them.  Raises KeyError."""
    words = _FIELDS[name].split()
    declared = {field.name: field for field in map(_field, words) if field}
    shown = tuple(field.name for field in declared.values() if not field.hidden)
    listing = frozenset() if "~" in words else LISTING
    named = frozenset(("get_by_name_label",) if "name_label" in declared else ())
    return Class(
        name=name,
        doc="A pool of hosts has none.",
        python=Nowhere,
        fields=declared,
        implicit=(EVERYTHING - LISTING) | listing | named,
        source=Nowhere(),
        role=roles.READ_ONLY,
        getters=True,
        listed=None,
        expressions={},
        reference=reference(name),
        record=Type(f"{name} record", None, lambda raw: raw),
        evented=True,
        visible=shown,
        pick=attrgetter(*shown),
    )


@lru_cache(maxsize=256)
def find_absent(name: str) -> Call | None:
    """The call of this name, in either spelling, of a class without objects or not done here."""
    for cls in _FIELDS | _CALLS:
        if name.startswith((f"{cls}.", f"{cls}_")):
            method = name[len(cls) + 1 :]
            if method in _CALLS.get(cls, "").split():
                return _refused(f"{cls}.{method}")
            if f"{cls}.{method}" in absent_calls():
                made = implicit.calls_of(absent_class(cls))
                return next(call for call in made if call.name == f"{cls}.{method}")
    return None


@lru_cache(maxsize=1)
def absent_calls() -> Mapping[str, None]:
    """The name of every call that is answered as a pool without such objects answers."""
    every = (implicit.calls_of(absent_class(name)) for name in _FIELDS)
    return dict.fromkeys(call.name for calls in every for call in calls)


def refused_calls() -> Iterator[str]:
    """The name of every published call that is not done here."""
    every = (f"{cls}.{method}" for cls, methods in _CALLS.items() for method in methods.split())
    return (name for name in every if name not in CALLS)


def _refused(name: str) -> Call:
    async def run(context: Any, _caller: Any, _arguments: Sequence[Any]) -> None:
        raise NotImplementedHere(function=name)

    return Call(
        name=name,
        doc="Not done here.",
        parameters=(_ANYTHING,),
        result=VOID,
        role=roles.READ_ONLY,
        holders=roles.holders(roles.READ_ONLY),
        runs=Where.HERE,
        run=run,
        raises=(NotImplementedHere,),
        is_async=True,
        hidden=True,
    )


def _field(word: str) -> Field | None:
    found = _FIELD.fullmatch(word)
    if found is None:
        return None
    name, mark, unseen, spelled, default = found.groups()
    of = _type(spelled or "s")
    given = UNPUBLISHED if default is None else _default(of, default)
    kind, hidden = _KINDS[mark], bool(unseen)
    return Field(
        name=name, type=of, kind=kind, doc="", default=given, hidden=hidden, role=roles.READ_ONLY
    )


_PLAIN = {
    "s": STRING,
    "i": type_of(int),
    "f": type_of(float),
    "b": type_of(bool),
    "d": type_of(datetime),
    "m": map_of(STRING, STRING),
}


def _type(spelled: str) -> Type:
    if spelled.endswith("*"):
        return set_of(_type(spelled[:-1]))
    match spelled[0]:
        case "@":
            return reference(spelled[1:])
        case "#":
            return Type(f"enum {spelled[1:]}", "", STRING.read)
        case "{":
            key, _, item = spelled[1:-1].partition(">")
            of, to = _type(key), _type(item)
            # Numbers can't be keys on the wire; nobody ever reads or writes such a map.
            return Type(f"({of.name} -> {to.name}) map", {}, _ANYTHING.type.read, key=of, item=to)
    return _PLAIN[spelled]


class _Name(str):
    """A default that is a choice or a reference, not text."""


def _default(of: Type, said: str) -> Any:
    if not said:
        return of.zero
    match of.zero:
        case bool():
            return said == "true"
        case int() | float():
            return type(of.zero)(said)
        case dict():
            return dict(re.findall(r'"(\w+)"->"(\w+)"', said))
    return said if of is STRING else _Name(said)
