"""The commands that every class has: list its objects, and look at, set and change their fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pooltrust.api.cli.command import Command, Run, add
from pooltrust.api.cli.fields import NAMES, Listed, Shown, listed
from pooltrust.api.cli.seat import Seat, field_of
from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.rows import as_json
from pooltrust.api.cli.wire.words import Fault, boolean
from pooltrust.api.declare.call import find
from pooltrust.api.declare.record import CLASSES
from pooltrust.api.declare.values import NULL, Ref, Type

VERIFICATION = "tls-verification-enabled"


def declare_all() -> None:
    """Declare them for every class."""
    for name in NAMES:
        one = partial(_declare, name)
        one(
            "list",
            _list,
            f"The {name}s; params= chooses fields, field=value chooses among them.",
            (),
            ("params", "database"),
        )
        one("param-list", _param_list, "Show all fields of one object.", ("uuid",))
        one("param-get", _param_get, "Show one field.", ("uuid", "param-name"), ("param-key",))
        if any("RW" in field.access for field in listed(name).fields.values()):
            one("param-set", _param_set, "Set fields, as name=value or map:key=value.", ("uuid",))
            one(
                "param-add",
                _param_add,
                "Add to a set or map.",
                ("uuid", "param-name"),
                ("param-key",),
            )
            one(
                "param-remove", _param_remove, "Remove from a set or map.",
                ("uuid", "param-name", "param-key"),
            )  # fmt: skip
            one("param-clear", _param_clear, "Make a field empty.", ("uuid", "param-name"))


def _declare(
    name: str,
    verb: str,
    run: Any,
    doc: str,
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> None:
    async def bound(seat: Seat) -> None:
        await run(seat, listed(name))

    runs: Run = bound
    add(Command(f"{name}-{verb}", doc, runs, required, optional, plain=verb != "list"))


async def _list(seat: Seat, of: Listed) -> None:
    chosen = await seat.chosen(of, list(seat.words.others("params")))
    fields = await _wanted(seat, of)
    if seat.words.flag("json"):
        await as_json(seat.terminal, [await _texts(seat, fields, row) for _, row in chosen])
    elif seat.terminal.minimal:
        seat.terminal.lists()
        await seat.terminal.items([await seat.shown(fields[0], row) for _, row in chosen])
    else:
        for _, row in chosen:
            await seat.terminal.print(await _record(seat, fields, row) + "\n")


async def _texts(seat: Seat, fields: Sequence[Shown], row: Any) -> dict[str, str]:
    return {one.name: await seat.shown(one, row) for one in fields}


async def _wanted(seat: Seat, of: Listed) -> list[Shown]:
    """The fields of ``params=``, in the order that records have; the default ones without it.

    Scripts ask for fields that some releases have: one that is unknown is said, and left out.
    """
    given = seat.words.get("params", ",".join(of.default))
    if given == "all":
        return [one for one in of.fields.values() if not one.hidden]
    names = [name.strip() for name in given.split(",")]
    found = [one for one in of.fields.values() if one.name in names]
    if not found:
        raise Fault(f"Unknown field '{given}'")
    for name in names:
        if name and name not in of.fields:
            await seat.terminal.complain(f"Unknown field '{name}' is left out")
    return found


async def _record(seat: Seat, fields: Sequence[Shown], row: Any) -> str:
    return show.record([(one.title, await seat.shown(one, row)) for one in fields])


async def _param_list(seat: Seat, of: Listed) -> None:
    _, row = await _object(seat, of)
    fields = [one for one in of.fields.values() if not one.hidden]
    if seat.words.flag("json"):
        await as_json(seat.terminal, [await _texts(seat, fields, row)])
        return
    await seat.terminal.bare(await _record(seat, fields, row))


async def _param_get(seat: Seat, of: Listed) -> None:
    _, row = await _object(seat, of)
    shown = _field(of, seat.words.require("param-name"))
    if seat.words.has("param-key"):
        key, value = seat.words.get("param-key"), field_of(row, shown.field)
        if shown.type.key is None or key not in value:
            raise Fault(f"Key {key} not found in map")
        await seat.terminal.bare(str(value[key]))
        return
    text = await seat.shown(shown, row)
    # The one field that administrators are told to look at shows its name, as they were told.
    if (of.name, shown.name) == ("pool", VERIFICATION) and not seat.terminal.minimal:
        text = f"{shown.title}: {text}"
    await seat.terminal.bare(text)


async def _param_set(seat: Seat, of: Listed) -> None:
    ref, _ = await _object(seat, of)
    changes = [
        _setting(of, ref, name, value) for name, value in seat.words.others("uuid")
    ]  # all of them are read before one of them is made
    for calls in changes:
        for name, arguments in calls:
            await seat.call(name, *arguments)


def _setting(of: Listed, ref: Ref, name: str, text: str) -> list[tuple[str, tuple[Any, ...]]]:
    plain, colon, key = name.partition(":")
    shown = _field(of, plain)
    if colon:
        if shown.type.key is None:
            raise Fault(f"Field '{plain}' is not a map")
        adder, remover = (f"{of.cls}.{verb}_{shown.field}" for verb in ("add_to", "remove_from"))
        _must_exist(adder, plain)
        return [(remover, (ref, key)), (adder, (ref, key, text))]
    setter = f"{of.cls}.set_{shown.field}"
    _must_exist(setter, plain)
    if shown.type.key is not None:
        raise Fault(f"Set one key of the map: {plain}:<key>=<value>")
    if shown.type.item is not None:
        raise Fault("Cannot param-set on set fields")
    return [(setter, (ref, value_of(shown.type, plain, text)))]


def _must_exist(call: str, field: str) -> None:
    if find(call) is None:
        raise Fault(f"Field '{field}' is read-only.")


def value_of(of: Type, name: str, text: str) -> Any:
    """What a user typed as a value of this type.  Raises Fault."""
    try:
        match of.name:
            case "int" | "int32":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return boolean(name, text)
    except Fault:
        raise Fault(f"Parameter {name} must be a boolean (true or false)") from None
    except ValueError:
        number = "an integer" if of.name.startswith("int") else "a floating-point number"
        raise Fault(f"Parameter {name} must be {number}") from None
    return (text or NULL) if of.refers_to else text


async def _param_add(seat: Seat, of: Listed) -> None:
    ref, _ = await _object(seat, of)
    shown = _field(of, seat.words.require("param-name"))
    adder = f"{of.cls}.add_{'to_' if shown.type.key is not None else ''}{shown.field}"
    if find(adder) is None:
        raise Fault("Parameter is read-only")
    if shown.type.key is None:
        await seat.call(adder, ref, seat.words.require("param-key"))
        return
    pairs = list(seat.words.others("uuid", "param-name", "param-key"))
    if seat.words.has("param-key"):
        pairs.append((seat.words.get("param-key"), ""))
    for key, value in pairs:
        await seat.call(adder, ref, key, value)


async def _param_remove(seat: Seat, of: Listed) -> None:
    ref, row = await _object(seat, of)
    shown, key = _field(of, seat.words.require("param-name")), seat.words.require("param-key")
    is_map = shown.type.key is not None
    remover = f"{of.cls}.remove_{'from_' if is_map else ''}{shown.field}"
    if find(remover) is None:
        what = "map" if is_map else "set"
        raise Fault(f"Cannot remove parameters from read-only {what}")
    if key not in field_of(row, shown.field):
        raise Fault(f"Key {key} is not in {'map' if is_map else 'the set'}")
    await seat.call(remover, ref, key)


async def _param_clear(seat: Seat, of: Listed) -> None:
    ref, _ = await _object(seat, of)
    shown = _field(of, seat.words.require("param-name"))
    setter = f"{of.cls}.set_{shown.field}"
    if find(setter) is None:
        raise Fault("Parameter is read-only")
    zero = CLASSES[of.cls].fields[shown.field].type.zero
    await seat.call(setter, ref, list(zero) if isinstance(zero, tuple) else zero)


async def _object(seat: Seat, of: Listed) -> tuple[Ref, Any]:
    ref = await seat.by_uuid(of.cls, seat.words.require("uuid"))
    rows = await seat.records(of.cls)
    if ref not in rows:
        raise Fault(f"There is no such {of.name} any more")
    return ref, rows[ref]


def _field(of: Listed, name: str) -> Shown:
    try:
        return of.fields[name]
    except KeyError:
        raise Fault(f"Unknown field '{name}'") from None
