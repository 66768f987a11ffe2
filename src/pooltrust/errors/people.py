"""How calls about users, subjects and roles are refused."""

from __future__ import annotations

from pooltrust.errors.declaring import Refused, aside, failure


@failure("SUBJECT_CANNOT_BE_RESOLVED", cure="Check the spelling; see who there is: xe user-list")
class SubjectCannotBeResolved(Refused):
    """There is no user or group {name}."""

    name: str = aside("of that name")


@failure("SUBJECT_ALREADY_EXISTS", cure="See its roles: xe subject-list")
class SubjectAlreadyExists(Refused):
    """This user or group is a subject of the pool already."""


@failure(
    "ROLE_NOT_FOUND", cure="xe role-list shows the roles there are, xe subject-list who has them."
)
class RoleNotFound(Refused):
    """The subject does not have this role."""


@failure("ROLE_ALREADY_EXISTS")
class RoleAlreadyExists(Refused):
    """The subject has this role already."""


@failure("AUTH_UNKNOWN_TYPE", cure="Users are the pool's own, or by setting those of PAM.")
class AuthUnknownType(Refused):
    """There is no directory of the type {type} here."""

    type: str


@failure("AUTH_IS_DISABLED", cure="Users are the pool's own, or by setting those of PAM.")
class AuthIsDisabled(Refused):
    """This pool uses no external directory."""
