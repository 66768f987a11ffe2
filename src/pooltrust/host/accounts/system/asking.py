"""Starting the process that asks PAM and the name services, and ending it in time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")
SECONDS = 30.0
"""How long PAM may take; some modules make who guessed wrong wait for seconds."""
AT_ONCE = 4
LONGEST_ANSWER = 256 * 1024


class NoAnswer(Exception):
    """The process did not answer; the words say why."""


class System:
    """Asks one question at a time of each process, and of few processes at a time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def ask(self, question: dict[str, str]) -> dict[str, Any]:
        """The answer.  Raises NoAnswer."""
        async with self._turn:
            return await self._ask(json.dumps(question).encode())

    async def _ask(self, question: bytes) -> dict[str, Any]:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(CHILD),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
                cwd="/",
            )
        except OSError as why:
            raise NoAnswer(why.strerror or str(why)) from why
        try:
            async with asyncio.timeout(self._seconds):
                said, _ = await process.communicate(question)
        except TimeoutError as why:
            _end(process.pid)
            await process.wait()
            raise NoAnswer(f"it took more than {self._seconds:g} s") from why
        except asyncio.CancelledError:
            _end(process.pid)
            raise
        return _answer(said)


def _end(process: int) -> None:
    """Kill a process of ours and all that it has started: pam_exec puts its own in new sessions."""
    ending = [process]
    for one in ending:
        with suppress(OSError):
            ending += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
    for one in ending:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _answer(said: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(said[:LONGEST_ANSWER])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NoAnswer("it broke off: is libpam.so.0 (1.4 or later) installed?")
    return answer
