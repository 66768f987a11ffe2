"""Those who must never be let in, knocking under the pool's name with certificates of their own.

In TLS 1.3 a client sees success before the server has judged it, so each says the first words of a
member and waits: whoever gets a byte back was believed.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pools.stage import Host
from pooltrust.host.peers import wire
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import POOL_NAME, HostId
from pooltrust.trust.store import write_identity

from .field import Field

PAUSE_SECONDS = 0.25
KNOCK_SECONDS = 5.0
FROM = "127.0.22.1"


@dataclass(frozen=True)
class Stranger:
    """Somebody with a certificate and its key, and who it says it is."""

    name: str
    says: HostId
    identity: Path


def self_made(folder: Path, name: str, says: HostId) -> Stranger:
    """Somebody who made itself a certificate in this host's name."""
    identity = folder / f"{name}.pem"
    write_identity(identity, mint_pool_identity(says, datetime.now(UTC)))
    return Stranger(name, says, identity)


def carried_off(folder: Path, host: Host) -> Stranger:
    """Somebody who has what this host has now: its pool identity with the key."""
    [file] = (host.state / "identities").glob("pool-*")
    kept = folder / f"{host.name}-carried-off.pem"
    shutil.copy(file, kept)
    return Stranger(f"a thief of {host.name}'s old key", HostId(host.status()["host"]), kept)


def knock(stranger: Stranger, host: Host, *, pool: str, expect: str) -> bytes:
    """Call as a member of this pool does; returns what was answered, nothing if one was refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(stranger.identity)
    hello = {"hello": 1, "pool": pool, "host": stranger.says, "expect": expect}
    words = json.dumps(hello | {"nonce": wire.b64(secrets.token_bytes(32))}).encode()
    try:
        with (
            socket.create_connection((host.listen, host.port), KNOCK_SECONDS, (FROM, 0)) as plain,
            context.wrap_socket(plain, server_hostname=POOL_NAME) as tls,
        ):
            tls.sendall(len(words).to_bytes(4) + words)
            return tls.recv(4096)
    except OSError:
        return b""


class Knocking:
    """Strangers at every door, from entering the context to leaving it."""

    def __init__(self, field: Field, strangers: list[Stranger], hosts: Mapping[str, str]) -> None:
        """`hosts`: the UUIDs of the members by name."""
        self.refused: Counter[str] = Counter()
        self.believed: list[str] = []
        self._field = field
        self._strangers = strangers
        self._hosts = hosts
        self._pool = str(next(iter(field.hosts.values())).status()["pool"])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._knock_on, name="strangers", daemon=True)

    def __enter__(self) -> Knocking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _knock_on(self) -> None:
        while True:
            for stranger in self._strangers:
                for name, uuid in self._hosts.items():
                    if self._over.wait(PAUSE_SECONDS):
                        return
                    host = self._field[name]
                    answer = knock(stranger, host, pool=self._pool, expect=uuid)
                    if answer:
                        self.believed.append(f"{stranger.name} by {name}: {answer[:200]!r}")
                    else:
                        self.refused[stranger.name] += 1
