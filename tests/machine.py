"""The machine that the tests run on: which package brings a program, free ports, an ordinary user.

Knows nothing of pytest; conftest.py offers what is here to the tests.
"""

from __future__ import annotations

import os
import pickle
import random
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

PACKAGES = Path(__file__).resolve().parent.parent / "packages.debian"
NOBODY = 65534

T = TypeVar("T")


def package(program: str) -> str:
    """The Debian package of a program.  Raises LookupError if packages.debian lacks it."""
    for line in PACKAGES.read_text().splitlines():
        words = line.split()
        if words and words[0] != "#" and words[1] == program:
            return words[0]
    raise LookupError(f"{program} is not in packages.debian, so nobody would install it")


def find_free_port(*addresses: str) -> int:
    """A TCP port that is free on all of these addresses (127.0.0.1 if none is given).

    Below the range from which the system takes ports for outgoing connections, so that a test that
    opens many of them does not take it away before the server is up.  Raises OSError.
    """
    for port in random.sample(range(20_000, 32_000), 200):
        if all(is_free(address, port) for address in addresses or ("127.0.0.1",)):
            return port
    raise OSError(f"no free port on {addresses}")


def is_free(address: str, port: int) -> bool:
    """Whether nobody listens there, or did until just now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class OrdinaryUser:
    """A user whom permissions bind, even if the tests run as root.

    `folder` is an empty folder of this user that it can reach (pytest's own is root's alone).
    """

    uid: int
    folder: Path

    def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call this in a forked child as that user; its result comes back, its exception is raised."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            self._in_child(write, function, arguments)
        os.close(write)
        with open(read, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        if not answer:
            raise ChildProcessError("the child ended without an answer")
        returned, value = pickle.loads(answer)
        if not returned:
            raise value
        return value  # type: ignore[no-any-return]

    def _in_child(self, write: int, function: Callable[..., T], arguments: Any) -> None:
        answer: tuple[bool, object]
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(self.uid)
                os.setuid(self.uid)
            answer = (True, function(*arguments))
        except BaseException as why:  # noqa: BLE001  it is raised again, by the parent
            answer = (False, why)
        try:
            with open(write, "wb") as pipe:
                pipe.write(pickle.dumps(answer))
        finally:
            os._exit(0)


@contextmanager
def ordinary_user() -> Iterator[OrdinaryUser]:
    """Uid 65534 if the tests run as root, otherwise who runs them; with a folder, removed after."""
    uid = os.getuid() or NOBODY
    folder = Path(tempfile.mkdtemp(prefix="pooltrust-ordinary-"))
    os.chown(folder, uid, -1)
    try:
        yield OrdinaryUser(uid, folder)
    finally:
        shutil.rmtree(folder)
