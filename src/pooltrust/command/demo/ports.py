"""Is a port free, and if not, who has it?  Read from /proc, as far as one may."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from pooltrust.errors import Refused, failure

LISTENING = "0A"


@failure("PORT_TAKEN", cure="Stop that program, or choose another port: pooltrust demo --port N")
class PortTaken(Refused):
    """Port {port} on {address} is taken by {by}."""

    address: str
    port: int
    by: str


def check_free(addresses: Iterable[str], port: int) -> None:
    """Raises PortTaken, naming the program, if one of these addresses can't be listened on."""
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen()
            except OSError as why:
                if why.errno == errno.EADDRINUSE:
                    raise PortTaken(address, port, holder(address, port)) from why
                raise PortTaken(address, port, why.strerror or str(why)) from why


def holder(address: str, port: int) -> str:
    """The program that listens there, with its process id, in words.  `address`: IPv4."""
    inodes = _inodes(address, port)
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _has(process, inodes):
            return f"{_command(process)} (process {process.name})"
    return "another program (whose process this user may not see)"


def _inodes(address: str, port: int) -> set[str]:
    # proc(5): an address is in hexadecimal, each four bytes of it in the machine's order.
    own = socket.inet_aton(address)[:: 1 if sys.byteorder == "big" else -1].hex().upper()
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            at, _, number = fields[1].rpartition(":")
            taken = at.endswith(own) or not at.strip("0")
            if fields[3] == LISTENING and int(number, 16) == port and taken:
                found.add(f"socket:[{fields[9]}]")
    return found


def _has(process: Path, inodes: set[str]) -> bool:
    try:
        return any(str(entry.readlink()) in inodes for entry in (process / "fd").iterdir())
    except OSError:
        return False  # it has gone, or is another user's


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "a program"
    return " ".join(word for word in words if word)[:200] or "a program"
