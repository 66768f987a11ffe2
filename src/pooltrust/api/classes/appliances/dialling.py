"""What calls may ask of the daemon about appliances: a Protocol, so that tests can be the daemon.

Each raises what its call declares.  Nothing of a password is in what is returned or raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pooltrust.api.declare.values import Ref
from pooltrust.api.sessions import Caller
from pooltrust.terms import Thumbprint


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password, which is not shown."""

    username: str
    password: str = field(repr=False)


class Dialling(Protocol):
    """The Workload Balancing appliance, and whoever else a host is told to dial."""

    async def initialize(
        self, url: str, there: Credentials, here: Credentials, caller: Caller
    ) -> None:
        """Tell the appliance of the pool, and remember it; `here`: a user of the pool for it."""

    async def deconfigure(self, caller: Caller) -> None:
        """Forget the appliance, even if it can't be told."""

    async def configure(self, settings: Mapping[str, str]) -> None:
        """Send it settings."""

    async def configuration(self) -> Mapping[str, str]:
        """Its settings."""

    async def recommendations(self) -> Mapping[Ref, Sequence[str]]:
        """Which machine it would move, where to and why."""

    async def evacuation(self, host: str) -> Mapping[Ref, Sequence[str]]:
        """Where it would move the machines of a host (its UUID)."""

    async def look(
        self, url: str, expected: Thumbprint | None, caller: Caller
    ) -> Mapping[str, str]:
        """What certificate is shown there; pinned, if it is the expected one."""

    async def post(self, host: str, port: int, body: str) -> str:
        """Send this to a web server that is believed, and return its answer."""
