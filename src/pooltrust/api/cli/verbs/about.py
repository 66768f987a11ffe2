"""Help, and what an administrator should know now."""

from __future__ import annotations

from pooltrust.api.cli.command import COMMANDS, Command, command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.rows import rows
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


ALERT = ("uuid", "name", "priority", "about", "object", "raised", "words")


@command("alert-list", optional=("params",), does=("pooltrust.get_alerts",))
async def alerts(seat: Seat) -> None:
    """What an administrator should know now, the most urgent first."""
    found = await seat.call("pooltrust.get_alerts")
    shown = [{key: one[key] for key in ALERT} for one in found]
    await rows(seat.terminal, seat.words, shown)
