"""The one file that holds a host's log, and how it grows.

Before anything is written it is made sure that the file is still the one that was read: whatever
was appended to a file that is no longer there would be lost at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from pooltrust.errors import CannotStore
from pooltrust.trust.entries import CertificateWithdrawn, HostDismissed
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.store import evidence
from pooltrust.trust.store.contents import SNAPSHOT_MARK, Contents
from pooltrust.trust.store.files import (
    NotSynced,
    put_in_place,
    replace_file,
    storing,
    sync_rename,
    write_all,
    write_beside,
)
from pooltrust.trust.store.reserve import Reserve


@dataclass(frozen=True, slots=True)
class Torn:
    """What was cut off the end of a log file when it was opened."""

    length: int
    """Bytes."""
    kept: Path | None
    """Where they are now; None if the disk did not take them."""


def torn_file(path: Path) -> Path:
    """Where the bytes go that are cut off the end of this log file, the latest ones."""
    return path.with_name(path.name + ".torn")


def open_log(path: Path) -> tuple[LogFile, Log]:
    """Open the log file of this host and verify all of it: what a daemon does at its start.

    What was cut off is in `LogFile.torn`.  Raises CorruptLog, UpgradeThisHost, CannotStore.
    """
    file, contents = LogFile.open_contents(path)
    return file, contents.verified()


class LogFile:
    """The one file that holds a host's log; opened by one writer.

    It may lag behind the log in memory when the disk is full: `number` says what it holds, so
    what is to be appended is ``log.tail(file.number)``.
    """

    def __init__(self, path: Path, length: int) -> None:
        self.path = path
        self.number = 0
        """The number of the last entry in the file; 0 when it is empty."""
        self.broken = ""
        """Why nothing more can be written before a restart: a failed write could not be undone, or
        the file is no longer the one that this host wrote."""
        self.torn: Torn | None = None
        """What was cut off when it was opened."""
        self._file = FileIO(path, "r+")
        self._size = length
        self._reserve = Reserve(path.with_name(path.name + ".reserve"))

    @staticmethod
    def create(
        path: Path, entries: Sequence[SignedEntry], *, snapshot: bytes | None = None
    ) -> None:
        """Put a whole log in place of whatever is there, or nothing at all.

        `snapshot` is that of the roster before the first entry, unless that is the founding one.
        Raises ValueError for entries that do not begin where they must, and CannotStore; then what
        was there still is, unless the words say that a power cut may bring it back.
        """
        data = _whole(entries, snapshot)
        with storing(path):
            replace_file(path, data, 0o600)

    @classmethod
    def open(cls, path: Path) -> tuple[LogFile, list[SignedEntry]]:
        """Open or create a log file, and cut off what a crash left at its end.

        That is an incomplete last line, and a takeover whose endorsement is missing: the two are
        written together.  What was cut is copied to `torn_file` first.  A last line that has lost
        only its newline, and verifies, gets it back.  Raises CorruptLog, CannotStore.
        """
        log, contents = cls.open_contents(path)
        return log, contents.entries

    @classmethod
    def open_contents(cls, path: Path) -> tuple[LogFile, Contents]:
        """The same, with the snapshot that the file may begin with and what was cut off."""
        with storing(path):
            if not path.exists():
                replace_file(path, b"", 0o600)
            contents = Contents.read(path)
            log = cls(path, contents.length)
        with log._storing():
            log._require_ours()
            log._mend(contents)
            # A crash may have come between write and fsync: what was read must be on the disk.
            os.fsync(log._file.fileno())
        log.number = contents.entries[-1].envelope.number if contents.entries else 0
        log._reserve.keep()
        return log, contents

    def close(self) -> None:
        """Close the file; it closes by itself when nobody uses it any more."""
        self._file.close()

    def append(self, entries: Sequence[SignedEntry]) -> None:
        """Store these entries, the next ones; when it returns they are on the disk.

        Raises CannotStore; then not one of them is in the file.  For a dismissal or a withdrawal
        the reserve is released first.  Raises ValueError if an entry would be left out.
        """
        self._require_whole()
        if not entries:
            return
        numbers = [signed.envelope.number for signed in entries]
        if self.number and numbers != list(range(self.number + 1, self.number + 1 + len(entries))):
            raise ValueError(f"entries {numbers} do not follow entry {self.number}")
        lines = b"".join(signed.line() for signed in entries)
        with self._storing():
            try:
                self._write(lines)
            except OSError as why:
                if why.errno != errno.ENOSPC or not _is_urgent(entries) or self.broken:
                    raise
                self._reserve.release()
                self._write(lines)
        self.number = numbers[-1]
        self._reserve.keep()

    def replace(self, entries: Sequence[SignedEntry], *, snapshot: bytes | None = None) -> None:
        """Put another log in the place of this one: at a join, a fork or a checkpoint.

        Raises what `create` raises.  Then the old log is still there and in use; or the new one is,
        but not for sure after a power cut, and `broken` says so until a restart.
        """
        self._require_whole()
        data = _whole(entries, snapshot)
        with self._storing():
            self._require_ours()
            file = _replacing(self.path, data)
        with contextlib.suppress(OSError):
            self._file.close()
        self._file, self._size = file, len(data)
        self.number = entries[-1].envelope.number if entries else 0
        with self._storing():
            try:
                sync_rename(self.path)
            except NotSynced as why:
                self.broken = f"{why.strerror}: restart this host"
                raise

    def archive(self, log: Log, number: int) -> Log:
        """Move what is before the checkpoint `number` to an archive file; returns the live log.

        The archive is written first, so a crash in between leaves everything where it was.
        """
        live = log.from_checkpoint(number)
        if live.base is None:
            raise ValueError("a log that begins at a checkpoint has a base")
        older = log.entries[: number - log.first]
        if older:
            name = f"{self.path.name}.{log.first}-{number - 1}"
            with storing(self.path):
                lines = b"".join(signed.line() for signed in older)
                replace_file(self.path.with_name(name), lines, 0o400)
        self.replace(live.entries, snapshot=live.base.snapshot())
        return live

    def keep_evidence(self, entries: Iterable[SignedEntry]) -> evidence.Evidence:
        """Keep entries of another branch beside the log; says what had no room.

        Raises CannotStore.
        """
        return evidence.keep(self.path.with_name(self.path.name + ".evidence"), entries)

    def _write(self, data: bytes) -> None:
        """Append and fsync; a failed write is truncated away, or appending stops."""
        self._require_ours()
        descriptor = self._file.fileno()
        try:
            write_all(descriptor, data, self._size)
            os.fsync(descriptor)
        except OSError:
            try:
                self._cut_to(self._size)
            except OSError as why:
                self.broken = f"a failed write could not be undone ({why}): restart this host"
            raise
        self._size += len(data)
        self._require_ours()

    def _require_whole(self) -> None:
        if self.broken:
            cure = "Until then nothing is written to it."
            raise CannotStore(str(self.path), self.broken, cure)

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            with storing(self.path):
                yield
        except CannotStore:
            self._require_whole()  # its words say more
            raise

    def _require_ours(self) -> None:
        """Raise OSError, and be `broken`, unless the file is there as this host left it."""
        opened = os.fstat(self._file.fileno())
        try:
            there = self.path.stat()
        except FileNotFoundError:
            self.broken = "it was moved away or deleted: put it back, and restart this host"
        else:
            if not os.path.samestat(opened, there):
                self.broken = "another file was put in its place: restart this host"
            elif opened.st_size != self._size:
                self.broken = "somebody else has written to it: stop the other program, restart"
        if self.broken:
            raise OSError(errno.EBUSY, self.broken)

    def _mend(self, contents: Contents) -> None:
        """Make the file hold the entries of its contents, each with its newline."""
        if contents.unended:
            self._write(b"\n")
        if contents.torn:
            kept: Path | None = torn_file(self.path)
            try:
                replace_file(torn_file(self.path), contents.torn, 0o600)
            except OSError:
                kept = None  # a full disk must not keep a host from starting
            self.torn = Torn(len(contents.torn), kept)
            self._cut_to(self._size - len(contents.torn))

    def _cut_to(self, size: int) -> None:
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size != size:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        self._size = size


def _whole(entries: Sequence[SignedEntry], snapshot: bytes | None) -> bytes:
    """All bytes of a log file.  Raises ValueError."""
    begins_at_one = not entries or entries[0].envelope.number == 1
    if begins_at_one is (snapshot is not None):
        raise ValueError("a log begins at its founding entry, or at a checkpoint's snapshot")
    head = b"" if snapshot is None else SNAPSHOT_MARK + snapshot + b"\n"
    return head + b"".join(signed.line() for signed in entries)


def _replacing(path: Path, data: bytes) -> FileIO:
    """The new file, opened before it is renamed: after that nothing may fail but its fsync."""
    temporary = write_beside(path, data, 0o600)
    try:
        file = FileIO(temporary, "r+")
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    try:
        put_in_place(temporary, path)
    except BaseException:
        file.close()
        raise
    return file


def _is_urgent(entries: Sequence[SignedEntry]) -> bool:
    bodies = (signed.entry.body for signed in entries)
    return any(isinstance(body, HostDismissed | CertificateWithdrawn) for body in bodies)
