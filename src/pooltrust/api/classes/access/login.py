"""Logging in and out, and the superuser's password."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.classes.fields.refs import SessionRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Secret, Where, call
from pooltrust.api.sessions import Caller, Origin, Principal, Session
from pooltrust.errors import (
    HostIsSlave,
    NotLocalSuperuser,
    OperationNotAllowed,
    PasswordRejected,
    RbacPermissionDenied,
    SessionAuthenticationFailed,
    SessionAuthorizationFailed,
)

Username = Annotated[str, Doc("The user's name.")]
Password = Annotated[str, Secret(), Doc("The password; not looked at over the local socket.")]


@call(
    "session.login_with_password",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    session=False,
    raises=(
        SessionAuthenticationFailed,
        SessionAuthorizationFailed,
        RbacPermissionDenied,
        HostIsSlave,
    ),
)
async def login_with_password(
    context: Context,
    caller: Caller,
    uname: Username,
    pwd: Password,
    version: Annotated[str, Doc("The client's version of the API; any will do.")] = "1.1",
    originator: Annotated[str, Doc("What the client is, for people.")] = "",
) -> SessionRef:
    """Open a session with a user name and a password.

    A supporter answers with the coordinator's address before it looks at the password.  Who showed
    a client certificate that the pool asks for is not asked for a password: it has the role
    client-cert.
    """
    who = await _who(context, uname, pwd, caller.origin)
    return _opened(context, replace(who, originator=originator), here=False).ref


async def _who(context: Context, uname: str, pwd: str, origin: Origin) -> Principal:
    if origin.local:
        return local_superuser(uname, origin)
    if not context.is_coordinator:
        raise HostIsSlave(address=context.coordinator_address)
    if name := certified(context, origin):
        held = frozenset((roles.CLIENT_CERT,))
        return Principal(name, origin, held, client_certificate=True)
    return await context.login(uname, pwd, origin)


def certified(context: Context, origin: Origin) -> str:
    """The name by which a client certificate lets somebody in; empty if none does.

    It is asked at the login and not at the handshake: what was switched off since lets nobody in.
    """
    (pool,) = context.records(Pool).values()
    name = pool.client_certificate_auth_name
    return name if pool.client_certificate_auth_enabled and name in origin.names else ""


def local_superuser(user: str, origin: Origin) -> Principal:
    """Who comes over the local socket: root, or the user whom the daemon runs as.

    By the name that is given, if it is one word: the trust log puts "via h2" behind some names.
    """
    name = user if user.isprintable() and user.split() == [user] else "root"
    return Principal(name, origin, frozenset((roles.POOL_ADMIN,)), is_local_superuser=True)


def _opened(context: Context, who: Principal, *, here: bool) -> Session:
    now, tick, host = context.now(), context.monotonic(), context.this_host
    return context.sessions.open(who, context.random_uuid(), host, now, tick, here=here)


@call(
    "session.slave_local_login_with_password",
    role=roles.POOL_ADMIN,
    runs=Where.HERE,
    session=False,
    emergency=True,
    raises=(SessionAuthenticationFailed, NotLocalSuperuser),
)
async def slave_local_login_with_password(
    context: Context, caller: Caller, uname: Username, pwd: Password
) -> SessionRef:
    """Open a session for this host alone, as root: also when it has lost its coordinator.

    The password is the one that this host last heard of.
    """
    if caller.origin.local:
        who = local_superuser(uname, caller.origin)
    else:
        who = await context.login_here(uname, pwd, caller.origin)
    return _opened(context, who, here=True).ref


@call("session.logout", role=roles.READ_ONLY, runs=Where.HERE)
async def logout(context: Context, caller: Caller) -> None:
    """End the session that this call is made with."""
    assert caller.session is not None
    context.sessions.close(caller.session)


@call("session.local_logout", role=roles.POOL_ADMIN, runs=Where.HERE, emergency=True)
async def local_logout(context: Context, caller: Caller) -> None:
    """End the session for this host alone that this call is made with."""
    assert caller.session is not None
    context.sessions.close(caller.session)


@call(
    "session.change_password",
    role=None,
    raises=(HostIsSlave, OperationNotAllowed, PasswordRejected),
    forwarded=False,
)
async def change_password(
    context: Context,
    caller: Caller,
    old_pwd: Annotated[str, Secret(), Doc("Not looked at: root may do this.")],
    new_pwd: Annotated[str, Secret(), Doc("root's new password.")],
) -> None:
    """Change root's password in the whole pool; root's other sessions from elsewhere end.

    On the coordinator only: a supporter's word is not enough to let somebody in.
    """
    await context.people.change_password(new_pwd, caller)
