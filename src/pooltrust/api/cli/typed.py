"""What somebody would have typed: the line of `xe` that does what a call does.

Pure.  No secret and no file's content is ever in it: a word in capitals stands for each, and for an
object that is not there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pooltrust.api.cli.command import COMMANDS
from pooltrust.api.cli.fields import NAMES, Listed, listed
from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.words import STANDARD
from pooltrust.api.declare.call import Call, Parameter
from pooltrust.api.declare.values import NULL, Type

Uuids = Callable[[str], Mapping[str, str]]
"""The UUIDs of a class's objects by their references."""
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OWN = frozenset({"uuid", "param-name", "param-key"})


def command_line(call: Call, arguments: Sequence[Any], uuids: Uuids) -> str:
    """The line for a shell; empty if no command does it.  `arguments` are of the call's types."""
    pairs = list(zip(call.parameters, arguments, strict=False))
    if call.name in _irregular():
        name, words = _irregular()[call.name]
        return _line(name, _filled(words, pairs, uuids))
    if call.cli:
        return _line(call.cli, _regular(pairs, uuids))
    for of in _with_commands():
        if of.cls == call.cls:
            return _line(*_of_a_class(of, call, pairs, uuids))
    return ""


def _line(name: str = "", words: Iterator[str] | Sequence[str] = ()) -> str:
    line = ("xe", name, *words)
    # What comes after a line break would be read as a word of its own, and other control characters
    # are keys to the terminal that the line is pasted into: one deletes, another ends the paste.
    return shlex.join(line) if name and not any(map(_CONTROL.search, line)) else ""


@cache
def _irregular() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Command and words of each call whose command says itself what it does."""
    found = {}
    for one in COMMANDS.values():
        for line in one.does:
            method, *words = line.split()
            found[method] = one.name, tuple(words)
    return found


@cache
def _with_commands() -> tuple[Listed, ...]:
    return tuple(listed(name) for name in NAMES)


def _filled(
    words: Sequence[str], pairs: Sequence[tuple[Parameter, Any]], uuids: Uuids
) -> Iterator[str]:
    """Words with values in their places; a word without a value is left out."""
    texts = {parameter.name: _text(parameter, value, uuids) for parameter, value in pairs}
    for word in words:
        place = _PLACE.search(word)
        if place is None:
            yield word
        elif text := texts.get(place[1], ""):
            yield word.replace(place[0], place[2] or text)


def _regular(pairs: Sequence[tuple[Parameter, Any]], uuids: Uuids) -> Iterator[str]:
    """The words of a command that follows from a declaration; see declared.py."""
    for parameter, value in pairs:
        of = parameter.type
        if of.key is not None:
            yield from (f"{parameter.cli}:{key}={one}" for key, one in value.items())
        elif of.refers_to == "host":
            yield f"host={_text(parameter, value, uuids)}"
        elif of.refers_to != "pool" and value != parameter.default:
            yield f"{parameter.cli}={_text(parameter, value, uuids)}"


def _text(parameter: Parameter, value: Any, uuids: Uuids) -> str:
    if parameter.secret:
        return parameter.cli.upper()
    if parameter.type.key is not None:
        return ", ".join(f"{key}={one}" for key, one in value.items())
    if parameter.type.item is not None:
        return ",".join(_plain(parameter.type.item, one, uuids) for one in value)
    return _plain(parameter.type, value, uuids)


def _plain(of: Type, value: Any, uuids: Uuids) -> str:
    if not of.refers_to:
        return show.text(of, value, {})
    if value in ("", NULL):
        return ""
    return uuids(of.refers_to).get(value, f"{of.refers_to.upper()}-UUID")


def _of_a_class(
    of: Listed, call: Call, pairs: Sequence[tuple[Parameter, Any]], uuids: Uuids
) -> tuple[str, Sequence[str]] | tuple[()]:
    """Command and words of a call that every class has."""
    method = call.name.partition(".")[2]
    if method in ("get_all", "get_all_records"):
        return f"{of.name}-list", ()
    texts = [_text(*pair, uuids) for pair in pairs]
    names = {one.field: one.name for one in of.fields.values()}
    if method.startswith("get_by_") and (field := names.get(method.removeprefix("get_by_"))):
        return f"{of.name}-list", (f"{field}={texts[0]}",)
    if method == "get_record":
        return f"{of.name}-param-list", (f"uuid={texts[0]}",)
    for start, verb in _VERBS:
        if method.startswith(start) and (field := names.get(method.removeprefix(start))):
            words = verb(of, field, texts[1:])
            known = f"{of.name}-param-{words[0]}" if words else ""
            return (known, (f"uuid={texts[0]}", *words[1:])) if known in COMMANDS else ()
    return ()


def _get(_of: Listed, field: str, _texts: Sequence[str]) -> Sequence[str]:
    return "get", f"param-name={field}"


def _set(of: Listed, field: str, texts: Sequence[str]) -> Sequence[str]:
    shown = of.fields[field]
    if shown.type.item is not None:  # whole sets and maps are only ever emptied
        return () if texts[0] else ("clear", f"param-name={field}")
    return "set", f"{field}={field.upper() if of.name == 'secret' else texts[0]}"


def _add(_of: Listed, field: str, texts: Sequence[str]) -> Sequence[str]:
    if len(texts) == 1:
        return "add", f"param-name={field}", f"param-key={texts[0]}"
    key, value = texts
    if "=" in key or key in STANDARD | _OWN:
        return ()
    return "add", f"param-name={field}", f"{key}={value}"


def _remove(_of: Listed, field: str, texts: Sequence[str]) -> Sequence[str]:
    return "remove", f"param-name={field}", f"param-key={texts[0]}"


_VERBS = (
    ("get_", _get),
    ("set_", _set),
    ("add_to_", _add),
    ("add_", _add),
    ("remove_from_", _remove),
    ("remove_", _remove),
)
