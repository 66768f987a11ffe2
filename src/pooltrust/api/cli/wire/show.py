"""How answers look: records one below the other, lists, and the one line of --minimal.

Source: the layout of XenAPI's command line; texts that scripts match are exactly its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pooltrust.api.declare.values import NULL, Type, compact

NOWHERE = "<not in database>"
DANGLING = "<invalid reference>"


def record(fields: Sequence[tuple[str, str]]) -> str:
    """One record: names with their access, right-aligned but for the first, and values."""
    if not fields:
        return ""
    width = 4 + max(len(name) for name, _ in fields)
    (name, value), *rest = fields
    lines = [f"{name:<{width}}: {value}", *(f"{name:>{width}}: {value}" for name, value in rest)]
    return "\n".join(lines) + "\n"


def minimal(items: Iterable[str]) -> str:
    """The line of --minimal: items with commas between, what is ambiguous escaped."""
    return ",".join(item.replace("\\", "\\\\").replace(",", "\\,") for item in items)


def value(of: Type, given: Any, names: Mapping[str, str]) -> str:
    """A field's value as text.  `names` are the UUIDs that references lead to."""
    if of.key is not None and of.item is not None:
        pairs = sorted((text(of.key, k, names), text(of.item, v, names)) for k, v in given.items())
        return "; ".join(f"{key}: {one}" for key, one in pairs)
    if of.item is not None:
        return "; ".join(text(of.item, one, names) for one in given)
    return text(of, given, names)


def text(of: Type, given: Any, names: Mapping[str, str]) -> str:
    """A plain value as text."""
    if of.refers_to:
        if given in ("", NULL):
            return NOWHERE
        return names.get(given, DANGLING)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float):
        return f"{given:.3f}"
    if isinstance(given, datetime):
        return compact(given)
    return str(given)
