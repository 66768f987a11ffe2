"""The program, which kills itself at a numbered moment: `python -m killed.dying ORDERS host run …`.

A moment is right before each change of a file, each commit of the database, each message to
another host and each answer to a client, and before and after each step of an operation.  They are
counted while the file ORDERS is there and kept beside it; it holds the number of the last one.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pooltrust.command.main import main
from pooltrust.host.meeting import joining
from pooltrust.host.records.sheet import Sheet
from pooltrust.host.serving import web
from pooltrust.tls.frames import Frames

really_unlink = os.unlink
FILES = ("fsync", "unlink", "rename", "replace", "mkdir", "rmdir")
OF_THE_PROCESS = ("lock", ".sock")
FOR_GOOD = ("COMMIT", "VACUUM", "PRAGMA wal_checkpoint")
"""Statements after which the database is another one for who opens it."""
SURE_SECONDS = 3.0
"""How long a joiner is in doubt: a minute in the program, for coordinators slower than ours."""
HANDS = "pooltrust.host.operations.hands"


class Moments:
    """Counts them, tells of each, and is the death of this process."""

    def __init__(self, orders: Path) -> None:
        self._orders = orders
        self._told = orders.with_suffix(".moments")
        self._count = 0
        self._one = threading.RLock()

    def now(self, what: str) -> None:
        with self._one:
            try:
                last = int(self._orders.read_text())
            except FileNotFoundError:
                self._count = 0
                return
            self._count += 1
            with self._told.open("a") as told:
                told.write(f"{what}\n")
            if self._count == last:
                really_unlink(self._orders)  # so that whoever takes them back knows
                os.kill(os.getpid(), signal.SIGKILL)


def watch(moments: Moments) -> None:
    """Have the program tell of every moment."""
    for name in FILES:
        _before(moments, os, name, _file)
    _before(moments, Sheet, "_ask", _statement)
    _before(moments, Frames, "send", _message)
    _around(moments, web, "dispatch", before=False)
    try:
        hands = importlib.import_module(HANDS).Hands
    except ModuleNotFoundError:
        return
    _around(moments, hands, "do", before=True)


def _before(
    moments: Moments, where: Any, name: str, words: Callable[[str, tuple[Any, ...]], str]
) -> None:
    real = getattr(where, name)

    def told(*arguments: Any, **named: Any) -> Any:
        if what := words(name, arguments):
            moments.now(what)
        return real(*arguments, **named)

    setattr(where, name, told)


def _around(moments: Moments, where: Any, name: str, *, before: bool) -> None:
    real = getattr(where, name)

    async def told(*arguments: Any, **named: Any) -> Any:
        what = getattr(arguments[1], "kind", "") if len(arguments) > 1 else ""
        if before:
            moments.now(f"before {name} {what}")
        result = await real(*arguments, **named)
        moments.now(f"after {name} {what}")
        return result

    setattr(where, name, told)


def _file(name: str, arguments: tuple[Any, ...]) -> str:
    of = arguments[0]
    path = os.readlink(f"/proc/self/fd/{of}") if isinstance(of, int) else os.fspath(of)
    nothing = name == "unlink" and os.path.isabs(path) and not os.path.lexists(path)
    return "" if nothing or path.endswith(OF_THE_PROCESS) else f"{name} {Path(path).name[:30]}"


def _statement(_name: str, arguments: tuple[Any, ...]) -> str:
    statement = str(arguments[1])
    return statement if statement.startswith(FOR_GOOD) else ""


def _message(_name: str, arguments: tuple[Any, ...]) -> str:
    frame = arguments[1]
    if "hello" in frame or frame.keys() == {"head"}:
        return ""  # nobody's state has changed since the moment before
    return f"send {frame.get('call') or ', '.join(sorted(frame))}"


if __name__ == "__main__":
    watch(Moments(Path(sys.argv[1])))
    joining.SURE_SECONDS = SURE_SECONDS
    sys.exit(main(sys.argv[2:]))
