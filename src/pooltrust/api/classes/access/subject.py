"""Those who may use the pool with a role: users of the pool's directory, and its groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.access import role as role_class
from pooltrust.api.classes.fields.refs import RoleRef, SubjectRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import CALLS, Doc, call
from pooltrust.api.declare.record import constructed, record, ro, static
from pooltrust.api.declare.values import Ref, named_uuid, ref_of
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    HandleInvalid,
    HostIsSlave,
    RoleAlreadyExists,
    RoleNotFound,
    SubjectAlreadyExists,
    SubjectCannotBeResolved,
)


@record("subject")
class Subject:
    """A user or group that may use the pool, with the roles that it has there."""

    uuid: str = ro("Names the subject; it follows from its identifier")
    subject_identifier: str = static("The directory's name for it, e.g. local:alice", "")
    other_config: Mapping[str, str] = static("What the directory knows of it", {})
    roles: tuple[RoleRef, ...] = ro("Its roles", (role_class.ref(roles.POOL_ADMIN),))


TABLE = "subject"
"""The table of the records from which these are made: identifier, other_config, roles by name."""


def subjects(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Subject]:
    """The subjects of these records."""
    for uuid, row in rows.items():
        yield Subject(
            uuid=uuid,
            subject_identifier=str(row.get("subject_identifier", "")),
            other_config={str(k): str(v) for k, v in (row.get("other_config") or {}).items()},
            roles=tuple(role_class.ref(name) for name in roles_of(row)),
        )


def roles_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles in a subject's record that this release knows, the most privileged first."""
    held = row.get("roles")
    return tuple(name for name in roles.ROLES if isinstance(held, list) and name in held)


LOCAL = "local:"
"""How the identifiers of the pool's own users begin."""


def local_identifier(name: str) -> str:
    """The identifier of one of the pool's own users."""
    return f"{LOCAL}{name}"


def subject_uuid(identifier: str) -> str:
    """The UUID of the subject with this identifier: made anew, it has the same one."""
    return named_uuid("subject", identifier)


def subject_ref(identifier: str) -> Ref:
    """The reference of the subject with this identifier."""
    return ref_of("subject", subject_uuid(identifier))


def _uuid(context: Context, self: Ref) -> str:
    try:
        return context.records(Subject)[self].uuid
    except KeyError:
        raise HandleInvalid(type="subject", handle=self) from None


def assignable(role: Ref) -> str:
    """The name of a role that can be given to users.  Raises RoleNotFound for anything else."""
    row = role_class.rows().get(role)
    if row is None or row.name_label not in roles.ROLES:
        raise RoleNotFound
    return row.name_label


TheSubject = Annotated[SubjectRef, Doc("The subject.")]
TheRole = Annotated[RoleRef, Doc("The role.")]


@call(
    "subject.create",
    role=roles.POOL_ADMIN,
    raises=(HostIsSlave, SubjectAlreadyExists, SubjectCannotBeResolved),
    is_async=True,
    forwarded=False,
)
async def create(
    context: Context,
    caller: Caller,
    args: Annotated[
        dict[str, Any], constructed(Subject), Doc("subject_identifier, maybe other_config.")
    ],
) -> SubjectRef:
    """Make a user or group of the directory a subject of the pool; it has no role yet.

    auth.get_subject_identifier gives its identifier.  It is made on the coordinator only.
    """
    identifier: str = args["subject_identifier"]
    await context.people.create_subject(identifier, args["other_config"], caller)
    return subject_ref(identifier)


@call("subject.destroy", role=roles.POOL_ADMIN, raises=(HandleInvalid,), is_async=True)
async def destroy(context: Context, caller: Caller, self: TheSubject) -> None:
    """Let a user or group use the pool no more; its sessions end."""
    await context.people.destroy_subject(_uuid(context, self), caller)


@call(
    "subject.add_to_roles",
    role=roles.POOL_ADMIN,
    raises=(HandleInvalid, HostIsSlave, RoleAlreadyExists, RoleNotFound),
    forwarded=False,
)
async def add_to_roles(context: Context, caller: Caller, self: TheSubject, role: TheRole) -> None:
    """Give a subject a role, from its next login on.  It is given on the coordinator only."""
    await context.people.add_role(_uuid(context, self), assignable(role), caller)


@call(
    "subject.remove_from_roles",
    role=roles.POOL_ADMIN,
    raises=(HandleInvalid, RoleNotFound),
)
async def remove_from_roles(
    context: Context, caller: Caller, self: TheSubject, role: TheRole
) -> None:
    """Take a role from a subject; its sessions end."""
    await context.people.remove_role(_uuid(context, self), assignable(role), caller)


@call("subject.get_permissions_name_label", role=roles.READ_ONLY, raises=(HandleInvalid,))
async def get_permissions_name_label(context: Context, self: TheSubject) -> list[str]:
    """The names of the permissions that its roles give a subject."""
    held = context.records(Subject).get(self)
    if held is None:
        raise HandleInvalid(type="subject", handle=self)
    names = {role_class.rows()[one].name_label for one in held.roles}
    return roles.permissions_of(names, CALLS.values())
