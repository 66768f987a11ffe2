"""Looking at a state folder at every moment of a change, and failing its disk at each.

A process that is killed leaves exactly the files of that moment, so a copy of them, started later,
is what a restart after the kill finds.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pooltrust.host.records.sheet import Sheet

CHANGES: tuple[tuple[Any, str], ...] = (
    *((Path, name) for name in ("unlink", "rename", "replace", "mkdir", "rmdir")),
    (os, "fsync"),
    (shutil, "rmtree"),
)
FREEING = ("unlink", "rename", "replace", "rmdir", "rmtree", "fsync")
"""What a full disk still does."""
WRITING = ("INSERT", "DELETE", "UPDATE", "COMMIT", "VACUUM")
OF_THE_PROCESS = ("lock", "pooltrust.sock")
NOT_STATE = shutil.ignore_patterns(*OF_THE_PROCESS)


class Camera:
    """Copies a folder before and after each change of its files, each state once.

    `root` is watched while `on`.
    """

    def __init__(self, patch: pytest.MonkeyPatch, root: Path, copies: Path) -> None:
        self.on = False
        self._root = root
        self._copies = copies
        self._seen: list[dict[str, bytes]] = []
        self._looking = threading.RLock()
        for change in changes(patch):
            change(self._around)

    def __iter__(self) -> Iterator[Path]:
        return (self._copies / str(number) for number in range(len(self._seen)))

    def look(self) -> None:
        """Keep a copy of how it is now, unless it was like this before."""
        state = _state(self._root)
        if state not in self._seen:
            shutil.copytree(self._root, self._copies / str(len(self._seen)), ignore=NOT_STATE)
            self._seen.append(state)

    def _around(self, change: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self._looking:
            watched, self.on = self.on, False
            try:
                if watched:
                    self.look()
                done = change(*arguments, **named)
                if watched:
                    self.look()
                return done
            finally:
                self.on = watched


class Disk:
    """Fails every change from the n-th on, while `on` and until `repaired`: also what frees room.

    For the disk of one of several hosts, and one that is full or broken, see `OneDisk`.
    """

    def __init__(self, patch: pytest.MonkeyPatch, number: int, code: int = errno.ENOSPC) -> None:
        self.on = self.failed = self.repaired = False
        self._left = number
        self._code = code
        for change in changes(patch, records=False):
            change(self._around)

    def _around(self, change: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        of_the_process = str(arguments[0]).endswith(OF_THE_PROCESS)
        if self.on and not self.repaired and not of_the_process:
            self._left -= 1
            if self._left <= 0:
                self.failed = True
                raise OSError(self._code, os.strerror(self._code))
        return change(*arguments, **named)


class OneDisk:
    """The disk of one host, whose state is under `root`: from the n-th change on it has failed.

    With ENOSPC it is full: nothing new is written, but what is there can be renamed and removed.
    With EIO every change fails, the records' too.
    """

    def __init__(self, patch: pytest.MonkeyPatch, root: Path, number: int, code: int) -> None:
        self.on = self.failed = self.repaired = False
        self._root = str(root)
        self._left = number
        self._code = code
        for where, name in (*CHANGES, (os, "write"), (Sheet, "_ask")):
            self._watch(patch, where, name, frees=name in FREEING)

    def _watch(self, patch: pytest.MonkeyPatch, where: Any, name: str, *, frees: bool) -> None:
        real = getattr(where, name)

        def change(*arguments: Any, **named: Any) -> Any:
            concerned = self.on and not self.repaired and self._is_change(arguments)
            if concerned and not (frees and self._code == errno.ENOSPC):
                self._left -= 1
                if self._left <= 0:
                    self.failed = True
                    raise self._failure(arguments)
            return real(*arguments, **named)

        patch.setattr(where, name, change)

    def _is_change(self, arguments: tuple[Any, ...]) -> bool:
        match arguments:
            case (Sheet(_path=path), str(statement), *_):
                return _is_of(path, self._root) and statement.startswith(WRITING)
            case (int(descriptor), *_):
                return _is_of(_file(descriptor), self._root)
            case (path, *_):
                return _is_of(path, self._root)
        return False

    def _failure(self, arguments: tuple[Any, ...]) -> Exception:
        if not isinstance(arguments[0], Sheet):
            return OSError(self._code, os.strerror(self._code))
        full = self._code == errno.ENOSPC
        why = sqlite3.OperationalError("database or disk is full" if full else "disk I/O error")
        why.sqlite_errorcode = sqlite3.SQLITE_FULL if full else sqlite3.SQLITE_IOERR
        return why


def _file(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def _is_of(path: Any, root: str) -> bool:
    """Whether this is a file of that state folder, and not one of the running process."""
    text = str(path)
    return text.startswith(root + os.sep) and not text.endswith(OF_THE_PROCESS)


def changes(
    patch: pytest.MonkeyPatch, *, records: bool = True
) -> Iterator[Callable[[Callable[..., Any]], None]]:
    """Everything that changes files here; each can be given something to be called around it."""
    for where, name in (*CHANGES, *([(Sheet, "_ask")] if records else ())):
        real = getattr(where, name)

        def give(around: Callable[..., Any], where: Any = where, name: str = name) -> None:
            real = getattr(where, name)
            patch.setattr(where, name, lambda *a, **n: around(real, *a, **n))

        assert callable(real)
        yield give


def _state(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in files
        if path.name not in OF_THE_PROCESS and not path.name.endswith("-shm")
    }
