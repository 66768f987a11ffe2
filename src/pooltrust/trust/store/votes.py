"""The file of this host's one vote for a takeover."""

from __future__ import annotations

from pathlib import Path

from pooltrust.trust import canonical
from pooltrust.trust.store.files import replace_file, storing
from pooltrust.trust.takeover import Vote


def write_vote(path: Path, vote: Vote) -> None:
    """Store this host's vote, before it is given.  Raises CannotStore: then it must not be given.

    The stored vote may be this one all the same, if the words say that a power cut may undo it.
    """
    with storing(path):
        replace_file(path, canonical.encode(vote.record()) + b"\n", 0o600)


def read_vote(path: Path) -> Vote | None:
    """The vote that is stored.  Raises ValueError if it can't be read, OSError."""
    try:
        return Vote.read(canonical.decode(path.read_bytes().removesuffix(b"\n")))
    except FileNotFoundError:
        return None
