"""Entries of another branch, kept beside the log so that people can see what was given up.

Nothing here is believed or verified again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pooltrust.trust import canonical
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store.files import replace_file, storing

LIMIT = 4 * canonical.MIB
"""Bytes.  Somebody with a member's key can sign any number of entries that lead nowhere."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of entries that were to be kept."""

    kept: tuple[SignedEntry, ...]
    """Those of them that are in the file now."""
    lost: int = 0
    """How many had no room: of them, and of earlier ones that were in the file.  To be told."""


def keep(path: Path, entries: Iterable[SignedEntry]) -> Evidence:
    """Add entries to a file of at most 4 MiB, each once.

    When it is full, the oldest and the newest stay, half and half: the first show where the branch
    began, the last how far it went.  Raises CannotStore.
    """
    lines = {signed.line(): signed for signed in entries}
    with storing(path):
        held = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        every = list(dict.fromkeys((*held, *lines)))
        stay = _oldest_and_newest(every)
        if stay != held:
            replace_file(path, b"".join(stay), 0o600)
    there = set(stay)
    kept = tuple(signed for line, signed in lines.items() if line in there)
    return Evidence(kept, len(every) - len(stay))


def _oldest_and_newest(lines: Sequence[bytes]) -> list[bytes]:
    if sum(map(len, lines)) <= LIMIT:
        return list(lines)
    oldest = _fitting(lines, LIMIT // 2)
    newest = _fitting(lines[oldest:][::-1], LIMIT // 2)
    return [*lines[:oldest], *lines[len(lines) - newest :]]


def _fitting(lines: Sequence[bytes], room: int) -> int:
    """How many of the first lines fit into so many bytes."""
    for count, line in enumerate(lines):
        room -= len(line)
        if room < 0:
            return count
    return len(lines)
