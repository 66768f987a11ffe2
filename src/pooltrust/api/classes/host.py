"""The calls of one host."""

from __future__ import annotations

from datetime import datetime

from pooltrust.api import roles
from pooltrust.api.classes.pool import OPERATION_ERRORS, TheHost, named_host
from pooltrust.api.context import Context
from pooltrust.api.declare.call import NamedHost, Where, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import CannotContactHost, HandleInvalid


@call(
    "host.get_server_certificate",
    role=roles.READ_ONLY,
    raises=(HandleInvalid,),
    is_async=True,
    cli="host-get-server-certificate",
)
async def get_server_certificate(context: Context, host: TheHost) -> str:
    """The certificate that clients meet at a host, in PEM: the leaf alone.

    It is the one that the trust log has, so the host need not be up.
    """
    member = context.roster.members.get(named_host(context, host))
    if member is None:
        raise HandleInvalid(type="host", handle=host)
    return member.server.pem()


@call(
    "host.refresh_server_certificate",
    role=roles.POOL_ADMIN,
    raises=OPERATION_ERRORS,
    is_async=True,
    cli="host-refresh-server-certificate",
)
async def refresh_server_certificate(context: Context, caller: Caller, host: TheHost) -> None:
    """Give a host a new pool identity, the certificate that it shows to other members.

    No connection is closed: every member accepts the new one before the host serves it, and the
    old one is withdrawn after every member that is there has met the new one.
    """
    await context.refresh(named_host(context, host), caller)


@call(
    "host.get_servertime",
    role=roles.READ_ONLY,
    runs=NamedHost("host"),
    raises=(HandleInvalid, CannotContactHost),
)
async def get_servertime(context: Context, host: TheHost) -> datetime:
    """The time by a host's own clock."""
    return context.now()


@call(
    "host.is_in_emergency_mode",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    hidden=True,
    emergency=True,
)
async def is_in_emergency_mode(context: Context) -> bool:
    """Whether the host that is asked has lost its coordinator."""
    return context.emergency is not None
