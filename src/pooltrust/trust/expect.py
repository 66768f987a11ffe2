"""Whom a connection expects.

Values only: nothing here opens a connection.  See tls/dial.py for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pooltrust.terms import HostId, Thumbprint


@dataclass(frozen=True, slots=True)
class Member:
    """One given host of the pool: exactly the certificates that the roster accepts from *it*.

    Made by `Roster.expect(host)`.  Another member's certificate is refused.
    """

    host: HostId
    name: str
    accepted: frozenset[Thumbprint]

    def __str__(self) -> str:
        return f"{self.name} ({self.host}) with {_either(self.accepted)}"


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody with a certificate for this name, chained to one of these anchors (DER).

    Nothing in that chain is named by one of the revocation lists (DER).
    """

    name: str
    anchors: tuple[bytes, ...]
    revocations: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return f"a server certified as {self.name}"


@dataclass(frozen=True, slots=True)
class Pinned:
    """Whoever holds the key of exactly this certificate."""

    thumbprint: Thumbprint

    def __str__(self) -> str:
        return f"the holder of certificate {self.thumbprint}"


@dataclass(frozen=True, slots=True)
class Anyone:
    """Nobody in particular: the dial returns whom it met.  A test counts where it is built."""

    because: str

    def __str__(self) -> str:
        return f"anyone ({self.because})"


Expectation: TypeAlias = Member | Server | Pinned | Anyone


def _either(accepted: frozenset[Thumbprint]) -> str:
    if not accepted:
        return "no certificate at all (it was withdrawn)"
    return "certificate " + " or ".join(str(thumbprint) for thumbprint in sorted(accepted))
