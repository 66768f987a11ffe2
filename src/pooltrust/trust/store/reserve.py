"""Room kept aside on the disk, so that a host can be dismissed when it is full."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from pooltrust.trust.store.files import replace_file, sync_folder

RESERVE = 64 * 1024
"""Bytes kept aside for a dismissal or a withdrawal on a full disk."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """A file of 64 KiB of nothing.

    Best effort: without it the log still works, until the disk is full.
    """

    path: Path

    def keep(self) -> None:
        """Have it there, if there is room."""
        with contextlib.suppress(OSError):
            if not self.path.exists():
                replace_file(self.path, bytes(RESERVE), 0o600)

    def release(self) -> None:
        """Give the room back to the disk."""
        with contextlib.suppress(OSError):
            self.path.unlink()
            sync_folder(self.path.parent)
