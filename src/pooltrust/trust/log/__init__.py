"""The log of a pool as a value, and what a host does with entries that it is offered."""

from pooltrust.trust.log.adopt import (
    NOTHING_LOCAL,
    Adopted,
    AlreadyHeld,
    Bound,
    Fork,
    Gap,
    GivenUp,
    Local,
    Outcome,
    Stopped,
    adopt,
)
from pooltrust.trust.log.chain import Log

__all__ = [
    "NOTHING_LOCAL",
    "Adopted",
    "AlreadyHeld",
    "Bound",
    "Fork",
    "Gap",
    "GivenUp",
    "Local",
    "Log",
    "Outcome",
    "Stopped",
    "adopt",
]
