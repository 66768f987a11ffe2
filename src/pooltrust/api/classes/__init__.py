"""The classes of the API, one declaration each.  Importing this fills the registries."""

from pooltrust.api.classes import certificate, host, host_metrics, operations, pool, pooltrust
from pooltrust.api.classes.access import role, session

__all__ = [
    "certificate",
    "host",
    "host_metrics",
    "operations",
    "pool",
    "pooltrust",
    "role",
    "session",
]
