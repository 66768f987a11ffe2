"""Tables for terminals, as plain text.

It knows columns and widths, nothing of pools.  Whatever is in a cell, control characters in it are
shown, never obeyed.  A cell is as wide as a terminal draws it: East Asian wide characters take two
columns, combining marks none.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TextIO

GAP = "  "
NARROWEST = 8
"""Columns to which a column that wraps is narrowed before the table is laid out as a list."""


class Tone(Enum):
    """What a colour says; the text says it too, for those who see none."""

    GOOD = "32"
    BAD = "1;31"
    DUBIOUS = "33"
    HEADING = "1"


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a tone.  A cell may be a plain str as well."""

    text: str
    tone: Tone | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and what becomes of the column where the terminal is too narrow for the table.

    "keep" never changes it (thumbprints, commands to copy), "wrap" breaks it at spaces, "shorten"
    ends it with an ellipsis.
    """

    heading: str
    when_narrow: Literal["keep", "wrap", "shorten"] = "keep"
    right: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a table is drawn for: columns (None: as many as it takes) and whether it has colours."""

    width: int | None = None
    colour: bool = False

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Terminal:
        """The terminal behind a stream; a file or a pipe gets no colour and no narrowing.

        https://no-color.org: a NO_COLOR that is not empty means none; so does TERM=dumb.
        """
        if not stream.isatty():
            return cls()
        dumb = environment.get("TERM", "") in ("", "dumb")
        colour = not dumb and not environment.get("NO_COLOR")
        return cls(shutil.get_terminal_size().columns, colour)


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], terminal: Terminal
) -> str:
    """The table, each line with its end.  Raises ValueError for a row with other columns."""
    body = [[_cell(cell) for cell in row] for row in rows]
    if any(len(row) != len(columns) for row in body):
        raise ValueError("a row has as many cells as there are columns")
    head = [Cell(shown(column.heading), Tone.HEADING) for column in columns]
    natural = [max(width(row[n].text) for row in [head, *body]) for n in range(len(columns))]
    widths = _fitted(columns, head, natural, terminal.width)
    if widths is None:
        return _listed(head, body, terminal)
    lines = [line for row in [head, *body] for line in _row(columns, widths, row, terminal)]
    return "".join(f"{line}\n" for line in lines)


def shown(text: str) -> str:
    """The text with everything that a terminal might obey, or not show, as an escape."""
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def width(text: str) -> int:
    """How many columns a terminal needs for a text that is `shown`."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if character.isascii():
        return 1
    # Marks, and the vowels and finals of decomposed Hangul, join the character before them.
    if unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escape(number: int) -> str:
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _cell(cell: Cell | str) -> Cell:
    return Cell(shown(cell)) if isinstance(cell, str) else Cell(shown(cell.text), cell.tone)


def _fitted(
    columns: Sequence[Column], head: Sequence[Cell], natural: Sequence[int], room: int | None
) -> list[int] | None:
    """Widths with which the table fits; None if there are none, however far it is narrowed."""
    widths = list(natural)
    least = [
        wide if column.when_narrow == "keep" else min(wide, max(NARROWEST, width(heading.text)))
        for column, heading, wide in zip(columns, head, natural, strict=True)
    ]
    over = 0 if room is None else sum(widths) + len(GAP) * (len(widths) - 1) - room
    while over > 0:
        spare = [wide - narrow for wide, narrow in zip(widths, least, strict=True)]
        if not any(spare):
            return None
        widest = max((n for n, s in enumerate(spare) if s), key=lambda n: widths[n])
        widths[widest] -= 1
        over -= 1
    return widths


def _row(
    columns: Sequence[Column], widths: Sequence[int], row: Sequence[Cell], terminal: Terminal
) -> list[str]:
    """The lines of one row: as many as its tallest cell has."""
    parts = [
        _wrapped(cell.text, wide) if column.when_narrow == "wrap" else [_shortened(cell.text, wide)]
        for column, wide, cell in zip(columns, widths, row, strict=True)
    ]
    lines = []
    for number in range(max(map(len, parts), default=0)):
        line = []
        for column, wide, cell, part in zip(columns, widths, row, parts, strict=True):
            text = part[number] if number < len(part) else ""
            space = " " * (wide - width(text))
            told = _toned(text, cell.tone, terminal)
            line.append(space + told if column.right else told + space)
        lines.append(GAP.join(line).rstrip())
    return lines


def _listed(head: Sequence[Cell], rows: Sequence[Sequence[Cell]], terminal: Terminal) -> str:
    """Each row as lines of `heading: cell`, for a terminal too narrow for columns.

    Nothing is cut here: a terminal wraps what is too long, and it can still be copied whole.
    """
    blocks = [
        "".join(
            f"{_toned(heading.text, heading.tone, terminal)}: "
            f"{_toned(cell.text, cell.tone, terminal)}".rstrip()
            + "\n"
            for heading, cell in zip(head, row, strict=True)
        )
        for row in rows
    ]
    return "\n".join(blocks)


def _toned(text: str, tone: Tone | None, terminal: Terminal) -> str:
    if not (terminal.colour and tone and text):
        return text
    return f"\x1b[{tone.value}m{text}\x1b[0m"


def _shortened(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    return _start(text, room - 1).rstrip() + "…"


def _wrapped(text: str, room: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width(joined) <= room:
            line = joined
            continue
        if line:
            lines.append(line)
        while width(word) > room:
            piece = _start(word, room)
            lines.append(piece)
            word = word[len(piece) :]
        line = word
    return [*lines, line]


def _start(text: str, room: int) -> str:
    """As much of the text as fits, marks with the character that they belong to; at least one."""
    end = taken = 0
    while end < len(text) and taken + _width(text[end]) <= room:
        taken += _width(text[end])
        end += 1
    return text[: max(end, 1)]
