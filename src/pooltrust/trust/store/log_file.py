"""The files of the trust floor: the log, the identities, the vote.  The only writer of them.

Blocking: a daemon calls it from a worker thread, one call at a time.  A write is done when it is
on the disk (fsync); a file that is replaced is never seen half written (temporary file, fsync,
rename, fsync of the folder).  What the bytes mean is decided by the pure modules.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from pooltrust.errors import BadEntry, CannotStore, CorruptLog
from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.trust import canonical
from pooltrust.trust.entries import CertificateWithdrawn, HostDismissed, TakenOver
from pooltrust.trust.entry import NotAnEntry, SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import ANY_ORDER, Roster
from pooltrust.trust.takeover import Vote

RESERVE = 64 * 1024
"""Bytes kept aside for a dismissal or a withdrawal on a full disk."""

EVIDENCE_LIMIT = 4 * canonical.MIB
IDENTITY_LIMIT = canonical.MIB
_SNAPSHOT_MARK = b"#"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a log file holds, not yet verified."""

    path: Path
    snapshot: bytes | None
    """The roster under the first entry, if the file begins at a checkpoint."""
    entries: list[SignedEntry]
    torn: int
    """Bytes at the end that do not count: a write that a crash cut off."""

    @classmethod
    def read(cls, path: Path) -> Contents:
        """Read a log file without changing it.  Raises CorruptLog, naming the line, and OSError."""
        snapshot, entries = None, []
        *lines, last = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            if number == 1 and line.startswith(_SNAPSHOT_MARK):
                snapshot = line[1:]
                continue
            try:
                entries.append(SignedEntry.from_line(line + b"\n"))
            except NotAnEntry as why:
                raise CorruptLog(str(path), number, str(why)) from why
        waiting = _waiting(entries)
        torn = len(last) + sum(len(signed.line()) for signed in waiting)
        return cls(path, snapshot, entries[: len(entries) - len(waiting)], torn)

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


def read_log(path: Path) -> list[SignedEntry]:
    """The entries in a log file, not verified.  Changes nothing.  Raises CorruptLog, OSError."""
    return Contents.read(path).entries


def verify_log(path: Path) -> Log:
    """The verified log in a file.  Changes nothing.  Raises as `open_log`, and OSError."""
    return Contents.read(path).verified()


def open_log(path: Path) -> tuple[LogFile, Log]:
    """Open the log file of this host and verify all of it: what a daemon does at its start.

    Raises CorruptLog, UpgradeThisHost, CannotStore.
    """
    file, contents = LogFile.open_contents(path)
    return file, contents.verified()


class LogFile:
    """The one file that holds a host's log; opened by one writer.

    It may lag behind the log in memory when the disk is full: `number` says what it holds, so
    what is to be appended is ``log.tail(file.number)``.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        """The number of the last entry in the file; 0 when it is empty."""
        self.broken = ""
        """Why nothing more can be appended, when a failed write could not be undone."""
        self._file = _opened(path)
        self._size = os.fstat(self._file.fileno()).st_size

    @staticmethod
    def create(
        path: Path, entries: Sequence[SignedEntry], *, snapshot: bytes | None = None
    ) -> None:
        """Put a whole log in place of whatever is there, or nothing at all.

        `snapshot` is that of the roster before the first entry, unless that is the founding one.
        Raises CannotStore; ValueError for entries that do not begin where they must.
        """
        begins_at_one = not entries or entries[0].envelope.number == 1
        if begins_at_one is (snapshot is not None):
            raise ValueError("a log begins at its founding entry, or at a checkpoint's snapshot")
        head = b"" if snapshot is None else _SNAPSHOT_MARK + snapshot + b"\n"
        with _storing(path):
            replace_file(path, head + b"".join(signed.line() for signed in entries), 0o600)

    @classmethod
    def open(cls, path: Path) -> tuple[LogFile, list[SignedEntry]]:
        """Open or create a log file, and cut off what a crash left at its end.

        That is a last line without its newline, and a takeover whose endorsement is missing: the
        two are written together.  Raises CorruptLog, CannotStore.
        """
        log, contents = cls.open_contents(path)
        return log, contents.entries

    @classmethod
    def open_contents(cls, path: Path) -> tuple[LogFile, Contents]:
        """The same, with the snapshot that the file may begin with and what was cut off."""
        with _storing(path):
            if not path.exists():
                replace_file(path, b"", 0o600)
            contents = Contents.read(path)
            last = contents.entries[-1].envelope.number if contents.entries else 0
            log = cls(path, last)
            log._cut_to(log._size - contents.torn)
            # A crash may have come between write and fsync: what was read must be on the disk.
            os.fsync(log._file.fileno())
        log._keep_reserve()
        return log, contents

    def close(self) -> None:
        """Close the file; it closes by itself when nobody uses it any more."""
        self._file.close()

    def append(self, entries: Sequence[SignedEntry]) -> None:
        """Store these entries, the next ones; when it returns they are on the disk.

        Raises CannotStore; then not one of them is in the file.  For a dismissal or a withdrawal
        the reserve is released first.  Raises ValueError if an entry would be left out.
        """
        if self.broken:
            raise CannotStore(str(self.path), self.broken)
        if not entries:
            return
        numbers = [signed.envelope.number for signed in entries]
        if self.number and numbers != list(range(self.number + 1, self.number + 1 + len(entries))):
            raise ValueError(f"entries {numbers} do not follow entry {self.number}")
        lines = b"".join(signed.line() for signed in entries)
        try:
            self._write(lines)
        except OSError as why:
            if why.errno != errno.ENOSPC or not _is_urgent(entries) or self.broken:
                raise CannotStore(str(self.path), self.broken or str(why)) from why
            self._release_reserve()
            with _storing(self.path):
                self._write(lines)
        self.number = numbers[-1]
        self._keep_reserve()

    def replace(self, entries: Sequence[SignedEntry], *, snapshot: bytes | None = None) -> None:
        """Put another log in the place of this one: at a join, a fork or a checkpoint.

        Raises what `create` raises; then the old log is still there.
        """
        self.create(self.path, entries, snapshot=snapshot)
        with _storing(self.path):
            file = _opened(self.path)
        self._file.close()
        self._file, self._size = file, os.fstat(file.fileno()).st_size
        self.number, self.broken = entries[-1].envelope.number if entries else 0, ""

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
            with _storing(self.path):
                lines = b"".join(signed.line() for signed in older)
                replace_file(self.path.with_name(name), lines, 0o400)
        self.replace(live.entries, snapshot=live.base.snapshot())
        return live

    def keep_evidence(self, entries: Iterable[SignedEntry]) -> bool:
        """Keep entries of another branch beside the log; false when 4 MiB are full.

        Raises CannotStore.
        """
        path = self.path.with_name(self.path.name + ".evidence")
        with _storing(path):
            known = path.read_bytes() if path.exists() else b""
            held = set(known.splitlines(keepends=True))
            new = b"".join(line for signed in entries if (line := signed.line()) not in held)
            if len(known) + len(new) > EVIDENCE_LIMIT:
                return False
            if new:
                replace_file(path, known + new, 0o600)
        return True

    def _write(self, data: bytes) -> None:
        """Append and fsync; a failed write is truncated away, or appending stops."""
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size != self._size:
            self.broken = "somebody else has written to it: stop the other program, then restart"
            raise OSError(errno.EBUSY, self.broken)
        try:
            _write_all(descriptor, data, self._size)
            os.fsync(descriptor)
        except OSError:
            try:
                self._cut_to(self._size)
            except OSError as why:
                self.broken = f"a failed write could not be undone ({why}): restart this host"
            raise
        self._size += len(data)

    def _cut_to(self, size: int) -> None:
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size != size:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        self._size = size

    @property
    def _reserve(self) -> Path:
        return self.path.with_name(self.path.name + ".reserve")

    def _keep_reserve(self) -> None:
        # Best effort: without the reserve the log still works, until the disk is full.
        with contextlib.suppress(OSError):
            if not self._reserve.exists():
                replace_file(self._reserve, bytes(RESERVE), 0o600)

    def _release_reserve(self) -> None:
        with contextlib.suppress(OSError):
            self._reserve.unlink()
            _sync_folder(self.path.parent)


@dataclass(frozen=True, slots=True)
class IdentityFile:
    """An identity and the file it lies in, which TLS reads."""

    path: Path
    identity: Identity


def write_identity(path: Path, identity: Identity) -> IdentityFile:
    """Store key and certificates in one file, mode 0400.

    They are read back from the very bytes before the rename.  Raises BadIdentity and CannotStore;
    then the old file is still there.
    """
    pem = identity.pem()
    written = Identity.read(pem)
    probe = b"pooltrust: does this key belong to this certificate?"
    if written != identity or not identity.certificate.verify(identity.sign(probe), probe):
        raise BadIdentity("the private key is not that of the certificate")
    with _storing(path):
        replace_file(path, pem, 0o400)
    return IdentityFile(path, identity)


def read_identity(path: Path) -> IdentityFile:
    """Read what `write_identity` wrote.  Raises BadIdentity, OSError."""
    with path.open("rb") as file:
        pem = file.read(IDENTITY_LIMIT + 1)
    if len(pem) > IDENTITY_LIMIT:
        raise BadIdentity(f"{path} is too large for an identity")
    return IdentityFile(path, Identity.read(pem))


def delete_identity(path: Path) -> None:
    """Remove an identity for good; twice is once.  Raises CannotStore."""
    with _storing(path):
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)


def write_vote(path: Path, vote: Vote) -> None:
    """Store this host's vote, before it is given.  Raises CannotStore."""
    with _storing(path):
        replace_file(path, canonical.encode(vote.record()) + b"\n", 0o600)


def read_vote(path: Path) -> Vote | None:
    """The vote that is stored.  Raises ValueError if it can't be read, OSError."""
    try:
        return Vote.read(canonical.decode(path.read_bytes().removesuffix(b"\n")))
    except FileNotFoundError:
        return None


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Put a file in place as a whole, or not at all.  Raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            os.fchmod(descriptor, mode)
            _write_all(descriptor, data, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _waiting(entries: list[SignedEntry]) -> list[SignedEntry]:
    """A takeover at the end that waits for its endorsement: it does not count."""
    if not entries or entries[-1].envelope.kind != TakenOver.kind:
        return []
    try:
        return [] if entries[-1].entry.alone else entries[-1:]
    except NotAnEntry:
        return []  # to be found, and named, when the log is verified


def _is_urgent(entries: Sequence[SignedEntry]) -> bool:
    bodies = (signed.entry.body for signed in entries)
    return any(isinstance(body, HostDismissed | CertificateWithdrawn) for body in bodies)


def _opened(path: Path) -> FileIO:
    return FileIO(path, "r+")


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    os.lseek(descriptor, offset, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as why:
        raise CannotStore(str(path), str(why)) from why
