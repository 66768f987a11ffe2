"""The pool's own calls: joining and verification."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, NamedHost, Secret, Where, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    CannotContactHost,
    CannotVerify,
    HandleInvalid,
    JoiningHostConnectionFailed,
    JoiningHostHasMembers,
    JoiningHostServiceFailed,
    OperationNotAllowed,
    SessionAuthenticationFailed,
    TlsVerificationEnableInProgress,
    TlsVerificationMismatch,
)

__all__ = ["Host", "Pool"]

Address = Annotated[str, Doc("The coordinator of the pool to join: address, or address:port.")]
Username = Annotated[str, Doc("A user of that pool who may admit hosts.")]
Password = Annotated[str, Secret(), Doc("The password; proved to the coordinator, never sent.")]

JOIN_ERRORS = (
    CannotVerify,
    JoiningHostConnectionFailed,
    JoiningHostServiceFailed,
    JoiningHostHasMembers,
    OperationNotAllowed,
    SessionAuthenticationFailed,
    TlsVerificationMismatch,
)


@call(
    "pool.join",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=JOIN_ERRORS,
    is_async=True,
    cli="pool-join",
)
async def join(
    context: Context,
    caller: Caller,
    master_address: Address,
    master_username: Username,
    master_password: Password,
) -> None:
    """Make this host a member of another pool.

    The coordinator's certificate is trusted on first use and recorded in the trust log; use a join
    code to know it beforehand.
    """
    await context.join(master_address, master_username, master_password, caller)


@call(
    "pool.join_force",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=JOIN_ERRORS,
    is_async=True,
)
async def join_force(
    context: Context,
    caller: Caller,
    master_address: Address,
    master_username: Username,
    master_password: Password,
) -> None:
    """Make this host a member of another pool whose hardware differs.

    Hardware is not compared at all, so this is pool.join; nothing about trust is ever forced.
    """
    await context.join(master_address, master_username, master_password, caller)


@call(
    "pool.enable_tls_verification",
    role=roles.POOL_ADMIN,
    raises=(CannotContactHost, CannotVerify, TlsVerificationEnableInProgress),
    cli="pool-enable-tls-verification",
)
async def enable_tls_verification(context: Context, caller: Caller) -> None:
    """Require certificate verification on every connection between members.

    Every host is asked to verify every other one first; who is missing or not believed is named,
    and then nothing changes.
    """
    await context.enable_tls_verification(caller)


@call(
    "pool.is_slave",
    role=roles.POOL_ADMIN,
    runs=NamedHost("host"),
    raises=(HandleInvalid, CannotContactHost),
    hidden=True,
    emergency=True,
)
async def is_slave(context: Context, host: Annotated[HostRef, Doc("The host to ask.")]) -> bool:
    """Whether a host believes that it is a supporter; its answer shows that it can be reached."""
    return not context.is_coordinator
