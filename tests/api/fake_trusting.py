"""Trust that is not there: what calls asked for is in `did`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pooltrust.api.sessions import Caller


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
