"""Listings of what has no class of its own: maps of texts, shown as records are.

Every listing of `xe` with --json has one schema: an array of objects, each of texts by their names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pooltrust.api.cli.wire import show
from pooltrust.api.cli.wire.terminal import Terminal
from pooltrust.api.cli.wire.words import Fault, Words


async def rows(
    terminal: Terminal, words: Words, found: Sequence[Mapping[str, Any]], *, filters: bool = True
) -> None:
    """Show them; the first field of each is what --minimal shows.

    ``params=`` chooses fields and ``name=value`` rows, as with the classes; without `filters` such
    words choose a host that is asked, and all its rows are shown.
    """
    texts = [{name: _text(value) for name, value in row.items()} for row in found]
    texts = _chosen(words, texts, filters)
    if words.flag("json"):
        await as_json(terminal, texts)
    elif terminal.minimal:
        terminal.lists()
        await terminal.items([next(iter(row.values()), "") for row in texts])
    else:
        for row in texts:
            shown = [(f"{name} ( RO)", value) for name, value in row.items()]
            await terminal.print(show.record(shown) + "\n")


async def names(
    terminal: Terminal, words: Words, found: Sequence[str], *, called: str = "name"
) -> None:
    """Show texts, each on its line; with --json `called` names what they are."""
    if words.flag("json"):
        await as_json(terminal, [{called: one} for one in found])
        return
    terminal.lists()
    await terminal.items(list(found))


async def as_json(terminal: Terminal, found: Sequence[Mapping[str, str]]) -> None:
    """Show them as JSON in one line."""
    await terminal.bare(json.dumps(found, ensure_ascii=False))


def _chosen(words: Words, found: Sequence[dict[str, str]], filters: bool) -> list[dict[str, str]]:
    wanted = [one.strip() for one in words.get("params", "all").split(",")]
    known = found[0] if found else {}
    given = [(name, value) for name, value in words.others("params") if filters and name in known]
    rows = [row for row in found if all(row[name] == value for name, value in given)]
    if wanted == ["all"]:
        return rows
    if known and not known.keys() & set(wanted):
        raise Fault(f"Unknown field '{words.get('params')}'")
    return [{name: value for name, value in row.items() if name in wanted} for row in rows]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return str(value)
