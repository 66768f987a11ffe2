"""Messages, secrets, and the trust log."""

from __future__ import annotations

import base64
from typing import Any

from pooltrust.api.cli.command import command
from pooltrust.api.cli.objects import value_of
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.rows import rows
from pooltrust.api.cli.wire.words import Fault, Missing
from pooltrust.api.declare.values import type_of
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import ANY_ORDER

ABOUT = {"host-uuid": "Host", "pool-uuid": "Pool", "certificate-uuid": "Certificate"}
FILTERS = ("before", "after", "priority")
PAGE = 200
MOST_CHECKED = 2000
"""Entries that are checked at once: a thousand take a third of a second of the host's time."""
ENTRY = ("number", "at", "by", "call", "kind", "hash")
_INTEGER = type_of(int)


@command(
    "message-create",
    required=("name", "priority", "body"),
    optional=tuple(ABOUT),
)
async def create(seat: Seat) -> None:
    """Keep a message about a host, the pool or a certificate."""
    words = seat.words
    given = [name for name in ABOUT if words.has(name)]
    if len(given) != 1:
        raise Fault(f"Say what it is about, with one of {', '.join(ABOUT)}")
    priority = value_of(_INTEGER, "priority", words.require("priority"))
    name, body = words.require("name"), words.require("body")
    about, uuid = ABOUT[given[0]], words.get(given[0])
    await seat.call("message.create", name, priority, about, uuid, body)


@command(
    "message-destroy",
    optional=("uuid", "uuids"),
    does=("message.destroy uuid={self}", "message.destroy_many uuids={messages}"),
)
async def destroy(seat: Seat) -> None:
    """Remove messages: one, or several with commas between."""
    given = seat.words.get("uuids") or seat.words.get("uuid")
    uuids = [one.strip() for one in given.split(",") if one.strip()]
    if not uuids:
        raise Missing("uuid")
    refs = [await seat.by_uuid("message", one) for one in uuids]
    await seat.call("message.destroy_many", refs)


@command("message-destroy-all", optional=FILTERS)
async def destroy_all(seat: Seat) -> None:
    """Remove all messages, or those before or after a date, or of a priority."""
    filters = {name: seat.words.get(name) for name in FILTERS if seat.words.has(name)}
    await seat.call("message.destroy_all", filters)


@command("secret-create", required=("value",), optional=("other-config:",), secrets=("value",))
async def create_secret(seat: Seat) -> None:
    """Keep a secret; shows its UUID, by which others name it."""
    config = seat.words.keyed("other-config")
    made = {"value": seat.words.require("value"), "other_config": config}
    ref = await seat.call("secret.create", made)
    await seat.terminal.bare(str(await seat.call("secret.get_uuid", ref)))


@command("secret-destroy", required=("uuid",), does=("secret.destroy uuid={self}",))
async def destroy_secret(seat: Seat) -> None:
    """Remove a secret."""
    await seat.call("secret.destroy", await seat.by_uuid("secret", seat.words.require("uuid")))


@command(
    "log-list",
    optional=("after", "count", "params"),
    does=("pooltrust.get_log after={after} count={count}",),
)
async def log(seat: Seat) -> None:
    """The entries of the trust log: who did what, when, and by which call."""
    after, count = (
        value_of(_INTEGER, name, seat.words.get(name, start))
        for name, start in (("after", "0"), ("count", "100"))
    )
    page = await seat.call("pooltrust.get_log", after, count)
    shown = [{key: one[key] for key in ENTRY} for one in page]
    await rows(seat.terminal, seat.words, shown)


@command("log-verify")
async def verify(seat: Seat) -> None:
    """Check the pool's trust log: every hash, signature and rule, from its founding entry on."""
    entries: list[SignedEntry] = []
    while page := await seat.call("pooltrust.get_log", _last(entries), PAGE):
        entries += [_signed(one) for one in page]
        if len(entries) > MOST_CHECKED:
            raise Fault("The log is long.  Check it on a host: pooltrust log verify")
    if entries[0].entry.number != 1:
        raise Fault("The log begins at a checkpoint.  Check it on a host: pooltrust log verify")
    roster = Log.verify(entries, ordered=ANY_ORDER).roster
    await seat.terminal.print(
        f"The log holds: {roster.number} entries, every hash, signature and rule checked.\n"
        f"Its head is {roster.head}."
    )


def _last(entries: list[SignedEntry]) -> int:
    return int(entries[-1].entry.number) if entries else 0


def _signed(row: dict[str, Any]) -> SignedEntry:
    return SignedEntry(row["payload"].encode(), base64.b64decode(row["signature"]))
