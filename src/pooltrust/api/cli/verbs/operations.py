"""Operations on the pool: which there are, going on with one, taking one back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pooltrust.api.cli.command import COMMANDS, command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.rows import rows
from pooltrust.api.declare.call import CALLS
from pooltrust.errors import Failure

SHOWN = ("kind", "title", "state", "phase", "progress", "by", "began", "ended", "words")


@command("operation-list", optional=("params",), does=("pooltrust.get_operations",))
async def operations(seat: Seat) -> None:
    """The operations on the pool that are under way, suspended, or ended a short while ago."""
    found = await seat.call("pooltrust.get_operations")
    shown = [{"uuid": one["id"], **{key: one[key] for key in SHOWN}} for one in found]
    await rows(seat.terminal, seat.words, shown)


@command("operation-resume", required=("uuid",), does=("pooltrust.resume_operation uuid={id}",))
async def resume(seat: Seat) -> None:
    """Go on with a suspended operation."""
    words = await seat.call("pooltrust.resume_operation", seat.words.require("uuid"))
    await seat.terminal.print(str(words))


@command("operation-abandon", required=("uuid",), does=("pooltrust.abandon_operation uuid={id}",))
async def abandon(seat: Seat) -> None:
    """Take an operation back, before its point of no return."""
    words = await seat.call("pooltrust.abandon_operation", seat.words.require("uuid"))
    await seat.terminal.print(str(words))


@command("operation-interrupt", optional=("command",), plain=True)
async def interrupt(seat: Seat) -> None:
    """Take back what this user has under way, if it still can be, and say how the pool is.

    Our client asks for it when it is interrupted.  What others do is not touched.
    """
    session = await seat.call("session.get_record", seat.session)
    running = [
        one
        for one in await seat.call("pooltrust.get_operations")
        if not one["ended"] and _is_of(one, session.auth_user_name, seat.words.get("command"))
    ]
    if not running:
        await seat.terminal.bare("No operation is under way: what was typed is done, or not begun.")
    for one in running:
        await seat.terminal.bare(await _taken_back(seat, one))


def _is_of(one: Mapping[str, Any], user: str, name: str) -> bool:
    """Whether this user began it, here or through another host, by this command."""
    calls = calls_of(name)
    by_this = not calls or one["call"] in calls
    return by_this and (one["by"] == user or one["by"].startswith(f"{user} via "))


def calls_of(name: str) -> set[str]:
    """The calls that a command stands for."""
    found = COMMANDS.get(name)
    said = {line.split()[0] for line in found.does} if found else set()
    return said | {one.name for one in CALLS.values() if one.cli and one.cli == name}


async def _taken_back(seat: Seat, one: Mapping[str, Any]) -> str:
    title = f"{one['title'][:1].upper()}{one['title'][1:]}"
    if one["may_abandon"] != "true":
        return (
            f"{title} has passed its point of no return, and goes on by itself: xe operation-list"
        )
    try:
        words = await seat.call("pooltrust.abandon_operation", one["id"])
    except Failure as why:
        return f"{title} goes on: {why}"
    return f"{words}  The pool is as it was."
