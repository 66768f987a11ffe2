"""The glossary as types: the words that every floor uses.

Values only; they know nothing of files, sockets or clocks.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import NewType

HostId = NewType("HostId", str)
"""A host's UUID in canonical lower-case text; it stays the host's for life."""

PoolId = NewType("PoolId", str)
"""The SHA-256 of the pool's founding entry, 64 lower-case hex digits."""

EntryHash = NewType("EntryHash", str)
"""The SHA-256 of one log entry, 64 lower-case hex digits."""

POOL_NAME = "pool"
"""The TLS server name under which members talk: pool identity, client certificate required."""

JOIN_NAME = "pool-join"
"""The TLS server name of first meetings: pool identity, no client certificate."""


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def host_id(text: str) -> HostId:
    """Read a host's UUID.  Raises ValueError unless it is canonical lower-case text."""
    if not _UUID.fullmatch(text):
        raise ValueError(f"not a canonical UUID: {text!r}")
    return HostId(text)


@dataclass(frozen=True, slots=True, order=True)
class Thumbprint:
    """The SHA-256 of a certificate's DER: what one certificate is called everywhere.

    Not a ``str`` on purpose: a name, a SHA-1 or half a thumbprint can't be compared with it.
    """

    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != 32:
            raise ValueError("a thumbprint has 32 bytes")

    @classmethod
    def of(cls, der: bytes) -> Thumbprint:
        """The thumbprint of a certificate in DER."""
        return cls(hashlib.sha256(der).digest())

    @classmethod
    def parse(cls, text: str) -> Thumbprint:
        """Read ``AA:BB:…`` (or the same without colons, in any case).  Raises ValueError."""
        plain = text.strip().replace(":", "")
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", plain):
            raise ValueError(f"not a SHA-256 thumbprint: {text[:100]!r}")
        return cls(bytes.fromhex(plain))

    @property
    def short(self) -> str:
        """The first eight bytes, for tables that people compare by eye."""
        return str(self)[:23]

    def __str__(self) -> str:
        return self.digest.hex(":").upper()

    def __repr__(self) -> str:
        return f"Thumbprint({self.short}…)"
