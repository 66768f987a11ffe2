"""npm's xen-api in a process of its own, driven and heard by lines of JSON: see npm/client.mjs."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npm import installed
from pools.stage import Host

HERE = Path(__file__).with_name("npm")
PATIENCE = 30.0
"""Seconds; what is waited for takes far less."""


class XenApi:
    """One client.  Everything that it tells is kept, in order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self.told: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first thing that it tells, or has told, that is wanted."""
        heard = 0
        until = time.monotonic() + PATIENCE
        while True:
            for one in self.told[heard:]:
                if wanted(one):
                    return one
            heard = len(self.told)
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                line = ""
            assert line, f"it ended, or told nothing for {PATIENCE:g} s, after {self._last()}"
            self.told.append(json.loads(line))

    def _last(self) -> str:
        return f"{len(self.told)} lines, the last of them {json.dumps(self.told[-1:])[:500]}"

    def call(self, method: str, *parameters: object) -> Any:
        """Have it make a call; returns the result, or the error as a list.  One at a time."""
        before = sum(_is_answer(one) for one in self.told)
        self.say(method, *parameters)
        answers = iter(range(10**6))
        answer = self.hear(lambda one: _is_answer(one) and next(answers) == before)
        return answer["result"] if "result" in answer else answer["error"]

    def say(self, method: str, *parameters: object) -> None:
        """Have it make a call, and do not wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, *parameters]) + "\n")
        self._process.stdin.flush()

    def objects(self) -> dict[str, list[dict[str, Any]]]:
        """What it had when it was connected, by type."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.hear(lambda one: "ready" in one)["ready"]:
            found.setdefault(one["$type"], []).append(one)
        return found

    def changed(self, ref: str, **fields: object) -> dict[str, Any]:
        """The object with this reference, once it has these fields."""

        def fits(one: dict[str, Any]) -> bool:
            return one["$ref"] == ref and all(one.get(key) == of for key, of in fields.items())

        kinds = ("add", "update")
        one = self.hear(lambda said: any(fits(o) for kind in kinds for o in said.get(kind, ())))
        return next(o for kind in kinds for o in one.get(kind, ()) if fits(o))

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


def _is_answer(one: dict[str, Any]) -> bool:
    return "result" in one or "error" in one


@contextmanager
def connected(to: Host, password: str, trusted: Sequence[Host]) -> Iterator[XenApi]:
    """A client of this host that trusts these hosts' server identities, and nobody else's."""
    anchors = to.folder / "trusted-by-node.pem"
    anchors.write_text("".join((host.folder / "server.pem").read_text() for host in trusted))
    process = subprocess.Popen(
        ["node", installed(HERE, "client.mjs", "npm"), f"https://{to.address}:{to.port}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PASSWORD": password, "NODE_EXTRA_CA_CERTS": str(anchors)},
    )
    try:
        yield XenApi(process)
    finally:
        process.kill()
        process.wait()
