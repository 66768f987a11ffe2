"""Running `xe` as a program of its own against hosts in the test's loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooltrust
from daemons import PASSWORD, Host

XE = Path(pooltrust.__file__).parent / "xe" / "xe"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


async def xe(
    *words: str, environment: Mapping[str, str] | None = None, typed: bytes | None = None
) -> Ran:
    """Run `xe` with nothing in its environment but this, and without a terminal."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(XE), *words,
        stdin=asyncio.subprocess.DEVNULL if typed is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **(environment or {})},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(typed), 60)
    assert b"Traceback" not in err, err.decode()
    return Ran(process.returncode or 0, out.decode(), err.decode())


async def console(host: Host, *words: str, typed: bytes | None = None) -> Ran:
    """At the console of this host, as local root."""
    return await xe("--socket", str(host.config.socket), *words, typed=typed)


def remote(host: Host, *words: str) -> tuple[str, ...]:
    """From anywhere, over TLS, as the pool's administrator."""
    port = str(host.config.port)
    return ("-s", host.config.address, "-p", port, "-u", "root", "-pw", PASSWORD, *words)
