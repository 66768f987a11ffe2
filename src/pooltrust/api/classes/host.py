"""The calls of one host."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, NamedHost, Where, call
from pooltrust.errors import CannotContactHost, HandleInvalid
from pooltrust.terms import host_id

TheHost = Annotated[HostRef, Doc("The host.")]


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
    try:
        uuid = host_id(context.records(Host)[host].uuid)
        return context.roster.members[uuid].server.pem()
    except KeyError:
        raise HandleInvalid(type="host", handle=host) from None


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
