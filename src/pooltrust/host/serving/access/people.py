"""Users, subjects and who else may come in, as API calls ask for them; see the port of that name.

Each change is guarded: it is answered as done when at least half of the members hold it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from pooltrust.api.classes.access.subject import TABLE, local_identifier, subject_uuid
from pooltrust.api.classes.access.user import ACCOUNTS, user_uuid
from pooltrust.api.sessions import Caller
from pooltrust.api.views import ACCESS, CERTIFICATE
from pooltrust.errors import (
    InvalidValue,
    NotLocalSuperuser,
    OperationNotAllowed,
    PasswordRejected,
    SubjectCannotBeResolved,
)
from pooltrust.host.accounts.local import ADMINISTRATOR, Accounts, check_name
from pooltrust.host.accounts.logins import Logins
from pooltrust.host.accounts.standing import Standing
from pooltrust.host.accounts.subjects import Subjects, information
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.names import BadName, dns_names

USER = "user"

OF_THE_SYSTEM = "passwords are the operating system's here (by PAM): change them there"


async def _nobody_waits() -> None: ...


class People:
    """The daemon's answer to the calls about people.

    `of_the_system`: passwords are checked by PAM, so that none can be set here.
    """

    def __init__(
        self,
        guarded: Guarded,
        accounts: Accounts,
        logins: Logins,
        known: Subjects,
        standing: Standing,
        journal: Journal,
    ) -> None:
        self._guarded = guarded
        self._accounts = accounts
        self._logins = logins
        self._subjects = known
        self._standing = standing
        self._journal = journal
        self.of_the_system = False
        self.asked_differently: Callable[[], Awaitable[None]] = _nobody_waits
        """Returns when new connections are asked, or not asked, for a certificate."""

    async def create_user(self, name: str, password: str | None, role: str, caller: Caller) -> None:
        """Add a user, with its password and role if they are given."""
        self._own_passwords()
        check_name(name)
        verifier = None if password is None else await self._accounts.derived(password)

        def decide() -> Sequence[Change]:
            if name in self._accounts.names():
                raise OperationNotAllowed(f"There is a user {name} already")
            changes = list(self._accounts.with_verifier(name, verifier))
            if role:
                identifier = local_identifier(name)
                known = information(name, name, identifier)
                changes.append(self._subjects.with_roles(identifier, (role,), known))
            return changes

        await self._guarded.change(decide)
        self._tell("user-created", caller, user=name, role=role or "none")

    async def destroy_user(self, name: str, caller: Caller) -> None:
        """Remove a user and its subject."""
        if name == ADMINISTRATOR:
            raise OperationNotAllowed(f"{ADMINISTRATOR} can't be removed")
        gone = [
            Change(ACCOUNTS, name, None),
            Change(TABLE, subject_uuid(local_identifier(name)), None),
            Change(USER, user_uuid(name), None),
        ]
        await self._guarded.change(lambda: gone)
        self._tell("user-removed", caller, user=name)

    async def set_password(self, name: str, password: str, caller: Caller) -> None:
        """Give a user another password."""
        self._own_passwords()
        root = caller.principal is not None and caller.principal.is_local_superuser
        if name == ADMINISTRATOR and not root:
            raise NotLocalSuperuser(f"Only {ADMINISTRATOR} may change {ADMINISTRATOR}'s password")
        if name not in self._accounts.names():
            raise SubjectCannotBeResolved(name)
        await self._set(name, password, caller)

    async def change_password(self, password: str, caller: Caller) -> None:
        """Give root another password."""
        self._own_passwords()
        await self._set(ADMINISTRATOR, password, caller)

    async def change_own_password(self, old: str, new: str, caller: Caller) -> None:
        """Give the caller another password; a wrong old one counts as a failed login."""
        self._own_passwords()
        who = caller.principal
        if who is None or who.client_certificate:
            raise OperationNotAllowed("Who came in by a certificate has no password here")
        origin = None if caller.origin.local else caller.origin.address
        await self._logins.login(who.user, old, origin)
        await self._set(who.user, new, caller)

    async def create_subject(
        self, identifier: str, other_config: Mapping[str, str], caller: Caller
    ) -> None:
        """Make a user or group a subject."""
        await self._subjects.create(identifier, other_config)
        self._tell("subject-created", caller, subject=identifier)

    async def destroy_subject(self, uuid: str, caller: Caller) -> None:
        """Remove a subject."""
        await self._subjects.destroy(uuid)
        self._tell("subject-removed", caller, subject=uuid)

    async def add_role(self, uuid: str, role: str, caller: Caller) -> None:
        """Give a subject a role."""
        await self._subjects.add_role(uuid, role)
        self._tell("role-given", caller, subject=uuid, role=role)

    async def remove_role(self, uuid: str, role: str, caller: Caller) -> None:
        """Take a role from a subject."""
        await self._subjects.remove_role(uuid, role)
        self._tell("role-taken", caller, subject=uuid, role=role)

    async def identifier(self, name: str) -> str:
        """What names a user or group in a subject."""
        return await self._subjects.directory.identifier(name)

    async def information(self, identifier: str) -> Mapping[str, str]:
        """What the directory knows of it."""
        return await self._subjects.directory.information(identifier)

    async def groups(self, identifier: str) -> Sequence[str]:
        """The groups that it is in."""
        return await self._subjects.directory.groups(identifier)

    async def ask_for_certificates(self, name: str | None, caller: Caller) -> None:
        """Let clients in by a certificate of this name; None: by no certificate."""
        row = None
        if name is not None:
            try:
                row = {"name": dns_names([name])[0].lower()}
            except BadName as why:
                raise InvalidValue("name", name) from why
        await self._guarded.change(lambda: [Change(ACCESS, CERTIFICATE, row)])
        await self.asked_differently()
        self._tell("client-certificates", caller, accepted=name or "none")

    async def _set(self, name: str, password: str, caller: Caller) -> None:
        with self._standing.sparing(caller.session):
            await self._accounts.set_password(name, password)
        self._tell("password-changed", caller, user=name)

    def _own_passwords(self) -> None:
        if self.of_the_system:
            raise PasswordRejected(OF_THE_SYSTEM)

    def _tell(self, event: str, caller: Caller, **facts: str) -> None:
        self._journal.event(event, by=caller.user, peer=caller.origin.address or "-", **facts)
