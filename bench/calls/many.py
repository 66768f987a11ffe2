"""A daemon whose pool has many members, of which it is the only one that runs.

Their admissions are written into its log while it is down, each signed as it must be.
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from bench import processes, subject
from bench.processes import ADDRESS, Server
from bench.scale.simulated import Simulated
from bench.subject import Subject
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity, pool_host
from pooltrust.terms import HostId
from pooltrust.trust.log import Log
from pooltrust.trust.store.log_file import LogFile

HOSTS = 64


@dataclass(frozen=True)
class Pool:
    """The daemon, and a session of its administrator."""

    server: Server
    identity: Path
    session: str

    def call(self, method: str, *parameters: Any) -> Any:
        """One call by JSON-RPC; its result.  Raises RuntimeError."""
        return call(self.server.port, self.identity, method, [self.session, *parameters])


def start(folder: Path) -> Pool:
    """Run a daemon in this folder whose pool has so many hosts."""
    founded = subject.start(folder, KeyKind.P256)
    founded.server.stop()
    _admit_others(folder, founded)
    server = processes.start(
        "pooltrust", subject.host_command(folder, "run"), founded.server.port, folder / "log"
    )
    login = ["root", (folder / "password").read_text(), "1.0", "bench"]
    identity = founded.server_identity
    session = call(server.port, identity, "session.login_with_password", login)
    return Pool(server, identity, session)


def call(port: int, identity: Path, method: str, parameters: list[Any]) -> Any:
    """One call by JSON-RPC on a connection of its own; its result.  Raises RuntimeError."""
    answer = json.loads(posted(port, identity, request(method, parameters)))
    if "result" not in answer:
        raise RuntimeError(f"{method}: {answer}")
    return answer["result"]


def posted(port: int, identity: Path, body: str) -> bytes:
    """What a request by JSON-RPC is answered with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(identity)
    connection = http.client.HTTPSConnection(ADDRESS, port, context=context, timeout=60)
    connection.request("POST", "/jsonrpc", body)
    answer = connection.getresponse().read()
    connection.close()
    return answer


def request(method: str, parameters: list[Any]) -> str:
    """The body of a call."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1})


def _admit_others(folder: Path, founded: Subject) -> None:
    file, entries = LogFile.open(folder / "state" / "trust.log")
    key = Identity.read(founded.pool_identity.read_bytes())
    now = datetime.now(UTC)
    server = mint_server_identity(["other.example"], [], now, kind=KeyKind.P256)
    me = pool_host(key.certificate)
    pool = Simulated(Random(1), Log.verify(entries), {me: key}, (server,))
    for number in range(2, HOSTS + 1):
        host = HostId(str(UUID(int=number, version=4)))
        admission = pool.admission(host, mint_pool_identity(host, now))
        signed = pool.append(replace(admission, name=f"h{number}", address=f"127.9.0.{number}"))
        file.append([signed])
    file.close()
