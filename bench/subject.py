"""What is measured: our daemon, or only our listener with the HTTP stack behind it.

Both are a Subject; the harness knows no difference.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import processes, stack
from bench.load import Job
from bench.processes import ADDRESS, Server
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity, pool_host
from pooltrust.terms import POOL_NAME, HostId
from pooltrust.trust.entry import SignedEntry

_PROGRAM = "import sys; from pooltrust.command.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Subject:
    """A running server of ours.

    The identities are PEM files with key and certificate, so that others can serve with the same
    keys.  `body` is a JSON-RPC request that it answers with `reply`, over and over.  `hello` are the
    facts for bench/hello.py; None if this subject speaks HTTP under the pool name too.
    """

    server: Server
    server_identity: Path
    pool_identity: Path
    body: str
    reply: str
    hello: dict[str, str] | None

    def client_job(self, server: Server, **how: Any) -> Job:
        """A client's job at `server`, which has our server identity."""
        identity = str(self.server_identity)
        return Job(ADDRESS, server.port, identity, self.body, self.reply, **how)

    def member_job(self, server: Server, **how: Any) -> Job:
        """A member's job at `server`, which has our pool identity; with the hello if it is we."""
        identity = str(self.pool_identity)
        hello = self.hello if server is self.server else None
        more = {"name": POOL_NAME, "identity": identity, "hello": hello, **how}
        return Job(ADDRESS, server.port, identity, self.body, self.reply, **more)


def start(folder: Path, kind: KeyKind = KeyKind.RSA2048) -> Subject:
    """Set up a host in `folder` and run its daemon: a pool of one, with this server key.

    Raises RuntimeError if it does not start.
    """
    folder.mkdir(parents=True)
    port = processes.free_port()
    config, state = folder / "pooltrust.toml", folder / "state"
    config.write_text(
        f'[host]\nname = "bench"\naddress = "{ADDRESS}"\nport = {port}\n'
        f'[state]\nfolder = "{state}"\n[identity]\nserver_key = "{kind}"\n'
        f'[socket]\npath = "{socket_of(folder)}"\n'
    )
    told = _run(host_command(folder, "init"))
    (folder / "password").write_text(_password(told))
    server = processes.start("pooltrust", host_command(folder, "run"), port, folder / "log")
    pool_identity = _only(state, "pool")
    founded = SignedEntry.from_line((state / "trust.log").read_bytes().splitlines(True)[0])
    me = pool_host(Identity.read(pool_identity.read_bytes()).certificate)
    identity = _only(state, "server")
    body, reply = _conversation(identity, port, told)
    return Subject(server, identity, pool_identity, body, reply, _hello(founded.hash, me))


def host_command(folder: Path, word: str) -> list[str]:
    """`pooltrust host init` or `run` for the host in this folder."""
    return [
        sys.executable,
        "-c",
        _PROGRAM,
        "host",
        word,
        "--config",
        str(folder / "pooltrust.toml"),
    ]


def start_listener(folder: Path, kind: KeyKind = KeyKind.RSA2048) -> Subject:
    """Run our listener with aiohttp on uvloop behind it, and no host: HTTP under every name."""
    folder.mkdir(parents=True)
    port, now = processes.free_port(), datetime.now(UTC)
    identity, pool = folder / "server.pem", folder / "pool.pem"
    identity.write_bytes(mint_server_identity(["bench"], [ADDRESS], now, kind=kind).pem())
    host = HostId("6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11")
    pool.write_bytes(mint_pool_identity(host, now).pem())
    serve = ["-m", "bench.stack", "serve", "aiohttp", "uvloop", str(port), str(identity)]
    command = [sys.executable, *serve, "--pool", str(pool)]
    server = processes.start("our listener", command, port, folder / "log")
    return Subject(server, identity, pool, stack.BODY, stack.REPLY, None)


def _hello(pool: str, host: str) -> dict[str, str]:
    return {"pool": pool, "host": host}


def _run(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if ran.returncode:
        raise RuntimeError(f"pooltrust host init failed: {ran.stderr[-2000:]}")
    return ran.stdout


def _only(state: Path, sort: str) -> Path:
    (file,) = (state / "identities").glob(f"{sort}-*.pem")
    return file


def _conversation(identity: Path, port: int, told: str) -> tuple[str, str]:
    """Log in as the administrator; a request with that session, and what it is answered with."""
    login = ["root", _password(told), "1.0", "bench"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(identity)
    connection = http.client.HTTPSConnection(ADDRESS, port, context=context, timeout=30)
    session = json.loads(_call(connection, _request("session.login_with_password", login)))
    body = _request("pool.get_all", [session["result"]])
    return body, _call(connection, body)


def _password(told: str) -> str:
    found = re.search(r"password +(\S+)", told)
    if found is None:
        raise RuntimeError("pooltrust host init printed no password")
    return found[1]


def socket_of(folder: Path) -> Path:
    """Where the daemon in this folder answers local root."""
    return folder / "host.sock"


def _request(method: str, parameters: list[str]) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1})


def _call(connection: http.client.HTTPSConnection, body: str) -> str:
    connection.request("POST", "/jsonrpc", body, {"Content-Type": "application/json"})
    reply = connection.getresponse().read().decode()
    if "result" not in json.loads(reply):
        raise RuntimeError(f"the daemon answered {reply[:500]}")
    return reply
