"""Somebody who comes to a host as a member would, with an identity that no pool has accepted."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import POOL_NAME, HostId, Thumbprint
from pooltrust.tls.dial import dial
from pooltrust.trust.expect import Pinned

STRANGER = HostId("11111111-2222-4333-8444-555555555555")


async def knock(address: str, port: int, shows: Thumbprint, folder: Path) -> None:
    """Connect to the host that shows this certificate, by the pool's name, until it refuses."""
    file = folder / "stranger.pem"
    file.write_bytes(mint_pool_identity(STRANGER, datetime.now(UTC)).pem())
    connection = await dial(address, port, expect=Pinned(shows), name=POOL_NAME, identity=file)
    with suppress(OSError):
        assert await connection.reader.read() == b""
    await connection.close()
