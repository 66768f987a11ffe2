"""How a pool is run: a planner for each operation, and what a host believes and keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.eject import eject
from pooltrust.pool.operations.enable import enable
from pooltrust.pool.operations.handover import hand_over
from pooltrust.pool.operations.mending import mend
from pooltrust.pool.operations.refresh import refresh
from pooltrust.pool.operations.takeover import recover, take_over
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Plan
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import CertificateAccepted
from pooltrust.trust.log import Log

from . import minted

Accepting: TypeAlias = Callable[[Log, HostId, Thumbprint], bool]
"""Whether a host with this log that expects that host accepts that certificate."""


def exactly_its_own(log: Log, host: HostId, met: Thumbprint) -> bool:
    return met in minted.expected(log, host)


@dataclass(frozen=True)
class Planners:
    """A planner for each operation, and how a host looks at what it meets."""

    name: str = "ours"
    refresh: Callable[[Picture, CertificateAccepted, Asked], Plan] = refresh
    eject: Callable[[Picture, HostId, Asked], Plan] = eject
    enable: Callable[[Picture, Asked], Plan | None] = enable
    hand_over: Callable[[Picture, HostId, Asked], Plan | None] = hand_over
    take_over: Callable[..., Plan] = take_over
    recover: Callable[[Picture, Asked], Plan] = recover
    mend: Callable[[Picture, Asked], Operation | None] = mend
    accepts: Accepting = exactly_its_own
    looks_again: bool = True
    """Who returns while an operation is carried out is seen before the next decision."""
    stores: bool = True
    """What a host serves from now on it also serves after its next start."""


RIGHT = Planners()
