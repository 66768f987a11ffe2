"""Many clients that wait for events: how soon the last of them hears of a change, and their memory.

`python -m bench.calls.waiting` reads what to do as JSON from its input: it is the clients, in a
process of its own.  It prints a line when all of them wait, makes the change when it reads another
line, and prints when each has heard of it (seconds after the change was answered).
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.calls.many import Pool, request
from bench.measure import memory
from bench.processes import ADDRESS, load_cores

CLIENTS = 500
ORIGINS = 20


@dataclass(frozen=True)
class Heard:
    """When the clients heard, in seconds after the change was made; KB of the server for each."""

    first: float
    median: float
    last: float
    memory: float


def measure(pool: Pool, clients: int) -> Heard:
    """Have so many clients wait for a change of the pool, then change it."""
    [ref] = pool.call("pool.get_all")
    token = pool.call("event.from", ["pool"], "", 0.0)["token"]
    before = memory(pool.server.pid)
    job = {
        "port": pool.server.port,
        "anchor": str(pool.identity),
        "clients": clients,
        "wait": request("event.from", [pool.session, ["pool"], token, 120.0]),
        "change": request("event.inject", [pool.session, "pool", ref]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.calls.waiting"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "waiting\n":
            raise RuntimeError("the clients did not come to wait")
        taken = memory(pool.server.pid) - before
        process.stdin.write("go\n")
        process.stdin.flush()
        heard = sorted(json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
    if len(heard) != clients:
        raise RuntimeError(f"{len(heard)} of {clients} clients heard of the change")
    return Heard(heard[0], heard[len(heard) // 2], heard[-1], taken * 1e3 / clients)


async def wait_all(job: dict[str, Any]) -> None:
    """Be the clients."""
    os.sched_setaffinity(0, load_cores())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(job["anchor"])
    changing = await asyncio.open_connection(ADDRESS, job["port"], ssl=context)
    connections = []
    for number in range(job["clients"]):
        # From several addresses: one alone may not hold so many connections.
        origin = (f"127.0.0.{2 + number % ORIGINS}", 0)
        connections.append(
            await asyncio.open_connection(ADDRESS, job["port"], ssl=context, local_addr=origin)
        )
        _send(connections[-1][1], job["wait"])
    answers = [asyncio.create_task(_heard(reader)) for reader, _ in connections]
    await asyncio.sleep(1.0)  # so that the last one waits, too
    if any(answer.done() for answer in answers):
        raise RuntimeError("somebody was answered before there was anything to tell")
    print("waiting", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    _send(changing[1], job["change"])
    await _heard(changing[0])
    changed = time.perf_counter()
    print(json.dumps([at - changed for at in await asyncio.gather(*answers)]), flush=True)


def _send(writer: asyncio.StreamWriter, body: str) -> None:
    head = f"POST /jsonrpc HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body.encode())


async def _heard(reader: asyncio.StreamReader) -> float:
    """The moment at which an answer was there whole.  Raises RuntimeError for an error."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r")[0])
    answer = json.loads(await reader.readexactly(length))
    if "result" not in answer or answer["result"] in ({}, []):
        raise RuntimeError(f"answered {answer}")
    return time.perf_counter()


if __name__ == "__main__":
    asyncio.run(wait_all(json.loads(sys.stdin.readline())))
