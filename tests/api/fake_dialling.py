"""Appliances that are not there: what calls asked for is in `did`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pooltrust.api.classes.appliances.dialling import Credentials
from pooltrust.api.declare.values import Ref, ref_of
from pooltrust.api.sessions import Caller
from pooltrust.terms import Thumbprint


@dataclass
class FakeDialling:
    did: list[Any] = field(default_factory=list)

    async def initialize(
        self, url: str, there: Credentials, here: Credentials, caller: Caller
    ) -> None:
        self.did.append(("initialize", url, there, here))

    async def deconfigure(self, caller: Caller) -> None:
        self.did.append(("deconfigure",))

    async def configure(self, settings: Mapping[str, str]) -> None:
        self.did.append(("configure", settings))

    async def configuration(self) -> Mapping[str, str]:
        return {"MetricGroupingPeriod": "30"}

    async def recommendations(self) -> Mapping[Ref, Sequence[str]]:
        return {ref_of("VM", "a"): ["WLB", "a host", "1", "2", "a reason"]}

    async def evacuation(self, host: str) -> Mapping[Ref, Sequence[str]]:
        return {ref_of("VM", host): ["WLB", "a host", "1"]}

    async def look(
        self, url: str, expected: Thumbprint | None, caller: Caller
    ) -> Mapping[str, str]:
        return {"thumbprint": str(expected), "pinned": "true"}

    async def post(self, host: str, port: int, body: str) -> str:
        return body
