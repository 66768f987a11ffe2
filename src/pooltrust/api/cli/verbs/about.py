"""Help, and what there is to know of operations, the log and alerts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pooltrust.api.cli.command import COMMANDS, Command, command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.words import Fault


class Unknown(Fault):
    """There is no such command."""


@command("help", optional=("all",), free=True)
async def show_help(seat: Seat) -> None:
    """Say which commands there are, or how one of them is used."""
    asked = [name for name, value in seat.words.others() if not value]
    if asked:
        for name in asked:
            await _one(seat, name)
        return
    every = seat.words.flag("all")
    names = sorted(name for name, one in COMMANDS.items() if every or not one.plain)
    if seat.terminal.minimal:
        seat.terminal.lists()
        await seat.terminal.items(names)
        return
    await seat.terminal.print(
        "Usage: xe <command> [-s server] [-u user] [-pw password] [key=value …]"
    )
    await seat.terminal.print("For one command: xe help <command>.  All of them: xe help --all\n")
    for name in names:
        await seat.terminal.print(f"{name:<44}{COMMANDS[name].doc.partition('.')[0]}.")


async def _one(seat: Seat, name: str) -> None:
    found = COMMANDS.get(name)
    if found is None:
        raise Unknown(name)
    await seat.terminal.print(show.record(usage(found)))


def usage(found: Command) -> list[tuple[str, str]]:
    """A command's help, in the form that completion scripts read."""
    optional = (*(("<host-selectors>",) if found.selects else ()), *found.optional)
    return [
        ("command name        ", found.name),
        ("reqd params     ", ", ".join(found.required)),
        ("optional params ", ", ".join(optional)),
        ("description     ", found.doc),
    ]


@command("operation-list")
async def operations(seat: Seat) -> None:
    """The operations on the pool that are under way, suspended, or ended a short while ago."""
    rows = await seat.call("pooltrust.get_operations")
    keys = ("id", "kind", "title", "state", "phase", "progress", "by", "began", "ended", "words")
    await _rows(seat, rows, keys, {"id": "uuid"})


@command("alert-list")
async def alerts(seat: Seat) -> None:
    """What an administrator should know now, the most urgent first."""
    rows = await seat.call("pooltrust.get_alerts")
    keys = ("uuid", "name", "priority", "about", "object", "raised", "words")
    await _rows(seat, rows, keys, {})


@command("log-list", optional=("after", "count"))
async def log(seat: Seat) -> None:
    """The entries of the trust log: who did what, when, and by which call."""
    after, count = (int(seat.words.get(name, start)) for name, start in _PAGE)
    rows = await seat.call("pooltrust.get_log", after, count)
    keys = ("number", "at", "by", "call", "kind", "hash")
    await _rows(seat, rows, keys, {})


_PAGE = (("after", "0"), ("count", "100"))


async def _rows(
    seat: Seat, rows: list[dict[str, Any]], keys: Iterable[str], names: dict[str, str]
) -> None:
    if seat.words.flag("json"):
        await seat.terminal.bare(json.dumps(rows, ensure_ascii=False))
        return
    first = next(iter(keys))
    if seat.terminal.minimal:
        seat.terminal.lists()
        await seat.terminal.items([str(row[first]) for row in rows])
        return
    for row in rows:
        shown = [(f"{names.get(key, key)} ( RO)", str(row[key])) for key in keys if key in row]
        await seat.terminal.print(show.record(shown) + "\n")
