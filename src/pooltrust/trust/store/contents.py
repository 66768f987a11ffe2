"""What a log file holds: read whole, and never changed here.

Only the end of it may be wrong without being corrupt: a crash cuts the last write off anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pooltrust.errors import BadEntry, CorruptLog, UpgradeThisHost
from pooltrust.trust.entries import TakenOver
from pooltrust.trust.entry import NotAnEntry, SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import ANY_ORDER, Roster

SNAPSHOT_MARK = b"#"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a log file holds, not yet verified."""

    path: Path
    snapshot: bytes | None
    """The roster under the first entry, if the file begins at a checkpoint."""
    entries: list[SignedEntry]
    length: int
    """Bytes in the file."""
    torn: bytes = b""
    """The end that does not count: a write that a crash cut off."""
    unended: bool = False
    """The last entry verifies, but has lost its newline: what an editor does, or a crash."""

    @classmethod
    def read(cls, path: Path) -> Contents:
        """Read a log file without changing it.  Raises CorruptLog, naming the line, and OSError."""
        data = path.read_bytes()
        snapshot, entries = None, []
        *lines, last = data.split(b"\n")
        for number, line in enumerate(lines, 1):
            if number == 1 and line.startswith(SNAPSHOT_MARK):
                snapshot = line[1:]
                continue
            try:
                entries.append(SignedEntry.from_line(line + b"\n"))
            except NotAnEntry as why:
                raise CorruptLog(str(path), number, str(why)) from why
        whole = cls(path, snapshot, entries, len(data))
        return whole._ended(last) or whole._cut(last)

    def verified(self) -> Log:
        """The log.  Raises CorruptLog, naming the line, and UpgradeThisHost."""
        try:
            base = Roster.restore(self.snapshot) if self.snapshot is not None else None
        except ValueError as why:
            raise CorruptLog(str(self.path), 1, str(why)) from why
        try:
            return Log.verify(self.entries, base=base, ordered=ANY_ORDER)
        except BadEntry as why:
            # Line 1 is the founding entry, or the snapshot that the first entry follows.
            line = why.number - base.number + 1 if base else why.number
            raise CorruptLog(str(self.path), line, f"{why.rule}: {why.why}") from why

    def _ended(self, last: bytes) -> Contents | None:
        """These contents with the last line, if that is a whole entry without its newline.

        A signature that was cut can still be base64, so only verifying tells.
        """
        if not last:
            return None
        try:
            signed = SignedEntry.from_line(last + b"\n")
            entries = [*self.entries, signed]
            whole = Contents(self.path, self.snapshot, entries, self.length, unended=True)
            whole.verified()
        except UpgradeThisHost as why:
            # An entry of a newer release, and properly signed; but not if it is an earlier one.
            return whole if why.number == signed.envelope.number else None
        except (NotAnEntry, CorruptLog):
            return None
        return whole

    def _cut(self, last: bytes) -> Contents:
        """These contents without an incomplete last line, and without half of a takeover."""
        waiting = _waiting(self.entries)
        kept = self.entries[: len(self.entries) - len(waiting)]
        torn = b"".join(signed.line() for signed in waiting) + last
        return Contents(self.path, self.snapshot, kept, self.length, torn)


def read_log(path: Path) -> list[SignedEntry]:
    """The entries in a log file, not verified.  Changes nothing.  Raises CorruptLog, OSError."""
    return Contents.read(path).entries


def verify_log(path: Path) -> Log:
    """The verified log in a file.  Changes nothing.  Raises as `open_log`, and OSError."""
    return Contents.read(path).verified()


def _waiting(entries: list[SignedEntry]) -> list[SignedEntry]:
    """A takeover at the end that waits for its endorsement: it does not count."""
    if not entries or entries[-1].envelope.kind != TakenOver.kind:
        return []
    try:
        return [] if entries[-1].entry.alone else entries[-1:]
    except NotAnEntry:
        return []  # to be found, and named, when the log is verified
