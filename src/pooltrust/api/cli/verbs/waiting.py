"""Waiting for something to become true, and cancelling what runs."""

from __future__ import annotations

from typing import Any

from pooltrust.api.cli.command import command
from pooltrust.api.cli.fields import listed
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.words import Fault

CLASSES = ("host", "pool", "task", "subject", "role", "secret")
TURN_SECONDS = 30.0


@command("event-wait", required=("class",))
async def wait(seat: Seat) -> None:
    """Wait until an object of a class has these fields: name=value, or name=/=value for another."""
    name = seat.words.require("class")
    if name not in CLASSES:
        raise Fault(f"Cli listening for class '{name}' not currently implemented")
    of, token = listed(name), ""
    while not await _holds(seat, name):
        answer: dict[str, Any] = await seat.call(
            "event.from", [of.cls.lower()], token, TURN_SECONDS
        )
        token = str(answer["token"])
        if seat.around.gone():
            raise EOFError


async def _holds(seat: Seat, name: str) -> bool:
    of = listed(name)
    given = list(seat.words.others("class"))
    equal = [(one, value) for one, value in given if not value.startswith("/=")]
    unequal = [(one, value[2:]) for one, value in given if value.startswith("/=")]
    found = {ref for ref, _ in await seat.chosen(of, equal)}
    for one in unequal:
        found -= {ref for ref, _ in await seat.chosen(of, [one])}
    return bool(found)


@command("task-cancel", required=("uuid",), does=("task.cancel uuid={task}",))
async def cancel(seat: Seat) -> None:
    """Cancel a task, if it still can be."""
    await seat.call("task.cancel", await seat.by_uuid("task", seat.words.require("uuid")))
