"""`pooltrust host status`: this host, its pool, and every certificate with its days left."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pooltrust.command.client import Client
from pooltrust.command.tables import Cell, Column, Terminal, Tone, shown, table
from pooltrust.host.configuration.config import Config

COLUMNS = [
    Column("host"),
    Column("role"),
    Column("address"),
    Column("identity"),
    Column("thumbprint", "keep"),
    Column("days left", right=True),
]


def show(config: Path, *, as_json: bool) -> int:
    """Ask this host's daemon and print what it says; in JSON for programs."""
    with Client(Config.read(config).socket) as client:
        status = ask(client)
    print(json.dumps(status, indent=2) if as_json else _words(status))
    return 0


def ask(client: Client) -> dict[str, Any]:
    """The status of the host at the other end, its members as a list."""
    told: dict[str, Any] = client.call("pooltrust.get_host_status", client.this_host())
    return {**told, "members": json.loads(told["members"])}


def _words(status: dict[str, Any]) -> str:
    known = "knows that it missed nothing" if status["current"] == "yes" else "may have missed some"
    head = [
        ("host", f"{status['name']} ({status['host']})"),
        ("role", status["role"]),
        ("coordinator", status["coordinator"]),
        ("pool", status["pool"]),
        ("log", f"{status['entries']} entries; {known}"),
        ("verification", status["verification"]),
    ]
    lines = [f"{label:<13} {shown(str(value))}" for label, value in head]
    rows = [
        [
            member["name"],
            member["role"],
            member["address"],
            sort,
            member[sort]["thumbprint"],
            _days(member[sort]["days_left"]),
        ]
        for member in status["members"]
        for sort in ("server", "pool")
    ]
    return "\n".join([*lines, "", table(COLUMNS, rows, Terminal.of(sys.stdout))]).rstrip()


def _days(left: int) -> Cell:
    tone = Tone.BAD if left < 0 else Tone.DUBIOUS if left < 30 else None
    return Cell(str(left), tone)
