"""Who checks passwords, and whose names stand behind subjects: by a host's settings."""

from __future__ import annotations

from pooltrust.host.accounts.local import Accounts
from pooltrust.host.accounts.logins import Passwords
from pooltrust.host.accounts.subjects import Directory, LocalDirectory
from pooltrust.host.accounts.system.asking import System
from pooltrust.host.accounts.system.names import SystemDirectory
from pooltrust.host.accounts.system.pam import PamPasswords
from pooltrust.host.configuration.config import Config
from pooltrust.host.telling.journal import Journal


def chosen(config: Config, accounts: Accounts, journal: Journal) -> tuple[Passwords, Directory]:
    """The pool's own accounts, or the users of the operating system."""
    if config.passwords == "pool":
        return accounts, LocalDirectory(accounts)

    def told(words: str) -> None:
        journal.damped("pam", peer="", reason=words.partition(":")[0], words=words)

    # Each has its own turns: whoever may look up names must not keep others from logging in.
    return PamPasswords(System(), config.pam_service, told), SystemDirectory(System())
