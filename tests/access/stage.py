"""Clients of a daemon in this process, from the network: bytes in, bytes out, without a socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from daemons import PASSWORD, Host
from pooltrust.api.dispatch import dispatch
from pooltrust.api.sessions import Origin
from pooltrust.api.wire.jsonrpc import JSON

AWAY = Origin("192.0.2.7")
ON_THE_HOST = Origin("", local=True)
FEW = 5000
"""Rounds of a verifier; SCRAM allows no fewer than 4096."""


class Told(Exception):
    """What the host answered instead of a value: a code and its parameters."""

    def __init__(self, code: str, *parameters: str) -> None:
        super().__init__(code, *parameters)
        self.code = code
        self.parameters = parameters


async def send(host: Host, method: str, *parameters: Any, origin: Origin = AWAY) -> Any:
    """Call `method`.  Raises Told."""
    body = orjson.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1})
    answer = orjson.loads((await dispatch(host.daemon.context, JSON, body, origin)).body)
    if "error" in answer:
        raise Told(answer["error"]["message"], *answer["error"]["data"])
    return answer["result"]


@dataclass
class Client:
    """A session of somebody who comes from elsewhere."""

    host: Host
    session: str
    origin: Origin = AWAY

    @classmethod
    async def login(
        cls, host: Host, username: str = "root", password: str = PASSWORD, origin: Origin = AWAY
    ) -> Client:
        """Log in by password.  Raises Told."""
        call = "session.login_with_password"
        session = await send(host, call, username, password, "2.23", "a test", origin=origin)
        return cls(host, session, origin)

    async def ask(self, method: str, *parameters: Any) -> Any:
        """Call `method` in this session.  Raises Told."""
        return await send(self.host, method, self.session, *parameters, origin=self.origin)

    async def is_there(self) -> bool:
        """Whether this session still stands."""
        try:
            await self.ask("session.get_uuid", self.session)
        except Told as why:
            assert why.code in ("SESSION_INVALID", "HOST_IS_SLAVE", "HANDLE_INVALID")
            return False
        return True


async def refusal(story: Any) -> Told:
    """What this was refused with."""
    try:
        await story
    except Told as why:
        return why
    raise AssertionError("it was not refused")
