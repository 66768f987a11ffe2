"""Reading what `pooltrust demo` prints, as its reader does."""

from __future__ import annotations

import re
from dataclasses import dataclass

LAST_LINE = "Ctrl-C stops the pool."


@dataclass(frozen=True)
class Cell:
    """One cell of the table of handshakes: the beginning of the thumbprint met, and the verdict."""

    met: str
    verdict: str


@dataclass(frozen=True)
class Page:
    """The text of the page, whole or as far as it is printed."""

    text: str

    @property
    def is_whole(self) -> bool:
        return LAST_LINE in self.text

    @property
    def thumbprints(self) -> dict[tuple[str, str], str]:
        """By host and identity."""
        return {(row[0], row[3]): row[4] for row in self.hosts}

    @property
    def hosts(self) -> list[list[str]]:
        """The rows of the table of hosts: host, role, address, identity, thumbprint, validity."""
        return self._table(r"^host +role ")

    @property
    def handshakes(self) -> dict[tuple[str, str], Cell]:
        """The cells of the table of handshakes, by who dialled and who was dialled."""
        columns = ("h1", "h2", "h3")
        cells = {}
        for name, *row in self._table(r"^from "):
            for column, cell in zip(columns, row, strict=True):
                met, _, verdict = cell.partition(" ")
                cells[name, column] = Cell(met.removesuffix("…"), verdict)
        return cells

    def reason(self, dialled_by: str, dialled: str) -> str:
        """Why this cell is red."""
        return self._one(rf"^  {dialled_by} to {dialled}: (.*)$")

    @property
    def password(self) -> str:
        return self._one(r"^Password +(\S+)$")

    @property
    def consoles(self) -> list[str]:
        """The lines that make a shell the console of h1, h2 and h3."""
        return re.findall(r"^  (export .*)$", self.text, re.MULTILINE)

    @property
    def xenapi(self) -> str:
        """The line with the XenAPI module."""
        return self._one(r"^Log in with the XenAPI module.*\n  (.*)$")

    @property
    def openssl(self) -> str:
        """The line with openssl."""
        return self._one(r"^Look at h2 with openssl.*\n  (.*)$")

    def _one(self, pattern: str) -> str:
        [found] = re.findall(pattern, self.text, re.MULTILINE)
        return str(found)

    def _table(self, heading: str) -> list[list[str]]:
        lines = iter(self.text.splitlines())
        for line in lines:
            if re.match(heading, line):
                break
        rows = []
        for line in lines:
            if not re.match(r"h\d ", line):
                break
            rows.append(re.split(r" {2,}", line))
        return rows
