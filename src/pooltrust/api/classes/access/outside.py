"""Who may come in by other means than a password of the pool: certificates, and directories."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.fields.refs import HostRef, PoolRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, call
from pooltrust.api.sessions import Caller
from pooltrust.errors import AuthIsDisabled, AuthUnknownType, HostIsSlave, InvalidValue

NOTHING: dict[str, str] = {}

ThePool = Annotated[PoolRef, Doc("The pool.")]
TheHost = Annotated[HostRef, Doc("The host.")]
Config = Annotated[dict[str, str], Doc("What the directory needs to know.")]
ServiceName = Annotated[str, Doc("The directory's name.")]
AuthType = Annotated[str, Doc("The kind of directory.")]
Ldaps = Annotated[bool, Doc("Whether to speak LDAPS.")]
Force = Annotated[bool, Doc("Do it although the directory does not agree.")]


@call(
    "pool.enable_client_certificate_auth",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    raises=(HostIsSlave, InvalidValue),
    is_async=True,
    forwarded=False,
    cli="pool-enable-client-certificate-auth",
)
async def enable_client_certificate_auth(
    context: Context,
    caller: Caller,
    self: ThePool,
    name: Annotated[str, Doc("The DNS name that a client's certificate must carry.")],
) -> None:
    """Ask clients for a certificate, and let in whoever's carries this name, with role client-cert.

    It must come from an authority that was installed for the pool.  Who shows none logs in by
    password as before; who shows one from elsewhere is not connected at all.
    """
    await context.people.ask_for_certificates(name, caller)


@call(
    "pool.disable_client_certificate_auth",
    role=roles.POOL_OPERATOR,
    client_cert=True,
    is_async=True,
    cli="pool-disable-client-certificate-auth",
)
async def disable_client_certificate_auth(context: Context, caller: Caller, self: ThePool) -> None:
    """Ask clients for no certificate any more; sessions that were opened by one end."""
    await context.people.ask_for_certificates(None, caller)


@call("pool.enable_external_auth", role=roles.POOL_ADMIN, raises=(AuthUnknownType,))
async def enable_pool_external_auth(
    context: Context, pool: ThePool, config: Config, service_name: ServiceName, auth_type: AuthType
) -> None:
    """Always refused: users are the pool's own, or by a setting of the hosts those of PAM."""
    raise AuthUnknownType(type=auth_type)


@call("pool.disable_external_auth", role=roles.POOL_ADMIN)
async def disable_pool_external_auth(
    context: Context, pool: ThePool, config: Config = NOTHING
) -> None:
    """Nothing to do: there is none."""


@call("pool.external_auth_set_ldaps", role=roles.POOL_ADMIN, raises=(AuthIsDisabled,))
async def set_pool_ldaps(
    context: Context, pool: ThePool, ldaps: Ldaps, force: Force = False
) -> None:
    """Always refused: there is no external directory."""
    raise AuthIsDisabled


@call("pool.detect_nonhomogeneous_external_auth", role=roles.POOL_OPERATOR)
async def detect_nonhomogeneous_external_auth(context: Context, pool: ThePool) -> None:
    """Nothing to find: no host uses an external directory."""


@call("host.enable_external_auth", role=roles.POOL_ADMIN, raises=(AuthUnknownType,))
async def enable_host_external_auth(
    context: Context, host: TheHost, config: Config, service_name: ServiceName, auth_type: AuthType
) -> None:
    """Always refused: users are the pool's own, or by a setting of the hosts those of PAM."""
    raise AuthUnknownType(type=auth_type)


@call("host.disable_external_auth", role=roles.POOL_ADMIN)
async def disable_host_external_auth(
    context: Context, host: TheHost, config: Config = NOTHING, force: Force = False
) -> None:
    """Nothing to do: there is none."""


@call("host.external_auth_set_ldaps", role=roles.POOL_ADMIN, raises=(AuthIsDisabled,))
async def set_host_ldaps(
    context: Context, host: TheHost, ldaps: Ldaps, force: Force = False
) -> None:
    """Always refused: there is no external directory."""
    raise AuthIsDisabled
