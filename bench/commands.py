"""`xe host-list` from the start of its process to its exit, beside what else one could run.

Over the Unix socket and over TLS, next to the bare interpreter and the same question through the
XenAPI module.  All of them run in turn, so that a busy machine is busy for all.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pooltrust
from bench.processes import ADDRESS
from bench.subject import socket_of

XE = Path(pooltrust.__file__).parent / "xe" / "xe"
PYTHON = [sys.executable, "-I", "-S"]
TURNS = 6
"""Runs of each command in a round."""
MODULE = """
import ssl, sys, xmlrpc.client, XenAPI
context = ssl.create_default_context(cafile=sys.argv[1])
context.check_hostname = False
transport = xmlrpc.client.SafeTransport(context=context)
session = XenAPI.Session(sys.argv[2], transport=transport)
session.login_with_password("root", sys.argv[3])
for host in session.xenapi.host.get_all_records().values():
    print(host["uuid"], host["name_label"], host["name_description"])
session.logout()
"""


def report(folder: Path, port: int, rounds: int) -> None:
    """Run them against the daemon in this folder, and print a table."""
    home = folder / "home"
    home.mkdir()
    commands = _commands(folder, port)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    for words in commands.values():
        _run(words, environment)  # the first time a host is met it is asked who it is
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds * TURNS):
        for name, words in commands.items():
            times[name].append(_run(words, environment))
    bare = statistics.median(times["the bare interpreter"])
    print("\nA command from start to exit\n")
    print(f"{'':32}{'ms, median':>11}{'beyond the interpreter':>24}")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:32}{median:>11.1f}{median - bare:>24.1f}")


def _commands(folder: Path, port: int) -> Mapping[str, Sequence[str]]:
    password = (folder / "password").read_text()
    identity = str(next((folder / "state" / "identities").glob("server-*.pem")))
    xe = [*PYTHON, str(XE)]
    remote = ["-s", ADDRESS, "-p", str(port), "-u", "root", "-pw", password]
    return {
        "the bare interpreter": [*PYTHON, "-c", "pass"],
        "xe host-list, Unix socket": [*xe, "--socket", str(socket_of(folder)), "host-list"],
        "xe host-list, TLS": [*xe, *remote, "--no-warn-new-certificates", "host-list"],
        "the XenAPI module, TLS": [
            sys.executable, "-c", MODULE, identity, f"https://{ADDRESS}:{port}", password,
        ],
    }  # fmt: skip


def _run(words: Sequence[str], environment: Mapping[str, str]) -> float:
    """Milliseconds.  Raises RuntimeError with its words if it fails."""
    began = time.perf_counter()
    ran = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=60)
    taken = (time.perf_counter() - began) * 1e3
    if ran.returncode:
        raise RuntimeError(f"{words[:4]} failed: {ran.stderr[-2000:]}")
    return taken
