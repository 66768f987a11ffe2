"""Commands that follow from the declarations of calls: one that says `cli="…"` is a command.

Its parameters are the call's, with dashes; a host is named by any selector, any other object by its
UUID.  What is irregular is in verbs/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pooltrust.api.cli.command import COMMANDS, Command, Run, add
from pooltrust.api.cli.objects import value_of
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.rows import names, rows
from pooltrust.api.cli.wire.words import Missing
from pooltrust.api.declare.call import CALLS, REQUIRED, Call, Parameter


def declare_all() -> None:
    """Declare those that nobody declared before."""
    for call in list(CALLS.values()):
        if call.cli and call.cli not in COMMANDS:
            add(_command(call))


def _command(call: Call) -> Command:
    plain = [one for one in call.parameters if one.type.refers_to not in ("host", "pool")]
    maps = tuple(f"{one.cli}:" for one in plain if one.type.key is not None)
    single = [one for one in plain if one.type.key is None]
    needed = tuple(one.cli for one in single if one.default is REQUIRED)
    optional = (*(one.cli for one in single if one.default is not REQUIRED), *maps)
    if call.result.item is not None and call.result.item.key is not None:
        optional += ("params",)
    if any(one.type.refers_to == "pool" for one in call.parameters):
        optional += ("uuid",)
    selects = any(one.type.refers_to == "host" for one in call.parameters)

    async def run(seat: Seat) -> None:
        arguments = [await argument(seat, call, one) for one in call.parameters]
        await answer(seat, call, await seat.call(call.name, *arguments))

    runs: Run = run
    doc = " ".join(call.doc.split("\n\n")[0].split())
    return Command(
        call.cli, doc, runs, needed, optional, local=call.emergency and call.role is None,
        selects=selects,
    )  # fmt: skip


async def argument(seat: Seat, call: Call, parameter: Parameter) -> Any:
    """The value of one parameter, from what the user typed.  Raises Fault, UuidInvalid."""
    words, of, name = seat.words, parameter.type, parameter.cli
    if of.refers_to == "host":
        others = [one.cli for one in call.parameters if one is not parameter]
        return (await seat.one_host(*others, "params"))[0]
    if of.refers_to == "pool":
        return await seat.only_pool()
    if of.key is not None:
        return words.keyed(name)
    if not words.has(name):
        if parameter.default is REQUIRED:
            raise Missing(name)
        return parameter.default
    if of.refers_to:
        return await seat.by_uuid(of.refers_to, words.get(name))
    if of.item is not None:
        return [one for one in words.get(name).split(",") if one]
    return value_of(of, name, words.get(name))


async def answer(seat: Seat, call: Call, value: Any) -> None:
    """Show what a call returned."""
    of, terminal, words = call.result, seat.terminal, seat.words
    if of.name == "void":
        return
    if of.key is not None or (of.item is not None and of.item.key is not None):
        asked = {one.type.refers_to for one in call.parameters}
        hosts = uuids(seat, "host")
        found = [value] if of.key is not None else value
        told = [
            {
                name: hosts.get(one, one) if isinstance(one, str) else one
                for name, one in row.items()
            }
            for row in found
        ]
        await rows(terminal, words, told, filters="host" not in asked)
    elif of.item is not None:
        known = uuids(seat, of.item.refers_to)
        shown = [show.text(of.item, one, known) for one in value]
        await names(terminal, words, shown, called="uuid" if of.item.refers_to else "name")
    else:
        text = show.value(of, value, uuids(seat, of.refers_to))
        await terminal.bare(json.dumps(text) if words.flag("json") else text)


def uuids(seat: Seat, cls: str) -> Mapping[str, str]:
    """The UUIDs of a class's objects by their references; none for no class."""
    return seat.uuids(cls) if cls else {}
