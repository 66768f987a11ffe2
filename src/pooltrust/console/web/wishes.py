"""What the person wishes of this console: pools that are not asked about, alerts put aside.

Kept beside the known servers, because the browser forgets it when the console's port changes.  The
pages say what it means; here its form and size are bounded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from pooltrust.console.trusting.kept import replace_own

LARGEST = 256 * 1024
NONE: dict[str, Any] = {"quiet": [], "acknowledged": {}, "snoozed": {}}


class Wishes:
    """The wishes in one file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, Any]:
        """The wishes; none without a readable file: nothing depends on them."""
        try:
            return checked(orjson.loads(self._file.read_bytes()))
        except (OSError, ValueError):
            return dict(NONE)

    def write(self, said: Any) -> None:
        """Keep these.  Raises ValueError, or BadKnownServers if they can't be stored."""
        data = orjson.dumps(checked(said))
        if len(data) > LARGEST:
            raise ValueError("these are too many wishes")
        replace_own(self._file, data)


def checked(said: Any) -> dict[str, Any]:
    """The same in its one form.  Raises ValueError."""
    if not isinstance(said, dict):
        raise ValueError("no object")
    found: dict[str, Any] = {}
    for name, empty in NONE.items():
        value = said.get(name, empty)
        if type(value) is not type(empty):
            raise ValueError(f"{name} has another form")
        pairs = value.items() if isinstance(value, dict) else ((one, "") for one in value)
        if not all(isinstance(a, str) and isinstance(b, str) for a, b in pairs):
            raise ValueError(f"{name} holds something that is no text")
        found[name] = value
    return found
