"""Who of those with a password may come in, and with which roles: the subjects of the API.

A subject is a record of the pool, guarded like an account.  The names behind subjects are a
directory's: the pool's own accounts, or the users and groups of the operating system.  The
superuser is no subject: root may do everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pooltrust.api import roles
from pooltrust.api.classes.access.subject import (
    LOCAL,
    TABLE,
    local_identifier,
    roles_of,
    subject_uuid,
)
from pooltrust.api.sessions import Origin, Principal
from pooltrust.errors import (
    HandleInvalid,
    RbacPermissionDenied,
    RoleAlreadyExists,
    RoleNotFound,
    SessionAuthorizationFailed,
    SubjectAlreadyExists,
    SubjectCannotBeResolved,
)
from pooltrust.host.accounts.local import ADMINISTRATOR, Accounts
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change, Row


class Directory(Protocol):
    """Whose names stand behind subjects.  Raises SubjectCannotBeResolved for an unknown one."""

    async def identifier(self, name: str) -> str:
        """What names this user or group in a subject."""

    async def identities(self, username: str) -> Sequence[str]:
        """The identifier of this user, then those of its groups."""

    async def information(self, identifier: str) -> Mapping[str, str]:
        """What is known of it, under the published keys (`subject-name` …)."""

    async def groups(self, identifier: str) -> Sequence[str]:
        """The identifiers of the groups that it is in."""


class LocalDirectory:
    """The accounts of the pool; they have no groups."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def identifier(self, name: str) -> str:
        """``local:`` and the name."""
        if name not in self._accounts.names() or name == ADMINISTRATOR:
            raise SubjectCannotBeResolved(name)
        return local_identifier(name)

    async def identities(self, username: str) -> Sequence[str]:
        """The one of this account."""
        return [await self.identifier(username)]

    async def information(self, identifier: str) -> Mapping[str, str]:
        """Its name."""
        name = identifier.removeprefix(LOCAL)
        if await self.identifier(name) != identifier:
            raise SubjectCannotBeResolved(identifier)
        return information(name, name, identifier)

    async def groups(self, identifier: str) -> Sequence[str]:
        """None, if there is such an account."""
        await self.information(identifier)
        return []


def information(
    name: str, full_name: str, identifier: str, *, group: bool = False
) -> dict[str, str]:
    """What clients are told of a user or group: published keys."""
    return {
        "subject-name": name,
        "subject-displayname": full_name or name,
        "subject-sid": identifier,
        "subject-is-group": "true" if group else "false",
        "subject-account-disabled": "false",
        "subject-account-expired": "false",
        "subject-account-locked": "false",
        "subject-password-expired": "false",
    }


class Subjects:
    """The subjects of the pool over a store."""

    def __init__(self, guarded: Guarded, directory: Directory) -> None:
        self._guarded = guarded
        self._store = guarded.store
        self.directory = directory

    async def principal(self, username: str, origin: Origin) -> Principal:
        """What somebody who proved a password may do.

        Raises SessionAuthorizationFailed for who is no subject, neither by itself nor by a group,
        and RbacPermissionDenied for one without a role.
        """
        if username == ADMINISTRATOR:
            return Principal(
                username, origin, frozenset((roles.POOL_ADMIN,)), is_local_superuser=True
            )
        held = await self._held_by(username)
        granted = self.granted(held)
        if not held:
            raise SessionAuthorizationFailed(username)
        if not granted:
            raise RbacPermissionDenied(
                permission="session.login_with_password",
                message=f"{username} has no role in this pool (Roles with this permission: "
                f"{', '.join(roles.ROLES)})",
            )
        return Principal(username, origin, granted, subjects=tuple(held))

    def check_may_admit(self, username: str) -> None:
        """Raises RbacPermissionDenied for a local user who may not let hosts into the pool."""
        holding = roles.holders(roles.POOL_OPERATOR)
        held = self.granted([local_identifier(username)])
        if username != ADMINISTRATOR and held.isdisjoint(holding):
            raise RbacPermissionDenied(
                permission="pool.join",
                message=f"{username} may not let hosts into this pool"
                f" (Roles with this permission: {', '.join(holding)})",
            )

    def granted(self, identifiers: Iterable[str]) -> frozenset[str]:
        """The roles that these have together, now."""
        rows = (self._store.get(TABLE, subject_uuid(one)) for one in identifiers)
        return frozenset(role for row in rows if row is not None for role in roles_of(row))

    async def create(self, identifier: str, other_config: Mapping[str, str]) -> None:
        """Let somebody be given roles.  Raises SubjectAlreadyExists, SubjectCannotBeResolved."""
        known = await self.directory.information(identifier)
        uuid = subject_uuid(identifier)

        def decide() -> Sequence[Change]:
            if self._store.get(TABLE, uuid) is not None:
                raise SubjectAlreadyExists
            return [self.with_roles(identifier, (), {**known, **other_config})]

        await self._guarded.change(decide)

    def with_roles(
        self, identifier: str, names: Sequence[str], other_config: Mapping[str, str]
    ) -> Change:
        """The change that makes this subject with these roles."""
        row = {
            "subject_identifier": identifier,
            "other_config": dict(other_config),
            "roles": list(names),
        }
        return Change(TABLE, subject_uuid(identifier), row)

    async def destroy(self, uuid: str) -> None:
        """Let it log in no more.  Raises HandleInvalid."""

        def decide() -> Sequence[Change]:
            self.row(uuid)
            return [Change(TABLE, uuid, None)]

        await self._guarded.change(decide)

    async def add_role(self, uuid: str, role: str) -> None:
        """Give it a role.  Raises HandleInvalid, RoleAlreadyExists."""

        def decide() -> Sequence[Change]:
            row = self.row(uuid)
            if role in roles_of(row):
                raise RoleAlreadyExists
            return [Change(TABLE, uuid, {**row, "roles": [*roles_of(row), role]})]

        await self._guarded.change(decide)

    async def remove_role(self, uuid: str, role: str) -> None:
        """Take a role from it.  Raises HandleInvalid, RoleNotFound."""

        def decide() -> Sequence[Change]:
            row = self.row(uuid)
            if role not in roles_of(row):
                raise RoleNotFound
            return [
                Change(TABLE, uuid, {**row, "roles": [one for one in roles_of(row) if one != role]})
            ]

        await self._guarded.change(decide)

    def row(self, uuid: str) -> Row:
        """A subject's record.  Raises HandleInvalid."""
        row = self._store.get(TABLE, uuid)
        if row is None:
            raise HandleInvalid(TABLE, uuid)
        return row

    async def _held_by(self, username: str) -> list[str]:
        """The subjects that this user is, by itself first, then by its groups."""
        try:
            names = await self.directory.identities(username)
        except SubjectCannotBeResolved as why:
            raise SessionAuthorizationFailed(username) from why
        return [one for one in names if self._store.get(TABLE, subject_uuid(one)) is not None]
