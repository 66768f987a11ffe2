"""What another pool trusts by purpose, asked there as one of its clients.

A session of that pool is said to the holder of the expected certificate, and to nobody else.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

from pooltrust.errors import CannotConnect, OperationNotAllowed
from pooltrust.host.appliances.posting import Broken, post
from pooltrust.host.place import bracketed
from pooltrust.host.telling.conversations import Dialling, Tell, unheard
from pooltrust.pool.anchors import MOST_ANCHORS
from pooltrust.terms import Thumbprint
from pooltrust.tls.dial import dial
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.reasons import no_connection
from pooltrust.trust.expect import Pinned

SECONDS = 30.0
LONGEST = 8 * 1024 * 1024
_CODE = re.compile(r"[A-Z0-9_]{1,100}")
"""What is repeated of a refusal: words might have the session in them."""
EXPECTED = "the other pool's coordinator"


class OtherPool:
    """One that is asked over JSON-RPC at this place, in this session."""

    def __init__(self, address: str, port: int, believed: Thumbprint, session: str) -> None:
        self._address = address
        self._port = port
        self._believed = believed
        self._session = session
        self.observe: Tell = unheard

    async def trusts(self, *, ca: bool) -> dict[str, list[str]]:
        """The certificates that it trusts by purpose: purposes by PEM.

        Raises CannotVerify, CannotConnect, and OperationNotAllowed for what it answers.
        """
        try:
            async with asyncio.timeout(SECONDS):
                pools, records = (
                    await self._ask("pool.get_all"),
                    await self._ask("Certificate.get_all_records"),
                )
                wanted = _installed(records, "ca" if ca else "pinned")
                call = "pool.exchange_trusted_certificates_on_join"
                answer = await self._ask(call, _first(pools), ca, {}, wanted)
        except TimeoutError as why:
            raise self._silent("it did not answer in time") from why
        except Broken as why:
            raise self._silent(str(why)) from why
        except OSError as why:
            raise self._silent(no_connection(why)) from why
        return _purposes(answer)

    async def _ask(self, method: str, *arguments: object) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method}
        body = json.dumps({**request, "params": [self._session, *arguments]}).encode()
        place = f"{bracketed(self._address)}:{self._port}"
        connection = await Dialling(self.observe, Kind.OTHER_POOL, place, self._address).told(
            dial(
                self._address,
                self._port,
                expect=Pinned(self._believed),
                name=None,
                deadline=SECONDS,
            )
        )
        headers = {"Host": "pool", "Content-Type": "application/json"}
        try:
            answer = await post(connection, "/jsonrpc", headers, body, most=LONGEST)
        finally:
            await connection.close()
        return _result(method, answer.body)

    def _silent(self, why: str) -> CannotConnect:
        return CannotConnect(self._address, self._port, expected=EXPECTED, why=why)


def _result(method: str, body: bytes) -> Any:
    try:
        match json.loads(body):
            case {"error": {"message": str(code)}} if _CODE.fullmatch(code):
                raise OperationNotAllowed(f"The other pool answers {method} with {code}")
            case {"result": found}:
                return found
    except (ValueError, RecursionError):
        pass
    raise _strange(method)


def _strange(what: str) -> OperationNotAllowed:
    return OperationNotAllowed(f"The other pool's answer to {what} can't be read")


def _first(pools: Any) -> str:
    match pools:
        case [str(pool)]:
            return pool
    raise _strange("pool.get_all")


def _installed(records: Any, sort: str) -> Sequence[str]:
    """Those by purpose; one by name is an authority for appliances there, and stays there."""
    if not isinstance(records, dict) or not all(isinstance(one, dict) for one in records.values()):
        raise _strange("Certificate.get_all_records")
    return [
        ref
        for ref, one in records.items()
        if one.get("type") == sort and not one.get("name") and (sort == "ca" or one.get("purpose"))
    ]


def _purposes(answer: Any) -> dict[str, list[str]]:
    match answer:
        case dict() if len(answer) <= MOST_ANCHORS and all(map(_texts, answer.values())):
            return answer
    raise _strange("pool.exchange_trusted_certificates_on_join")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
