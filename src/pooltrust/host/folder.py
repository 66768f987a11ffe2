"""A host's state folder: where each file is, who may have it, and one daemon at a time.

It makes and locks the folder and counts the starts.  Keys and the trust log are written by
trust/store/, the database by database.py; this module only says where they are.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pooltrust.errors import BadStateFolder, CannotStore, StateFolderInUse
from pooltrust.terms import Thumbprint

IdentitySort = Literal["pool", "server"]


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a host: which instance of the state folder, its how manyth start, a random word.

    Two hosts that show one instance with diverging numbers, or one number with two words, are
    copies of one another.
    """

    instance: str
    number: int
    run: str = ""


class Lock:
    """The exclusive hold on a state folder; `release` gives it up and removes the file."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give the folder up.  Twice is once."""
        if self._descriptor is not None:
            # Removed while it is held: whoever waits for this file notices that it is gone.
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The folder by its names.  Make one with `open`."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> StateFolder:
        """Use this folder; it is made (0700) if it does not exist.

        Raises BadStateFolder for one of another user or one that others may write to.
        """
        folder = cls(root.absolute())
        try:
            _make(folder.root)
            _check(folder.root)
            _make(folder.identities)
            _check(folder.identities)
        except OSError as why:
            raise BadStateFolder(str(root), (why.strerror or str(why)).lower()) from why
        return folder

    @property
    def identities(self) -> Path:
        """The folder of keys with their certificates."""
        return self.root / "identities"

    def identity(self, sort: IdentitySort, thumbprint: Thumbprint) -> Path:
        """The file of one identity: named by its certificate, so that old and new can be there."""
        return self.identities / f"{sort}-{thumbprint.digest.hex()}.pem"

    def identity_files(self, sort: IdentitySort) -> list[Path]:
        """Every identity of this sort that is there, by name."""
        return sorted(self.identities.glob(f"{sort}-{'[0-9a-f]' * 64}.pem"))

    @property
    def serving_file(self) -> Path:
        """Which pool identity is served, while there are two."""
        return self.root / "serving"

    def served_pool_identity(self) -> Thumbprint | None:
        """The one that `serve_pool_identity` named last, if any can be read there."""
        try:
            return Thumbprint.parse(self.serving_file.read_text("ascii", "replace"))
        except (FileNotFoundError, ValueError):
            return None

    def serve_pool_identity(self, certificate: Thumbprint) -> None:
        """Have this one served after the next start too; on the disk when it returns.

        Raises CannotStore.
        """
        if self.served_pool_identity() != certificate:
            try:
                _write_durably(self.serving_file, f"{certificate}\n".encode())
            except OSError as why:
                raise CannotStore(str(self.serving_file), why.strerror or str(why)) from why

    @property
    def operation(self) -> Path:
        """This host's own takeover, while it is under way."""
        return self.root / "operation.json"

    @property
    def emergency(self) -> Path:
        """That this host does not verify whom it dials, while its administrator wants it so."""
        return self.root / "emergency.json"

    @property
    def heads(self) -> Path:
        """The latest heads of others, by which copies are noticed."""
        return self.root / "heads"

    @property
    def brought(self) -> Path:
        """What this host trusted before it joined, until its pool has taken it over."""
        return self.root / "brought.json"

    @property
    def request(self) -> Path:
        """A key with the request to have it certified, until the answer is here."""
        return self.root / "request.pem"

    @property
    def log(self) -> Path:
        """The trust log."""
        return self.root / "trust.log"

    @property
    def database(self) -> Path:
        """The records."""
        return self.root / "records.db"

    @property
    def socket(self) -> Path:
        """Where the Unix socket is unless the configuration has it elsewhere."""
        return self.root / "pooltrust.sock"

    @property
    def lock_file(self) -> Path:
        """The file that the running daemon holds, with its process id."""
        return self.root / "lock"

    @property
    def start_file(self) -> Path:
        """The instance id and the number of starts: one file, so that they can't come apart."""
        return self.root / "starts"

    def lock(self) -> Lock:
        """Take the folder for this process.  Raises StateFolderInUse naming the holder."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            try:
                descriptor = os.open(self.lock_file, flags, 0o600)
            except OSError as why:
                raise BadStateFolder(str(self.root), f"lock: {why.strerror}") from why
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as why:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise StateFolderInUse(str(self.root), holder) from why
            if _still_there(self.lock_file, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, b"%d\n" % os.getpid())
                return Lock(self.lock_file, descriptor)
            os.close(descriptor)  # its holder removed it between our two calls

    def started(self) -> Start:
        """Count this start, on the disk before it returns.  The first makes the instance id.

        Call it under the lock.  Raises BadStateFolder for a start file that can't be read.
        """
        before = self._starts()
        start = Start(before.instance, before.number + 1, secrets.token_hex(8))
        try:
            _write_durably(self.start_file, f"{start.instance} {start.number}\n".encode())
        except OSError as why:
            raise BadStateFolder(str(self.root), f"{self.start_file.name}: {why.strerror}") from why
        return start

    def _starts(self) -> Start:
        try:
            text = self.start_file.read_bytes().decode("ascii", "replace")
        except FileNotFoundError:
            return Start(secrets.token_hex(16), 0)
        instance, _, number = text.strip().partition(" ")
        if len(instance) != 32 or not number.isascii() or not number.isdigit() or len(number) > 15:
            raise BadStateFolder(
                str(self.root),
                f"{self.start_file.name} holds no instance id and count",
                "Remove that file; the pool will show this host as a new instance.",
            )
        return Start(instance, int(number))


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)


def _check(folder: Path) -> None:
    facts = folder.stat()
    if facts.st_uid != os.geteuid():
        raise BadStateFolder(
            str(folder),
            f"it belongs to user {facts.st_uid} and this is user {os.geteuid()}",
            f"Give it to this user (chown {os.geteuid()} {folder}) or name another folder.",
        )
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BadStateFolder(
            str(folder), "others may write to it", f"Forbid that: chmod go-w {folder}"
        )


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).strip()
    # Empty between its holder's flock and write.
    return pid.decode() if pid.isdigit() else "another (it has not said which)"


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)


def _write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that a crash leaves the old or the new one; mode 0600."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
