"""The pool's own users: who has an account here, whatever it may do.

What a user may do is its subject's: see subject.py.  `root` is there from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.access import role
from pooltrust.api.classes.access.subject import Subject, local_identifier
from pooltrust.api.classes.fields.refs import UserRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Secret, call
from pooltrust.api.declare.record import constructed, record, ro, rw, static
from pooltrust.api.declare.values import Ref, named_uuid, ref_of
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    HandleInvalid,
    HostIsSlave,
    InvalidValue,
    OperationNotAllowed,
    PasswordRejected,
    SessionAuthenticationFailed,
    SubjectCannotBeResolved,
)


@record("user", calls=frozenset({"get_record", "get_by_uuid"}), evented=False)
class User:
    """A user with an account of this pool."""

    uuid: str = ro("Names the user; it follows from its name")
    short_name: str = static("What the user logs in as")
    fullname: str = rw("Who that is", role=roles.POOL_ADMIN)
    other_config: Mapping[str, str] = rw("Free keys and values", {}, role=roles.POOL_ADMIN)


ACCOUNTS = "accounts"
"""The table of those who have an account, by name."""


def users(accounts: Iterable[str], known: Callable[[str], Mapping[str, Any]]) -> Iterator[User]:
    """The users of these accounts; `known` gives the fields that were set, by UUID."""
    for name in accounts:
        uuid = user_uuid(name)
        yield User(uuid=uuid, short_name=name, **known(uuid))


def user_uuid(name: str) -> str:
    """The UUID of the user of this name."""
    return named_uuid("user", name)


def user_ref(name: str) -> Ref:
    """The reference of the user of this name."""
    return ref_of("user", user_uuid(name))


Name = Annotated[str, Doc("What the user logs in as.")]
RoleName = Annotated[str, Doc("The name of its role; without one it can't log in yet.")]
Password = Annotated[str, Secret(), Doc("The password; kept as a slow salted hash only.")]


@call(
    "user.create",
    role=roles.POOL_ADMIN,
    raises=(HostIsSlave, OperationNotAllowed, PasswordRejected),
    is_async=True,
    forwarded=False,
)
async def create(
    context: Context,
    caller: Caller,
    args: Annotated[
        dict[str, Any], constructed(User), Doc("short_name, fullname, maybe other_config.")
    ],
) -> UserRef:
    """Add a user, who can't log in before pooltrust.set_password.  On the coordinator only."""
    name: str = args["short_name"]
    await context.people.create_user(name, None, "", caller)
    for field in ("fullname", "other_config"):
        if value := args[field]:
            await context.change(User, user_ref(name), field, partial(_instead, value), caller)
    return user_ref(name)


def _instead(value: Any, _old: Any) -> Any:
    return value


@call(
    "user.destroy",
    role=roles.POOL_ADMIN,
    raises=(HandleInvalid, OperationNotAllowed),
    is_async=True,
)
async def destroy(
    context: Context, caller: Caller, self: Annotated[UserRef, Doc("The user.")]
) -> None:
    """Remove a user, its subject included; its sessions end.  root can't be removed."""
    user = context.records(User).get(self)
    if user is None:
        raise HandleInvalid(type="user", handle=self)
    await context.people.destroy_user(user.short_name, caller)


Text = dict[str, str]


@call("pooltrust.get_users", role=roles.POOL_ADMIN, cli="user-list")
async def get_users(context: Context) -> list[Text]:
    """Every user with an account of this pool, by name.

    One map for each: uuid, name, fullname, subject (its identifier, if it is one), roles.
    """
    subjects = {one.subject_identifier: one for one in context.records(Subject).values()}
    everybody = sorted(context.records(User).values(), key=lambda user: user.short_name)
    return [_told(user, subjects.get(local_identifier(user.short_name))) for user in everybody]


def _told(user: User, subject: Subject | None) -> Text:
    held = subject.roles if subject else ()
    return {
        "uuid": user.uuid,
        "name": user.short_name,
        "fullname": user.fullname,
        "subject": subject.subject_identifier if subject else "",
        "roles": ", ".join(role.rows()[one].name_label for one in held),
    }


@call(
    "pooltrust.create_user",
    role=roles.POOL_ADMIN,
    raises=(HostIsSlave, InvalidValue, OperationNotAllowed, PasswordRejected),
    forwarded=False,
    cli="user-create",
)
async def create_user(
    context: Context,
    caller: Caller,
    name: Name,
    password: Password,
    role: RoleName = "",
) -> UserRef:
    """Add a user with a password and a role in one step.  On the coordinator only."""
    if role and role not in roles.ROLES:
        raise InvalidValue(field="role", value=role)
    await context.people.create_user(name, password, role, caller)
    return user_ref(name)


@call(
    "pooltrust.destroy_user",
    role=roles.POOL_ADMIN,
    raises=(OperationNotAllowed, SubjectCannotBeResolved),
    cli="user-destroy",
)
async def destroy_user(context: Context, caller: Caller, name: Name) -> None:
    """Remove a user, its subject included; its sessions end.  root can't be removed."""
    if user_ref(name) not in context.records(User):
        raise SubjectCannotBeResolved(name)
    await context.people.destroy_user(name, caller)


@call(
    "pooltrust.set_password",
    role=roles.POOL_ADMIN,
    raises=(HostIsSlave, OperationNotAllowed, PasswordRejected, SubjectCannotBeResolved),
    forwarded=False,
    cli="user-password-set",
)
async def set_password(context: Context, caller: Caller, name: Name, password: Password) -> None:
    """Give a user a new password; its sessions end.  On the coordinator only.

    root's is changed by root alone: session.change_password.
    """
    await context.people.set_password(name, password, caller)


@call(
    "pooltrust.change_own_password",
    role=roles.READ_ONLY,
    raises=(HostIsSlave, OperationNotAllowed, PasswordRejected, SessionAuthenticationFailed),
    forwarded=False,
)
async def change_own_password(
    context: Context,
    caller: Caller,
    old: Annotated[str, Secret(), Doc("The password so far.")],
    new: Password,
) -> None:
    """Give yourself a new password; your other sessions end.  On the coordinator only."""
    await context.people.change_own_password(old, new, caller)
