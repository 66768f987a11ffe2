"""Trust that is not there: what calls asked for is in `did`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pooltrust.api.sessions import Caller
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.offered import trusted
from pooltrust.terms import Thumbprint

NOW = datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC)


@dataclass
class FakeTrusting:
    did: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        async def noted(*arguments: Any) -> None:
            given = [one for one in arguments if not isinstance(one, Caller)]
            self.did.append((name, *given))

        if name.startswith("_"):
            raise AttributeError(name)
        return noted

    def judged(self, pem: str) -> Certificate:
        return trusted.trusted(pem, NOW)

    async def of_other_pool(
        self, address: str, session: str, believed: Thumbprint, ca: bool
    ) -> Mapping[str, Sequence[str]]:
        self.did.append(("of_other_pool", address, session, believed, ca))
        return {}

    def lists(self) -> Mapping[str, bytes]:
        return {"a.pem": b"der"}


@dataclass
class FakeRequests:
    did: list[Any] = field(default_factory=list)

    async def create(self, names: Any, kind: str, caller: Caller) -> str:
        self.did.append(("create", list(names), kind))
        return "a request"

    async def pending(self) -> str:
        return "a request"

    async def install(self, leaf: str, chain: str, caller: Caller) -> tuple[str, list[str]]:
        self.did.append(("install", leaf, chain))
        return "AA:BB", ["a warning"]

    async def discard(self) -> None:
        self.did.append(("discard",))
