"""Reading in a process of its own, with little time and memory and no way to write a file.

Whatever a hostile file asks for (a passphrase stretched for a day, a key of a million bits) ends
with that process; the console goes on.  What is asked and answered goes through pipes: never on a
disk, never in a log.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

import orjson

from pooltrust.errors import Refused, failure

CPU_SECONDS = 6
MEMORY = 1024 * 1024 * 1024
LONGEST_SECONDS = 30.0
"""By the clock on the wall, for a machine that is busy."""
AT_ONCE = 2


@failure(
    "CONSOLE_CANNOT_READ",
    cure="Give the certificate and its key as PEM; from a PKCS#12 file: openssl pkcs12 -in FILE",
)
class TooMuchWork(Refused):
    """This can't be read with a reasonable amount of work.  No host was asked."""


class Reader:
    """Reads what the browser sends."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def read(self, asked: bytes) -> dict[str, Any]:
        """The answer of `child.answer` to this question.  Raises TooMuchWork."""
        async with self._turns:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-B", "-m", "pooltrust.console.reading.child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    said, _ = await child.communicate(asked)
            except TimeoutError:
                said = b""
            finally:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        if child.returncode != 0 or not said:
            raise TooMuchWork
        answer: dict[str, Any] = orjson.loads(said)
        return answer
