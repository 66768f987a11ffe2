"""The log of a host: one line per event on stderr, `time level event key=value ...`.

Whatever text comes in, a line stays one line and its values stay its values.  Facts whose name says
that they are secret are refused, so no secret gets here by a slip.  What is logged over and over is
damped by damping.py.  Lines of the libraries come out in the same form.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from pooltrust.host.telling.damping import Damping

Fact = object

LONGEST_VALUE = 1000
"""Characters of one value; the rest is cut."""

_SECRET = {"password", "passwd", "secret", "code", "key", "session", "token", "private"}
_PLAIN = re.compile(r"[A-Za-z0-9_.,:;/@+%*!?<>()\[\]{}#~^|&$-]+")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_FACTS = "pooltrust_facts"


class Journal:
    """Where the daemon tells what happens.  Make one with `open`.

    Every method takes the event (`in-lower-case`) and its facts by name.  Raises ValueError for a
    name that is none, or that says it is secret, and for bytes: they may be a key.
    """

    def __init__(
        self, logger: logging.Logger, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._monotonic = monotonic
        self._damping = Damping()

    @classmethod
    def open(cls, level: str, stream: TextIO | None = None) -> Journal:
        """Log to this stream (stderr), at least of this level; the libraries' lines too."""
        handler = logging.StreamHandler(stream or sys.stderr)
        handler.setFormatter(_Lines())
        logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
        logging.captureWarnings(capture=True)
        return cls(logging.getLogger("pooltrust"))

    def debug(self, event: str, **facts: Fact) -> None:
        """For who looks for a fault in this program."""
        self._log(logging.DEBUG, event, facts)

    def event(self, event: str, **facts: Fact) -> None:
        """Something happened as it should."""
        self._log(logging.INFO, event, facts)

    def warning(self, event: str, **facts: Fact) -> None:
        """Somebody may have to do something."""
        self._log(logging.WARNING, event, facts)

    def error(self, event: str, **facts: Fact) -> None:
        """Something failed and somebody has to do something."""
        self._log(logging.ERROR, event, facts)

    def defect(self, event: str, why: BaseException, **facts: Fact) -> None:
        """A fault of this program, with where in it."""
        self._log(logging.ERROR, event, facts, why)

    def damped(self, event: str, *, peer: str, reason: str, **facts: Fact) -> None:
        """A warning that may come often: one line per (event, peer, reason) and minute.

        `reason` is one of a few fixed words; what the peer chooses goes among the facts.
        """
        _check(event, facts)
        self.flush()
        if self._damping.admits((event, peer, reason), self._monotonic()):
            self.warning(event, peer=peer, reason=reason, **facts)

    def flush(self) -> float | None:
        """Tell how many lines were swallowed in the intervals that are over.

        Returns the seconds until it should be called again, None if there is nothing to wait for.
        """
        now = self._monotonic()
        for swallowed in self._damping.over(now):
            event, peer, reason = swallowed.what
            self._swallowed(event, peer, reason, swallowed.count)
        return self._damping.next_over(now)

    def close(self) -> None:
        """Tell what is still untold."""
        for swallowed in self._damping.over(float("inf")):
            event, peer, reason = swallowed.what
            self._swallowed(event, peer, reason, swallowed.count)

    def _swallowed(self, event: str, peer: str, reason: str, count: int) -> None:
        self.warning(event, peer=peer, reason=reason, suppressed=count)

    def _log(
        self,
        level: int,
        event: str,
        facts: Mapping[str, Fact],
        why: BaseException | None = None,
    ) -> None:
        _check(event, facts)
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={_FACTS: facts}, exc_info=why)


class _Lines(logging.Formatter):
    """A record of ours or of a library as one line."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Fact] | None = getattr(record, _FACTS, None)
        if facts is None:
            event, facts = "message", {"from": record.name, "text": record.getMessage()}
        else:
            event, facts = record.getMessage(), dict(facts)
        if record.exc_info and record.exc_info[1] is not None:
            facts |= _where(record.exc_info[1])
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return line(f"{at}.{int(record.msecs):03}Z", record.levelname.lower(), event, facts)


def line(at: str, level: str, event: str, facts: Mapping[str, Fact]) -> str:
    """One line, without its end: values with anything but plain characters are quoted."""
    told = (f"{name}={_value(fact)}" for name, fact in facts.items())
    return " ".join([at, level, event, *told])


def _check(event: str, facts: Mapping[str, Fact]) -> None:
    for name in (event, *facts):
        if not _NAME.fullmatch(name):
            raise ValueError(f"not the name of an event or a fact: {name[:50]!r}")
    for name, fact in facts.items():
        if _SECRET & set(re.split("[_-]", name)) or isinstance(
            fact, bytes | bytearray | memoryview
        ):
            raise ValueError(f"{name} may be secret and is not logged")


def _value(fact: Fact) -> str:
    if isinstance(fact, bool) or fact is None:
        return {True: "yes", False: "no", None: "-"}[fact]
    text = str(fact)
    if len(text) > LONGEST_VALUE:
        text = text[:LONGEST_VALUE] + "…"
    if _PLAIN.fullmatch(text) and text != "-":
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _where(why: BaseException) -> dict[str, Fact]:
    frames = traceback.extract_tb(why.__traceback__)[-6:]
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    file = frames[-1].filename.rpartition("/")[2] if frames else "-"
    return {"failure": type(why).__name__, "why": str(why), "file": file, "where": where}
