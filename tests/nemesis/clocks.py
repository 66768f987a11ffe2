"""Clocks of daemons in the hands of the tests, by libfaketime (Debian: faketime).

Only the time of day is changed: the monotonic clock must go on, or Python's waits hang.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DAY = 86_400.0
YEAR = 365.25 * DAY


def library() -> Path | None:
    """libfaketime for programs with threads, wherever this architecture has it."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


@dataclass
class Clock:
    """The clock of one daemon.  `file` says how far it is off; the daemon looks at each reading."""

    file: Path
    off: float = 0.0

    def set(self, seconds: float) -> None:
        """Have it go wrong by so many seconds, from now on."""
        self.off = seconds
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+.0f}\n")
        os.replace(new, self.file)  # the daemon may be reading it

    @property
    def environment(self) -> dict[str, str]:
        """What a daemon needs in its environment to be fooled."""
        preload = library()
        assert preload is not None, "tests that move clocks are marked needs('faketime')"
        return {
            "LD_PRELOAD": str(preload),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }
