"""The operating system's users and groups as the directory behind subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pooltrust.errors import SubjectCannotBeResolved
from pooltrust.host.accounts.subjects import information
from pooltrust.host.accounts.system.asking import NoAnswer, System
from pooltrust.host.accounts.system.pam import can_be_asked

USER = "pam:"
GROUP = "pam-group:"


class SystemDirectory:
    """Users are ``pam:name``, groups ``pam-group:name``: names, as numbers differ between hosts."""

    def __init__(self, system: System) -> None:
        self._system = system

    async def identifier(self, name: str) -> str:
        """A user's identifier, or else that of the group of this name."""
        for sort, prefix in (("user", USER), ("group", GROUP)):
            if found := await self._look(sort, name):
                return f"{prefix}{found['name']}"
        raise SubjectCannotBeResolved(name)

    async def identities(self, username: str) -> Sequence[str]:
        """A user's own identifier, then those of its groups."""
        found = await self._look("user", username)
        if not found:
            raise SubjectCannotBeResolved(username)
        return [f"{USER}{found['name']}", *(f"{GROUP}{group}" for group in found["groups"])]

    async def information(self, identifier: str) -> Mapping[str, str]:
        """Its name, and its full name if it is a user."""
        prefix = GROUP if identifier.startswith(GROUP) else USER
        name = identifier.removeprefix(prefix)
        found = await self._look("group" if prefix == GROUP else "user", name)
        if not found or f"{prefix}{found['name']}" != identifier:
            raise SubjectCannotBeResolved(identifier)
        full_name = str(found.get("full_name", ""))
        return information(name, full_name, identifier, group=prefix == GROUP)

    async def groups(self, identifier: str) -> Sequence[str]:
        """The groups of a user; a group is in none."""
        await self.information(identifier)
        if identifier.startswith(GROUP):
            return []
        return (await self.identities(identifier.removeprefix(USER)))[1:]

    async def _look(self, sort: str, name: str) -> dict[str, Any]:
        if not can_be_asked(name, ""):
            return {}
        try:
            return await self._system.ask({"do": sort, "name": name})
        except NoAnswer as why:
            raise SubjectCannotBeResolved(f"{name} that can be looked up now: {why}") from why
