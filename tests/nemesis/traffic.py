"""Clients of every host, some that stay connected and some that come and go, and what they lost.

Each client expects exactly the server identity of its host.  Nothing is retried: every failure is
kept, with the time in which it happened, and the test says whether it may have happened.
"""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pools.stage import Host
from pooltrust.terms import Thumbprint

from .field import Absence, Field

ANSWER_SECONDS = 20.0
PAUSE_SECONDS = {"lasting": 0.1, "brief": 0.25, "members": 0.5}
GRACE_SECONDS = 0.5
"""Around an absence: a call that was begun just before it, or answered by a host about to die."""


@dataclass(frozen=True)
class Drop:
    """A call that got no answer, or a wrong one; monotonic seconds."""

    host: str
    kind: str
    began: float
    ended: float
    why: str

    def excused(self, absences: Iterable[Absence]) -> bool:
        """Whether its host was dead in that time."""
        return any(
            one.host == self.host
            and self.began <= one.ended + GRACE_SECONDS
            and one.began - GRACE_SECONDS <= self.ended
            for one in absences
        )


@dataclass
class Book:
    """What happened to all traffic."""

    answered: Counter[str] = field(default_factory=Counter)
    drops: list[Drop] = field(default_factory=list)
    met: set[tuple[str, str]] = field(default_factory=set)
    """Of members: the UUID of each that was met as verified, with the thumbprint that it showed."""

    def unexcused(self, absences: Iterable[Absence]) -> list[Drop]:
        known = list(absences)
        return [drop for drop in self.drops if not drop.excused(known)]


class Client:
    """One HTTPS connection to one host, as a program of the API makes it."""

    def __init__(self, host: Host, thumbprint: str) -> None:
        self._host = host
        self._thumbprint = thumbprint
        self._http: http.client.HTTPSConnection | None = None
        self._session = ""

    def ask(self) -> None:
        """One call, answered as this host must answer it.  Raises OSError, AssertionError, …"""
        if self._http is None:
            self._http = self._connected()
        if not self._session:
            answer = self._exchange("session.login_with_password", "root", self._host.password, "1")
            if answer.get("error", {}).get("message") == "HOST_IS_SLAVE":
                return  # which is what a supporter says
            self._session = str(answer["result"])
        answer = self._exchange("pool.get_all", self._session)
        if answer.get("error", {}).get("message") == "SESSION_INVALID":
            self._session = ""
            raise ConnectionError("its session is gone")
        assert len(answer["result"]) == 1, answer

    def hang_up(self) -> None:
        """Close the connection; the session stays, for the next one."""
        http, self._http = self._http, None
        if http is not None:
            http.close()

    def _connected(self) -> http.client.HTTPSConnection:
        # Who answers is compared below: a daemon's server identity is signed by itself.
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(
            self._host.listen, self._host.port, timeout=ANSWER_SECONDS, context=context
        )
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)
        der = connection.sock.getpeercert(binary_form=True)
        assert str(Thumbprint.of(der or b"")) == self._thumbprint, "another server identity"
        return connection

    def _exchange(self, method: str, *parameters: str) -> dict[str, Any]:
        assert self._http is not None
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1})
        # One that closed keep-alive must show as a drop: http.client would dial again by itself.
        assert self._http.sock is not None, "it closed the connection after its last answer"
        self._http.request("POST", "/jsonrpc", body, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(self._http.getresponse().read())
        return answer


class Traffic:
    """All clients of a field, from entering the context to leaving it."""

    def __init__(self, field: Field, seed: int) -> None:
        self.book = Book()
        self._field = field
        self._seed = seed
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Traffic:
        served = {m["name"]: m["server"]["thumbprint"] for m in self._members()}
        for name, host in self._field.hosts.items():
            self._begin(f"lasting-{name}", self._lasting, host, served[name])
            self._begin(f"brief-{name}", self._brief, host, served[name])
        self._begin("members", self._members_talk)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(ANSWER_SECONDS + 130)
            assert not thread.is_alive(), f"{thread.name} never got an answer"

    def _members(self) -> list[dict[str, Any]]:
        members: list[dict[str, Any]] = self._field.hosts["h1"].status()["members"]
        return members

    def _begin(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _lasting(self, host: Host, thumbprint: str) -> None:
        """One connection that stays; another only when it was lost."""
        client, since = Client(host, thumbprint), time.monotonic()
        while not self._over.wait(PAUSE_SECONDS["lasting"]):
            if not self._answered("lasting", host, client.ask, since):
                client = Client(host, thumbprint)
            since = time.monotonic()
        client.hang_up()

    def _brief(self, host: Host, thumbprint: str) -> None:
        """A new connection for each call; one session for all, as long as its host runs."""
        client, since = Client(host, thumbprint), 0.0
        while not self._over.wait(PAUSE_SECONDS["brief"]):
            since = since or time.monotonic()
            if self._answered("brief", host, client.ask, since):
                since = time.monotonic()
            else:
                client, since = Client(host, thumbprint), 0.0
            client.hang_up()

    def _members_talk(self) -> None:
        """Members meet one another all the time; whom they believe is kept."""
        chance = random.Random(self._seed)
        while not self._over.wait(PAUSE_SECONDS["members"]):
            host = self._field.hosts[chance.choice(self._field.names)]
            self._answered("members", host, lambda host=host: self._met(host), time.monotonic())

    def _met(self, host: Host) -> None:
        for one in host.probe().values():
            if one["verified"] == "true":
                self.book.met.add((one["uuid"], one["met"]))

    def _answered(self, kind: str, host: Host, ask: Callable[[], None], since: float) -> bool:
        try:
            ask()
        except Exception as why:  # noqa: BLE001 - whatever it is, it is kept and judged
            now = time.monotonic()
            with self._lock:
                self.book.drops.append(Drop(host.name, kind, since, now, repr(why)))
            return False
        with self._lock:
            self.book.answered[f"{kind} {host.name}"] += 1
        return True
