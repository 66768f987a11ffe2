"""What calls may ask of the daemon about people: a Protocol, so that tests can be the daemon.

Whatever changes here is done when at least half of the members hold it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pooltrust.api.sessions import Caller


class People(Protocol):
    """Users, subjects and what may be asked of them.  Each raises what its call declares."""

    async def create_user(self, name: str, password: str | None, role: str, caller: Caller) -> None:
        """Add a user; without a password it can't log in, without a role it may not."""

    async def destroy_user(self, name: str, caller: Caller) -> None:
        """Remove a user and its subject."""

    async def set_password(self, name: str, password: str, caller: Caller) -> None:
        """Give a user another password; root's only if root asks."""

    async def change_password(self, password: str, caller: Caller) -> None:
        """Give root another password."""

    async def change_own_password(self, old: str, new: str, caller: Caller) -> None:
        """Give the caller another password, if the old one is right."""

    async def create_subject(
        self, identifier: str, other_config: Mapping[str, str], caller: Caller
    ) -> None:
        """Make a user or group a subject, without a role."""

    async def destroy_subject(self, uuid: str, caller: Caller) -> None:
        """Remove a subject and end its sessions."""

    async def add_role(self, uuid: str, role: str, caller: Caller) -> None:
        """Give a subject a role."""

    async def remove_role(self, uuid: str, role: str, caller: Caller) -> None:
        """Take a role from a subject and end its sessions."""

    async def identifier(self, name: str) -> str:
        """What names a user or group in a subject."""

    async def information(self, identifier: str) -> Mapping[str, str]:
        """What the directory knows of it."""

    async def groups(self, identifier: str) -> Sequence[str]:
        """The groups that it is in."""

    async def ask_for_certificates(self, name: str | None, caller: Caller) -> None:
        """Let clients in by a certificate of this name; None: by no certificate."""
