"""The project's own files, for the tests that read them: as text, and as names of modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SRC = PROJECT / "src"

NOT_OURS = {"build", "node_modules", "pool", "__pycache__"}


def project_files(*suffixes: str) -> Iterator[Path]:
    """Every file of the project with one of these suffixes (all, if none is given), sorted.

    Folders that begin with a dot are left out, but for `.ci`; so is what is made, not written.
    """
    waiting = [PROJECT]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.name in NOT_OURS or path.name.endswith(".egg-info"):
                continue
            if path.is_dir():
                if not path.name.startswith(".") or path.name == ".ci":
                    waiting.append(path)
            elif not suffixes or path.suffix in suffixes:
                yield path


def modules() -> Mapping[str, str]:
    """The text of every module of the program by its dotted name.

    A package is named with its file (`pooltrust.pki.__init__`), so that it can be told from a module.
    """
    return {
        ".".join(path.relative_to(SRC).with_suffix("").parts): path.read_text()
        for path in project_files(".py")
        if path.is_relative_to(SRC)
    }
