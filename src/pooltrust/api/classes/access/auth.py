"""Asking the pool's directory: who there is, and what names them in a subject."""

from __future__ import annotations

from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, call
from pooltrust.errors import SubjectCannotBeResolved

Identifier = Annotated[str, Doc("What names a user or group in a subject, e.g. local:alice.")]


@call("auth.get_subject_identifier", role=roles.READ_ONLY, raises=(SubjectCannotBeResolved,))
async def get_subject_identifier(
    context: Context, subject_name: Annotated[str, Doc("The name of a user or group.")]
) -> str:
    """What names this user or group in a subject."""
    return await context.people.identifier(subject_name)


@call(
    "auth.get_subject_information_from_identifier",
    role=roles.READ_ONLY,
    raises=(SubjectCannotBeResolved,),
)
async def get_subject_information_from_identifier(
    context: Context, subject_identifier: Identifier
) -> dict[str, str]:
    """What the directory knows of a user or group: subject-name, subject-is-group and so on."""
    return dict(await context.people.information(subject_identifier))


@call("auth.get_group_membership", role=roles.READ_ONLY, raises=(SubjectCannotBeResolved,))
async def get_group_membership(context: Context, subject_identifier: Identifier) -> list[str]:
    """The identifiers of the groups that a user is in; the pool's own users are in none."""
    return list(await context.people.groups(subject_identifier))
