"""The pool's own calls: joining and verification."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, NamedHost, Secret, Where, call
from pooltrust.api.declare.values import ref_of
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    CannotContactHost,
    CannotVerify,
    HandleInvalid,
    InvalidValue,
    JoiningHostConnectionFailed,
    JoiningHostHasMembers,
    JoiningHostServiceFailed,
    OperationNotAllowed,
    OperationSuspended,
    OtherOperationInProgress,
    SessionAuthenticationFailed,
    TlsVerificationEnableInProgress,
    TlsVerificationMismatch,
)
from pooltrust.terms import HostId, host_id

__all__ = ["Host", "Pool"]

Address = Annotated[str, Doc("The coordinator of the pool to join: address, or address:port.")]
Username = Annotated[str, Doc("A user of that pool who may admit hosts.")]
Password = Annotated[str, Secret(), Doc("The password; proved to the coordinator, never sent.")]

TheHost = Annotated[HostRef, Doc("The host.")]

OPERATION_ERRORS = (
    CannotContactHost,
    CannotVerify,
    HandleInvalid,
    OperationNotAllowed,
    OperationSuspended,
    OtherOperationInProgress,
    TlsVerificationEnableInProgress,
)


def named_host(context: Context, host: HostRef) -> HostId:
    """The UUID of the host that a reference names.  Raises HandleInvalid."""
    try:
        return host_id(context.records(Host)[host].uuid)
    except KeyError:
        raise HandleInvalid(type="host", handle=host) from None


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
    raises=OPERATION_ERRORS,
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


@call(
    "pool.eject",
    role=roles.POOL_OPERATOR,
    raises=OPERATION_ERRORS,
    is_async=True,
    cli="pool-eject",
)
async def eject(context: Context, caller: Caller, host: TheHost) -> None:
    """Dismiss a host from the pool, whether it answers or is lost.

    Its certificates are believed by nobody from then on and its connections are closed.  The host
    founds a pool of its own, with a new pool identity and the verification setting it had.
    """
    await context.eject(named_host(context, host), caller)


@call(
    "pool.designate_new_master",
    role=roles.POOL_OPERATOR,
    raises=OPERATION_ERRORS,
    is_async=True,
    cli="pool-designate-new-master",
)
async def designate_new_master(context: Context, caller: Caller, host: TheHost) -> None:
    """Let another host coordinate the pool.  No connection is closed."""
    await context.hand_over(named_host(context, host), caller)


@call(
    "pool.emergency_transition_to_master",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=OPERATION_ERRORS,
    emergency=True,
    cli="pool-emergency-transition-to-master",
)
async def emergency_transition_to_master(context: Context, caller: Caller) -> None:
    """Make this host the coordinator, because the coordinator is lost.

    More than half of the members must endorse it, so that nothing that was done is lost.  In a
    pool of two nobody else could: there it counts by this order alone.
    """
    await context.take_over(False, caller)


@call(
    "pool.emergency_reset_master",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=(CannotContactHost, CannotVerify, OperationNotAllowed, InvalidValue),
    emergency=True,
    cli="pool-emergency-reset-master",
)
async def emergency_reset_master(
    context: Context,
    caller: Caller,
    master_address: Annotated[str, Doc("Where the coordinator to follow is: its address.")],
) -> None:
    """Make this host follow the coordinator at an address, whatever the other members say.

    It must hold the key of the coordinator that its trust log names.  Entries of this host's own
    that its log does not have are given up, kept as evidence, and named in this host's journal.
    """
    await context.follow(master_address, caller)


@call(
    "pool.recover_slaves",
    role=roles.POOL_OPERATOR,
    raises=OPERATION_ERRORS,
    is_async=True,
    cli="pool-recover-slaves",
)
async def recover_slaves(context: Context, caller: Caller) -> list[HostRef]:
    """Bring the trust log to every member that answers; returns those that hold it."""
    return [ref_of("host", host) for host in sorted(await context.recover(caller))]
