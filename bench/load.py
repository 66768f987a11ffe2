"""The load generator: a process of its own that makes verified connections as fast as it can.

Reads one Job as JSON from its input and prints one Done as JSON.  Blocking sockets in a tight loop,
`parallel` processes of them; every certificate and every reply is checked.  It knows no server.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import ssl
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import load_cores

WARM_UP = 5


@dataclass(frozen=True)
class Job:
    """What to do; `seconds` for how long, after a few connections to warm up.

    `anchor` is a file with the one certificate (PEM) that must be met.  With a `name` (SNI) the
    certificate need not name the address.  `hello` are the facts of the greeting between members
    (see hello.py); without it HTTP is spoken.
    """

    address: str
    port: int
    anchor: str
    body: str
    reply: str
    name: str | None = None
    identity: str | None = None
    hello: dict[str, str] | None = None
    keep_alive: bool = False
    parallel: int = 4
    seconds: float = 1.0


@dataclass(frozen=True)
class Done:
    """What was done: all that were answered, and for the timed ones how long each took (s)."""

    answered: int
    rate: float
    times: list[float] = field(repr=False)


class WrongAnswer(Exception):
    """The server answered something else than it should."""


def main() -> None:
    """Do one job."""
    os.sched_setaffinity(0, load_cores())
    job = Job(**json.load(sys.stdin))
    with multiprocessing.get_context("fork").Pool(job.parallel) as workers:
        done = workers.map(work, [job] * job.parallel)
    whole = Done(
        sum(each.answered for each in done),
        sum(each.rate for each in done),
        [spent for each in done for spent in each.times],
    )
    json.dump(asdict(whole), sys.stdout)


def work(job: Job) -> Done:
    """Do the job in this process, one connection at a time."""
    client = Client(job)
    once = client.ask_again if job.keep_alive else client.connect_ask_close
    for _ in range(WARM_UP):
        once()
    times = []
    begun = last = time.perf_counter()
    while last - begun < job.seconds:
        once()
        now = time.perf_counter()
        times.append(now - last)
        last = now
    return Done(len(times) + WARM_UP, len(times) / (last - begun), times)


class Client:
    """One client that remembers its context and, for keep-alive, its connection."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._context = _context(job)
        self._expected = ssl.PEM_cert_to_DER_cert(_first_certificate(Path(job.anchor)))
        self._request = _http_request(job)
        self._reply = job.reply.encode()
        self._greet: Any = None
        if job.hello is not None:
            from bench.hello import Greeting  # the only need of the project's own code here

            self._greet = Greeting(job.hello, Path(str(job.identity)))
        self._kept: ssl.SSLSocket | None = None

    def connect_ask_close(self) -> None:
        """A new connection, one request, its reply."""
        with self._connected() as connection:
            self._ask(connection)

    def ask_again(self) -> None:
        """One request and its reply on the connection that is kept."""
        if self._kept is None:
            self._kept = self._connected()
        self._ask(self._kept)

    def _connected(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self._job.address, self._job.port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = self._job.name or self._job.address
        connection = self._context.wrap_socket(plain, server_hostname=name)
        if connection.getpeercert(True) != self._expected:
            raise WrongAnswer("another certificate than the expected one")
        if self._greet is not None:
            self._greet.greet(connection)
        return connection

    def _ask(self, connection: ssl.SSLSocket) -> None:
        if self._greet is not None:
            self._greet.ask(connection)
            return
        connection.sendall(self._request)
        data = connection.recv(65536)
        while not _whole(data):
            more = connection.recv(65536)
            if not more:
                break
            data += more
        if not (data.startswith(b"HTTP/1.1 200") and data.endswith(b"\r\n\r\n" + self._reply)):
            raise WrongAnswer(data[:300].decode("latin-1"))


def _context(job: Job) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = job.name is None
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=_first_certificate(Path(job.anchor)))
    if job.identity is not None:
        context.load_cert_chain(job.identity)
    return context


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    length = head.lower().partition(b"\ncontent-length:")[2].split(b"\r", 1)[0]
    return bool(end) and len(body) >= int(length or 0)


def _first_certificate(file: Path) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + file.read_text().split(begin)[1].split(end)[0] + end + "\n"


def _http_request(job: Job) -> bytes:
    head = f"POST /jsonrpc HTTP/1.1\r\nHost: {job.address}:{job.port}\r\n"
    head += "Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(job.body)}\r\n\r\n{job.body}".encode("ascii")


if __name__ == "__main__":
    main()
