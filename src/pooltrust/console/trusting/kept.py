"""A value in a file of its owner's alone, which several consoles may have open at once.

Who changes it takes a lock, reads what is there now, and writes the change of that; who reads it
reads again once it was changed.  It is never read where another user could have written it: whoever
can write here decides whom the console believes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from pooltrust.errors import Refused, failure
from pooltrust.trust.store import files

T = TypeVar("T")
State = tuple[int, ...]

LARGEST = 64 * 1024 * 1024
LOCK_SECONDS = 5.0
_PAUSE = 0.01


@failure("KNOWN_SERVERS_REFUSED")
class BadKnownServers(Refused):
    """The file {file}, which says whom this console believes, can't be used: {why}."""

    file: str
    why: str
    remedy: str = "Correct the file, or move it away: then every server is met for the first time."


class Kept(Generic[T]):
    """What one file holds.  `read` is given its bytes and name, and raises a Failure for others."""

    def __init__(
        self,
        file: Path,
        *,
        empty: T,
        read: Callable[[bytes, str], T],
        written: Callable[[T], bytes],
    ) -> None:
        self._file = file
        self._empty = empty
        self._read = read
        self._written = written
        self._state: State | None = None
        self._value = empty
        self.now()

    def now(self) -> T:
        """What it holds now, whoever wrote it.  Raises BadKnownServers, and as `read` does."""
        with _translated(self._file):
            if _state(self._file) != self._state:
                self._take()
        return self._value

    def _take(self) -> None:
        # The state that belongs to the bytes: the file may be replaced meanwhile.
        found = read_own(self._file)
        value = self._empty if found is None else self._read(found[0], str(self._file))
        self._state = None if found is None else found[1]
        self._value = value

    def change(self, change: Callable[[T], T]) -> T:
        """Keep the change of what it holds now.

        Raises BadKnownServers, and as `read` and `change` do; then it holds what it held.
        """
        with _translated(self._file), _locked(self._file):
            self._take()
            value = change(self._value)
            if value != self._value:
                files.replace_file(self._file, self._written(value), 0o600)
                self._state, self._value = _state(self._file), value
        return self._value


def replace_own(file: Path, data: bytes) -> None:
    """Replace a file of one's own; a crash leaves the old one or the new one.

    Raises BadKnownServers.
    """
    with _translated(file):
        _make_folder(file.parent)
        # Never into a file that is there: it may be another user's.
        files.replace_file(file, data, 0o600)


def read_own(file: Path) -> tuple[bytes, State] | None:
    """The bytes of a file that nobody else can write, and their state; None if there is none.

    Raises OSError and BadKnownServers.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(file, flags)
    except FileNotFoundError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST:
            raise BadKnownServers(str(file), f"it is no file of at most {LARGEST} bytes")
        _check(file, facts)
        _check(file.parent, file.parent.stat())
        with os.fdopen(os.dup(descriptor), "rb") as opened:
            return opened.read(LARGEST + 1), _state_of(facts)
    finally:
        os.close(descriptor)


def _state(file: Path) -> State | None:
    try:
        return _state_of(file.lstat())
    except FileNotFoundError:
        return None


def _state_of(facts: os.stat_result) -> State:
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size


def _check(path: Path, facts: os.stat_result) -> None:
    """Raises BadKnownServers for what another user owns or can write, root apart."""
    if facts.st_uid not in (os.geteuid(), 0):
        raise BadKnownServers(
            str(path),
            f"it belongs to user {facts.st_uid} and this is user {os.geteuid()}",
            f"Give it to this user (chown {os.geteuid()} {path}), or name another file: "
            "--known-servers",
        )
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BadKnownServers(
            str(path),
            "others may write there, and so say whom this console believes",
            f"See whether all that is in it is yours, then forbid that: chmod go-w {path}",
        )


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(folder, folder.stat())


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One console at a time.  Raises OSError, and BadKnownServers if another does not let go."""
    _make_folder(file.parent)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(file.with_name(f".{file.name}.lock"), flags, 0o600)
    try:
        until = time.monotonic() + LOCK_SECONDS
        while not _taken(descriptor):
            if time.monotonic() > until:
                raise BadKnownServers(
                    str(file),
                    f"another console has been writing it for {LOCK_SECONDS:g} s",
                    "End that one, or name another file: --known-servers",
                )
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _taken(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as why:
        if why.errno == errno.ELOOP:
            raise BadKnownServers(
                str(file), "it is a symbolic link", "Name the file itself: --known-servers"
            ) from why
        raise BadKnownServers(str(file), why.strerror or str(why)) from why
