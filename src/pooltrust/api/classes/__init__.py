"""The classes of the API, one declaration each.  Importing this fills the registries."""

from pooltrust.api.classes import (
    certificate,
    host,
    host_metrics,
    operations,
    pool,
    pooltrust,
    secret,
)
from pooltrust.api.classes.access import role, session
from pooltrust.api.classes.telling import event, message, task

__all__ = [
    "certificate",
    "event",
    "host",
    "host_metrics",
    "message",
    "operations",
    "pool",
    "pooltrust",
    "role",
    "secret",
    "session",
    "task",
]
