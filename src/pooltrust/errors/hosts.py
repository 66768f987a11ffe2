"""How a host itself can fail: configuration, state folder, database, accounts."""

from __future__ import annotations

from pooltrust.errors.declaring import Refused, aside, failure


@failure("CONFIGURATION_INVALID")
class BadConfig(Refused):
    """The configuration {file} can't be used: {problems}"""

    file: str
    problems: str


@failure("STATE_FOLDER_REFUSED")
class BadStateFolder(Refused):
    """The state folder {folder} can't be used: {why}."""

    folder: str
    why: str
    remedy: str = aside()


@failure("STATE_FOLDER_IN_USE", cure="Stop that daemon first, or give this one its own folder.")
class StateFolderInUse(Refused):
    """The state folder {folder} is in use by process {pid}."""

    folder: str
    pid: str


@failure("DATABASE_CORRUPT")
class CorruptDatabase(Refused):
    """The database {file} can't be used: {why}."""

    file: str
    why: str
    remedy: str = aside(
        "Move the file away: a member is sent the records again by its coordinator; "
        "a coordinator needs the file of one of its members or of a backup."
    )


@failure(
    "DATABASE_WRITE_FAILED",
    cure="Nothing was changed.  Free space in that folder or repair its disk, then try again.",
)
class CannotStore(Refused):
    """The change could not be stored in {file}: {why}."""

    file: str
    why: str
    remedy: str = aside("")
    """Instead of the cure, where something may have changed after all."""


@failure("CHANGE_PASSWORD_REJECTED")
class PasswordRejected(Refused):
    """The system rejected the password change; {why}."""

    why: str
