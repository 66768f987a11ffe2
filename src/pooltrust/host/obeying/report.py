"""What a host says of itself while an operation looks: which keys it has, and which it serves.

Values and their spelling between members.  Only public facts: thumbprints, and a switch.
"""

from __future__ import annotations

from dataclasses import dataclass

from pooltrust.host.peers import wire
from pooltrust.terms import Thumbprint

MOST_KEYS = 64


@dataclass(frozen=True, slots=True)
class Report:
    """The pool certificate that a host serves, those it has keys of, its emergency switch."""

    serves: Thumbprint
    keys: frozenset[Thumbprint]
    override: bool

    def content(self) -> wire.Frame:
        """As a frame's content."""
        return {
            "serves": str(self.serves),
            "keys": sorted(map(str, self.keys)),
            "override": self.override,
        }

    @classmethod
    def read(cls, frame: wire.Frame) -> Report:
        """Read what a peer reports.  Raises PeerMisspoke."""
        content = frame.get("report")
        if not isinstance(content, dict):
            raise wire.PeerMisspoke("a report that is no object")
        keys = wire.texts(content, "keys", most=MOST_KEYS)
        serves = wire.text(content, "serves", limit=128)
        return cls(
            _thumbprint(serves), frozenset(map(_thumbprint, keys)), wire.flag(content, "override")
        )


def _thumbprint(text: str) -> Thumbprint:
    try:
        return Thumbprint.parse(text)
    except ValueError as why:
        raise wire.PeerMisspoke("a thumbprint that is none") from why
