"""A client of one host's daemon over its Unix socket: JSON-RPC, as any client speaks it.

Standard library only.  Whoever may open the socket is the local superuser there.
"""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any

from pooltrust.errors import Failure, Repeated, Unreachable, failure

SECONDS = 120.0


@failure("NO_DAEMON", cure="Start it: pooltrust host run")
class NoDaemon(Unreachable):
    """No daemon answers at {socket}: {why}."""

    socket: str
    why: str


class Reported(Repeated):
    """What the daemon answered instead of a result."""


class Client:
    """One connection and session.  Use it as a context."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._http = _Local(path)
        self._session = ""
        self._id = 0

    def __enter__(self) -> Client:
        self._session = self._ask("session.login_with_password", ["root", "", "2.23", "pooltrust"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        why: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._ask("session.logout", [self._session])
        except Failure:
            pass  # it ends by itself
        self._http.close()

    def call(self, name: str, *arguments: Any) -> Any:
        """Call `name` in this session.  Raises Reported or NoDaemon."""
        return self._ask(name, [self._session, *arguments])

    def _reported(self, code: str, parameters: list[str]) -> Reported:
        """A failure with the words that the daemon has for it beyond its wire form."""
        told = {"code": "", "words": ""}
        if self._session:
            told = self._exchange("pooltrust.get_last_failure", [self._session]).get("result", told)
        words = told["words"] if told["code"] == code else " ".join([code, *parameters])
        return Reported(code, parameters, words)

    def this_host(self) -> str:
        """The reference of the host at the other end."""
        return str(self.call("session.get_this_host", self._session))

    def _ask(self, name: str, arguments: list[Any]) -> Any:
        answer = self._exchange(name, arguments)
        if "error" in answer:
            raise self._reported(answer["error"]["message"], answer["error"]["data"])
        return answer["result"]

    def _exchange(self, name: str, arguments: list[Any]) -> dict[str, Any]:
        self._id += 1
        request = {"jsonrpc": "2.0", "method": name, "params": arguments, "id": self._id}
        try:
            headers = {"Content-Type": "application/json"}
            self._http.request("POST", "/jsonrpc", json.dumps(request), headers)
            answer: dict[str, Any] = json.loads(self._http.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as why:
            raise NoDaemon(str(self._path), getattr(why, "strerror", None) or str(why)) from why
        return answer


class _Local(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
