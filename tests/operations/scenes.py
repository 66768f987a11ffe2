"""The operations that are begun and broken off, each with the pool that it happens in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from daemons import Host

from .stage import ref

Hosts = tuple[Host, ...]


@dataclass(frozen=True)
class Scene:
    """One operation.  `roles` are hosts by their place; the coordinator is the first host."""

    name: str
    order: Callable[[Hosts], Awaitable[Any]]
    roles: Mapping[str, int]
    steps: int
    """How many single steps it has."""
    size: int = 3
    settings: Mapping[str, Any] = field(default_factory=dict)
    lost: int | None = None
    """The host that does not run when it begins."""
    leaves: int | None = None
    """The host that is no member afterwards."""

    def __str__(self) -> str:
        return self.name


async def refresh_supporter(hosts: Hosts) -> None:
    await hosts[0].ask("host.refresh_server_certificate", await ref(hosts[0], hosts[1]))


async def refresh_coordinator(hosts: Hosts) -> None:
    await hosts[0].ask("host.refresh_server_certificate", await ref(hosts[0], hosts[0]))


async def enable(hosts: Hosts) -> None:
    await hosts[0].ask("pool.enable_tls_verification")


async def eject(hosts: Hosts) -> None:
    await hosts[0].ask("pool.eject", await ref(hosts[0], hosts[-1]))


async def designate(hosts: Hosts) -> None:
    await hosts[0].ask("pool.designate_new_master", await ref(hosts[0], hosts[1]))


async def take_over(hosts: Hosts) -> None:
    await hosts[1].ask("pool.emergency_transition_to_master")


SCENES = (
    Scene("refresh of a supporter", refresh_supporter, {"driver": 0, "subject": 1, "third": 2}, 11),
    Scene("refresh of the coordinator", refresh_coordinator, {"driver": 0, "third": 1}, 11),
    Scene(
        "enabling",
        enable,
        {"driver": 0, "third": 2},
        9,
        settings={"verification_at_founding": False},
    ),
    Scene("ejection", eject, {"driver": 0, "subject": 3, "third": 1}, 4, size=4, leaves=3),
    Scene("change of coordinator", designate, {"driver": 0, "subject": 1, "third": 2}, 4),
    Scene("takeover", take_over, {"driver": 1, "third": 2}, 2, lost=0),
    Scene("takeover in a pool of four", take_over, {"driver": 1, "third": 3}, 3, size=4, lost=0),
)
