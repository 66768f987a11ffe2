"""What a session says of itself, and who may look at and end those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.access.subject import subject_ref
from pooltrust.api.classes.fields.refs import HostRef, SessionRef, SubjectRef, TaskRef, UserRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import CALLS, Doc, Where, call
from pooltrust.api.declare.record import record, ro, rw, static
from pooltrust.api.declare.values import EPOCH, NULL, Ref, compact, named_uuid, ref_of
from pooltrust.api.sessions import Caller, Principal, Session, Sessions
from pooltrust.errors import UuidInvalid


class _Rows(Mapping[Ref, Any]):
    """The sessions as records, each made when it is asked for."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def __getitem__(self, ref: Ref) -> SessionRecord:
        found = self._sessions.get(ref)
        if found is None:
            raise KeyError(ref)
        return _row(*found)

    def __iter__(self) -> Iterator[Ref]:
        return (session.ref for session, _ in self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)


class OfTheTable:
    """Sessions are kept by the host that opened them, not with the records of the pool."""

    runs = Where.HERE

    def rows(self, context: Context, cls: type) -> Mapping[Ref, Any]:
        """Every session: only who knows a reference can name one."""
        return _Rows(context.sessions)

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
        found = context.sessions.get(ref)
        if found is not None:
            context.sessions.configure(ref, edit(found[0].other_config))


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
    subject: SubjectRef = ro("Whose roles it has; null for the superuser", NULL)
    validation_time: datetime = ro("When the directory was last asked", EPOCH)
    auth_user_sid: str = ro("The identifier of that subject", "")
    auth_user_name: str = ro("Its user's name", "")
    rbac_permissions: tuple[str, ...] = static("What it may do, unless it may do everything", ())
    tasks: tuple[TaskRef, ...] = ro("Its tasks")
    parent: SessionRef = static("The session that opened it", NULL)
    originator: str = ro("What the client says it is", "")
    client_certificate: bool = ro("Its user proved itself by a certificate", False)


def _row(session: Session, active: datetime) -> SessionRecord:
    who = session.principal
    sid = who.subjects[0] if who.subjects else ""
    return SessionRecord(
        uuid=session.uuid,
        this_host=ref_of("host", session.host),
        this_user=NULL,
        last_active=active,
        pool=who.pool,
        other_config=dict(session.other_config),
        is_local_superuser=who.is_local_superuser,
        subject=subject_ref(sid) if sid else NULL,
        validation_time=session.opened,
        auth_user_sid=sid,
        auth_user_name=who.user,
        rbac_permissions=_permissions(who),
        originator=who.originator,
        client_certificate=who.client_certificate,
    )


def _permissions(who: Principal) -> tuple[str, ...]:
    if who.is_local_superuser or who.pool:
        return ()
    return _permissions_of(who.roles, len(CALLS))


@lru_cache(maxsize=128)
def _permissions_of(held: frozenset[str], _calls: int) -> tuple[str, ...]:
    return tuple(roles.permissions_of(held, CALLS.values()))


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


@call("session.get_all_subject_identifiers", role=roles.READ_ONLY, is_async=True)
async def get_all_subject_identifiers(context: Context) -> list[str]:
    """The identifiers of the subjects that are logged in; the superuser has none."""
    subjects = {name for one, _ in context.sessions for name in one.principal.subjects[:1]}
    return sorted(subjects)


@call("session.logout_subject_identifier", role=roles.POOL_OPERATOR, is_async=True)
async def logout_subject_identifier(
    context: Context,
    caller: Caller,
    subject_identifier: Annotated[str, Doc("The identifier of the subject to log out.")],
) -> None:
    """End the sessions of a subject, but for the one that asks."""
    context.sessions.close_all(lambda who: subject_identifier in who.subjects, but=caller.session)


Text = dict[str, str]


@call("pooltrust.get_sessions", role=roles.POOL_ADMIN, cli="session-list")
async def get_sessions(context: Context) -> list[Text]:
    """Who is logged in on the coordinator, the least recently used first.

    One map for each session: uuid, user, subject, address (empty on the host itself), originator,
    opened, last_active.  The reference, which is all it takes to use a session, is not told.
    """
    return [_told(session, active) for session, active in context.sessions]


def _told(session: Session, active: datetime) -> Text:
    who = session.principal
    return {
        "uuid": session.uuid,
        "user": who.user,
        "subject": next(iter(who.subjects), ""),
        "address": who.origin.address,
        "originator": who.originator,
        "opened": compact(session.opened),
        "last_active": compact(active),
    }


@call("pooltrust.end_session", role=roles.POOL_ADMIN, raises=(UuidInvalid,), cli="session-end")
async def end_session(
    context: Context, uuid: Annotated[str, Doc("The session's UUID, from get_sessions.")]
) -> None:
    """End a session of the coordinator, whoever's it is."""
    for session, _ in list(context.sessions):
        if session.uuid == uuid:
            context.sessions.close(session.ref)
            return
    raise UuidInvalid(type="session", uuid=uuid)
