"""Logging in and out, and what a session says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.fields.refs import HostRef, SessionRef, SubjectRef, TaskRef, UserRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import CALLS, Doc, Secret, Where, call
from pooltrust.api.declare.record import record, ro, rw, static
from pooltrust.api.declare.values import EPOCH, NULL, Ref, named_uuid, ref_of
from pooltrust.api.sessions import Caller, Origin, Principal, Session
from pooltrust.errors import HostIsSlave, SessionAuthenticationFailed, UuidInvalid


class OfTheTable:
    """Sessions are kept by the host that opened them, not with the records of the pool."""

    runs = Where.HERE

    def rows(self, context: Context, cls: type) -> Mapping[Ref, Any]:
        """Every session: only who knows a reference can name one."""
        return {s.ref: _row(s, active) for s, active in context.sessions}

    async def change(
        self,
        context: Context,
        cls: type,
        ref: Ref,
        field: str,
        edit: Callable[[Any], Any],
        caller: Caller,
    ) -> None:
        """Set other_config, the one field that can be set."""
        for session, _ in context.sessions:
            if session.ref == ref:
                context.sessions.configure(ref, edit(session.other_config))
                return


@record("session", calls=frozenset(("get_record",)), source=OfTheTable(), evented=False)
class SessionRecord:
    """A session: its reference is what later calls prove themselves by."""

    uuid: str = ro("Names the session; it does not open it")
    this_host: HostRef = ro("The host that opened it")
    this_user: UserRef = ro("Always null")
    last_active: datetime = ro("When it was last used")
    pool: bool = ro("Another member of the pool opened it")
    other_config: Mapping[str, str] = rw("Free keys and values", {}, role=roles.POOL_ADMIN)
    is_local_superuser: bool = ro("It may do everything", False)
    subject: SubjectRef = ro("The directory's user behind it", NULL)
    validation_time: datetime = ro("When the directory was last asked", EPOCH)
    auth_user_sid: str = ro("The directory's name for its user", "")
    auth_user_name: str = ro("Its user's name", "")
    rbac_permissions: tuple[str, ...] = static("What it may do, unless it may do everything", ())
    tasks: tuple[TaskRef, ...] = ro("Its tasks")
    parent: SessionRef = static("The session that opened it", NULL)
    originator: str = ro("What the client says it is", "")
    client_certificate: bool = ro("Its user proved itself by a certificate", False)


def _row(session: Session, active: datetime) -> SessionRecord:
    who = session.principal
    return SessionRecord(
        uuid=session.uuid,
        this_host=ref_of("host", session.host),
        this_user=NULL,
        last_active=active,
        pool=who.pool,
        other_config=dict(session.other_config),
        is_local_superuser=who.is_local_superuser,
        validation_time=session.opened,
        auth_user_name=who.user,
        rbac_permissions=_permissions(who),
        originator=who.originator,
        client_certificate=who.client_certificate,
    )


def _permissions(who: Principal) -> tuple[str, ...]:
    if who.is_local_superuser or who.pool:
        return ()
    granted = (roles.permissions(one).items() for one in CALLS.values())
    return tuple(
        sorted(name for two in granted for name, of in two if not who.roles.isdisjoint(of))
    )


@call(
    "session.login_with_password",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    session=False,
    raises=(SessionAuthenticationFailed, HostIsSlave),
)
async def login_with_password(
    context: Context,
    caller: Caller,
    uname: Annotated[str, Doc("The user's name.")],
    pwd: Annotated[str, Secret(), Doc("The password; not looked at over the local socket.")],
    version: Annotated[str, Doc("The client's version of the API; any will do.")] = "1.1",
    originator: Annotated[str, Doc("What the client is, for people.")] = "",
) -> SessionRef:
    """Open a session with a user name and a password.

    A supporter answers with the coordinator's address before it looks at the password.
    """
    if caller.origin.local:
        who = local_superuser(uname, caller.origin)
    elif not context.is_coordinator:
        raise HostIsSlave(address=context.coordinator_address)
    else:
        who = await context.login(uname, pwd, caller.origin)
    who = replace(who, originator=originator)
    now, tick = context.now(), context.monotonic()
    return context.sessions.open(who, context.random_uuid(), context.this_host, now, tick).ref


def local_superuser(user: str, origin: Origin) -> Principal:
    """Who comes over the local socket: root, or the user whom the daemon runs as."""
    return Principal(
        user or "root", origin, frozenset((roles.POOL_ADMIN,)), is_local_superuser=True
    )


@call("session.get_by_uuid", role=roles.READ_ONLY, runs=Where.HERE, raises=(UuidInvalid,))
async def get_by_uuid(
    context: Context, caller: Caller, uuid: Annotated[str, Doc("Its UUID.")]
) -> SessionRef:
    """The session with this UUID, if it is the one that asks.

    Nobody else's: a session's reference is all that it takes to use it.
    """
    if caller.session is None or named_uuid("session", caller.session) != uuid:
        raise UuidInvalid(type="session", uuid=uuid)
    return caller.session


@call("session.logout", role=roles.READ_ONLY, runs=Where.HERE)
async def logout(context: Context, caller: Caller) -> None:
    """End the session that this call is made with."""
    assert caller.session is not None
    context.sessions.close(caller.session)
