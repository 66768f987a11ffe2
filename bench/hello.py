"""The greeting between members as the load generator says it, over a blocking socket.

It speaks as the host that is measured (a host may dial itself), so that a pool of one is enough.
What the frames contain is decided in host/peers/greeting.py.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

from pooltrust.pki.identity import Identity
from pooltrust.trust.heads import SignedHead, sign_head

NONCE_BYTES = 32


class Greeting:
    """One member's side of the hello; `facts` names its pool and host."""

    def __init__(self, facts: dict[str, str], identity: Path) -> None:
        self._pool, self._host = facts["pool"], facts["host"]
        self._identity = Identity.read(identity.read_bytes())
        self._number = 0
        self._unsent = b""

    def greet(self, connection: ssl.SSLSocket) -> None:
        """Say hello, take the other's head and sign our own, which goes out with the first question.

        Raises ValueError.
        """
        hello = {"hello": 1, "pool": self._pool, "host": self._host, "expect": self._host}
        _send(connection, {**hello, "nonce": _b64(secrets.token_bytes(NONCE_BYTES))})
        answer = _receive(connection)
        theirs = SignedHead(answer["head"]["payload"].encode(), b"").head
        self._number = theirs.number
        nonce = base64.b64decode(answer["nonce"])
        signed = sign_head(replace(theirs, nonce=nonce), self._identity)
        content = {"payload": signed.payload.decode(), "signature": _b64(signed.signature)}
        self._unsent = _frame({"head": content})

    def ask(self, connection: ssl.SSLSocket) -> None:
        """The smallest request there is: which entries come after the newest one."""
        connection.sendall(self._unsent + _frame({"call": "log", "after": self._number}))
        answer = _receive(connection)
        if answer.get("entries") != []:
            raise ValueError(f"an unexpected answer: {answer}")


def _send(connection: ssl.SSLSocket, frame: dict[str, Any]) -> None:
    connection.sendall(_frame(frame))


def _frame(content: dict[str, Any]) -> bytes:
    data = json.dumps(content).encode()
    return len(data).to_bytes(4) + data


def _receive(connection: ssl.SSLSocket) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(
        _exactly(connection, int.from_bytes(_exactly(connection, 4)))
    )
    if "refused" in frame:
        raise ValueError(f"refused: {frame['refused']}")
    return frame


def _exactly(connection: ssl.SSLSocket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise ValueError("the connection was closed")
        data += more
    return data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
