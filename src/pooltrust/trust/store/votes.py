"""What a host notes beside its log: the takeover it voted for, and what it knows to be committed.

A forgotten vote can lose a committed entry, so a vote that can't be read is an error.  A forgotten
count is found again from the heads of others, so one that can't be read is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pooltrust.trust.entry import NotAnEntry, SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.store.files import replace_file, storing


@dataclass(frozen=True, slots=True)
class Noted:
    """What was noted beside a log."""

    candidate: SignedEntry | None = None
    """The takeover that has this host's last vote."""
    settled: int | None = None
    """Up to which entry the log is known to be committed; None if that is not known."""


NOTHING_NOTED = Noted()


def vote_file(log: Path) -> Path:
    """Where the vote is kept beside this log."""
    return log.with_name(log.name + ".vote")


def settled_file(log: Path) -> Path:
    """Where the count of committed entries is kept beside this log."""
    return log.with_name(log.name + ".settled")


def read_noted(path: Path, log: Log) -> Noted:
    """What is noted beside the log file `path`, which holds `log`.  Raises ValueError, OSError."""
    candidate = read_vote(vote_file(path))
    if candidate is not None and candidate.envelope.pool != log.pool:
        candidate = None  # given in another pool, before this host joined
    return Noted(candidate, read_settled(settled_file(path), log))


def write_vote(path: Path, candidate: SignedEntry | None) -> None:
    """Store the takeover voted for, before the vote is given; None takes the vote back.

    Raises CannotStore: then it must not be given.  The stored vote may be this one all the same, if
    the words say that a power cut may undo it.
    """
    with storing(path):
        if candidate is None:
            path.unlink(missing_ok=True)
        else:
            replace_file(path, candidate.line(), 0o600)


def read_vote(path: Path) -> SignedEntry | None:
    """The takeover voted for.  Raises ValueError if it can't be read, OSError."""
    try:
        return SignedEntry.from_line(path.read_bytes())
    except FileNotFoundError:
        return None
    except NotAnEntry as why:
        raise ValueError(f"{path.name} holds no takeover: {why}") from why


def write_settled(path: Path, log: Log, number: int) -> None:
    """Note that this log is committed up to that entry.  Raises CannotStore."""
    with storing(path):
        replace_file(path, f"{number} {log.hash_at(number)}\n".encode(), 0o600)


def read_settled(path: Path, log: Log) -> int | None:
    """Up to which entry this log was noted to be committed; None if it was another log, or torn.

    Raises OSError.
    """
    try:
        text = path.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return None
    number, _, said = text.strip().partition(" ")
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        return None
    return int(number) if log.hash_at(int(number)) == said else None


def forget_noted(path: Path) -> None:
    """Forget both: this host belongs to another pool now.  Raises CannotStore."""
    for one in (vote_file(path), settled_file(path)):
        with storing(one):
            one.unlink(missing_ok=True)
