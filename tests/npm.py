"""Packages of npm for tests, at the versions of a lock file; each folder of them is made once."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from sources import PROJECT


def installed(here: Path, program: str, name: str) -> Path:
    """A folder under .venv with this program and the packages that `here`'s lock file names."""
    folder = PROJECT / ".venv" / name
    with (here / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' files run in several processes
        _install(here, folder, lock.read())
        shutil.copy(here / program, folder)
    return folder / program


def _install(here: Path, folder: Path, wanted: str) -> None:
    stamp = folder / "fit-for"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in ("package.json", "package-lock.json"):
        shutil.copy(here / file, folder)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        check=True,
        timeout=300,
    )
    stamp.write_text(wanted)
