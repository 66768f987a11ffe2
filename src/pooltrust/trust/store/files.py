"""Putting a file in place as a whole, and knowing what a failed disk has left.

Knows no log and no key: what the bytes mean is said elsewhere.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pooltrust.errors import CannotStore


class NotSynced(OSError):
    """The new file is in place, but a power cut may bring the old one back."""


def unfinished(name: str) -> str:
    """What a file of this name, or of a pattern, is called until it is whole; a crash leaves it."""
    return f".{name}.new"


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Put a file in place as a whole, or not at all.

    Raises OSError; then the old file is still there, unless it is NotSynced.
    """
    temporary = write_beside(path, data, mode)
    put_in_place(temporary, path)
    sync_rename(path)


def write_beside(path: Path, data: bytes, mode: int) -> Path:
    """Write and fsync a temporary file in the same folder.  Raises OSError; then it is gone."""
    temporary = path.with_name(unfinished(path.name))
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with _gone_on_failure(temporary):
        try:
            os.fchmod(descriptor, mode)
            write_all(descriptor, data, 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return temporary


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename over the old file, `sync_rename` to follow.  Raises OSError; then nothing changed."""
    with _gone_on_failure(temporary):
        temporary.rename(path)


def sync_rename(path: Path) -> None:
    """Make the rename that put this file in place last.  Raises NotSynced."""
    try:
        sync_folder(path.parent)
    except OSError as why:
        words = f"it was replaced, but a power cut may bring the old one back ({why})"
        raise NotSynced(why.errno, words) from why


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of it from `offset` bytes on.  Raises OSError; then some may be written."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make what was renamed and removed in a folder last.  Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Translate OSError into CannotStore, naming the file."""
    try:
        yield
    except NotSynced as why:
        raise CannotStore(
            str(path), str(why.strerror), "Repair the disk, then do it again."
        ) from why
    except OSError as why:
        raise CannotStore(str(path), str(why)) from why


@contextlib.contextmanager
def _gone_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
