"""Getters and lists of the daemon beside the bare HTTP stack, which answers the same bytes.

The bare stack is our listener with aiohttp behind it: it reads the request's JSON and gives a fixed
reply.  What is between the two is what a call costs: session, roles, types, record and encoding.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import processes
from bench.calls import many
from bench.calls.many import Pool
from bench.load import Job
from bench.measure import Rounds, figures, interleaved
from bench.processes import ADDRESS, Server

BARE = "bare stack"


def rounds_of(pool: Pool, folder: Path, body: str, seconds: float, rounds: int) -> Rounds:
    """One call of the daemon in turn with the bare stack that gives the same answer."""
    folder.mkdir()
    (folder / "reply").write_bytes(_answer(pool, body))
    with bare(folder, pool.identity) as stack:
        return interleaved(
            {
                server.name: partial(figures, _job(pool, server, body, folder, seconds), server.pid)
                for server in (pool.server, stack)
            },
            rounds,
        )


@contextmanager
def bare(folder: Path, identity: Path) -> Iterator[Server]:
    """The bare stack with this identity, giving the reply in this folder."""
    port = processes.free_port()
    serve = ["-m", "bench.stack", "serve", "aiohttp", "uvloop", str(port), str(identity)]
    command = [sys.executable, *serve, "--reply", str(folder / "reply")]
    server = processes.start(BARE, command, port, folder / "log")
    try:
        yield server
    finally:
        server.stop()


def _answer(pool: Pool, body: str) -> bytes:
    return many.posted(pool.server.port, pool.identity, body)


def _job(pool: Pool, server: Server, body: str, folder: Path, seconds: float) -> Job:
    reply = (folder / "reply").read_text()
    return Job(
        ADDRESS, server.port, str(pool.identity), body, reply, keep_alive=True, seconds=seconds
    )
