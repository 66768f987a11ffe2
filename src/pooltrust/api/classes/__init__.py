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
from pooltrust.api.classes.access import auth, login, outside, role, session, subject, user
from pooltrust.api.classes.appliances import balancing
from pooltrust.api.classes.certificates import (
    anchors,
    crls,
    emergency,
    exchanging,
    report,
    requests,
    server_certificate,
)
from pooltrust.api.classes.telling import event, message, task

__all__ = [
    "anchors",
    "auth",
    "balancing",
    "certificate",
    "crls",
    "emergency",
    "event",
    "exchanging",
    "host",
    "host_metrics",
    "login",
    "message",
    "operations",
    "outside",
    "pool",
    "pooltrust",
    "report",
    "requests",
    "role",
    "secret",
    "server_certificate",
    "session",
    "subject",
    "task",
    "user",
]
