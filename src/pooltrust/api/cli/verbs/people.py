"""Users, subjects and their roles, sessions, and passwords."""

from __future__ import annotations

from pooltrust.api.cli.command import command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.rows import names
from pooltrust.api.cli.wire.words import Fault
from pooltrust.api.declare.values import Ref


@command(
    "user-create",
    required=("name", "new-password"),
    optional=("role",),
    secrets=("new-password",),
    does=("pooltrust.create_user name={name} new-password={password} role={role}",),
)
async def create_user(seat: Seat) -> None:
    """Make an account, maybe with a role; shows the user's UUID."""
    words = seat.words
    name, password = words.require("name"), words.require("new-password")
    ref = await seat.call("pooltrust.create_user", name, password, words.get("role"))
    await seat.terminal.bare(str(await seat.call("user.get_uuid", ref)))


@command(
    "user-password-set",
    required=("name", "new-password"),
    secrets=("new-password",),
    does=("pooltrust.set_password name={name} new-password={password}",),
)
async def set_password(seat: Seat) -> None:
    """Give an account another password."""
    words = seat.words
    name, password = words.require("name"), words.require("new-password")
    await seat.call("pooltrust.set_password", name, password)


@command(
    "user-password-change",
    required=("new",),
    optional=("old",),
    secrets=("new",),
    does=(
        "session.change_password old={old_pwd} new={new_pwd}",
        "pooltrust.change_own_password old={old} new={new}",
    ),
)
async def change_password(seat: Seat) -> None:
    """Change your password in the whole pool; the old one is that which you log in with."""
    old, new = seat.words.get("old"), seat.words.require("new")
    if await seat.call("session.get_is_local_superuser", seat.session):
        await seat.call("session.change_password", old, new)
        return
    if not (old := old or seat.words.get("password")):
        await seat.ask_secret("old")
        old = seat.words.require("old")
    await seat.call("pooltrust.change_own_password", old, new)


@command("subject-add", required=("subject-name",))
async def add_subject(seat: Seat) -> None:
    """Let an account have roles; shows the subject's UUID."""
    name = seat.words.require("subject-name")
    identifier = await seat.call("auth.get_subject_identifier", name)
    ref = await seat.call(
        "subject.create", {"subject_identifier": identifier, "other_config": {"subject-name": name}}
    )
    await seat.terminal.bare(str(await seat.call("subject.get_uuid", ref)))


@command(
    "subject-remove",
    required=("subject-uuid",),
    does=("subject.destroy subject-uuid={self}",),
)
async def remove_subject(seat: Seat) -> None:
    """Take every role from a subject."""
    subject = await seat.by_uuid("subject", seat.words.require("subject-uuid"))
    await seat.call("subject.destroy", subject)


async def _role(seat: Seat) -> Ref:
    if seat.words.has("role-uuid"):
        return await seat.by_uuid("role", seat.words.get("role-uuid"))
    name = seat.words.require("role-name")
    found = await seat.call("role.get_by_name_label", name)
    if not found:
        raise Fault(f"Role not found: {name}")
    return Ref(found[0])


@command(
    "subject-role-add",
    required=("uuid",),
    optional=("role-name", "role-uuid"),
    does=("subject.add_to_roles uuid={self} role-uuid={role}",),
)
async def add_role(seat: Seat) -> None:
    """Give a subject a role."""
    subject = await seat.by_uuid("subject", seat.words.require("uuid"))
    await seat.call("subject.add_to_roles", subject, await _role(seat))


@command(
    "subject-role-remove",
    required=("uuid",),
    optional=("role-name", "role-uuid"),
    does=("subject.remove_from_roles uuid={self} role-uuid={role}",),
)
async def remove_role(seat: Seat) -> None:
    """Take a role from a subject."""
    subject = await seat.by_uuid("subject", seat.words.require("uuid"))
    await seat.call("subject.remove_from_roles", subject, await _role(seat))


@command("session-subject-identifier-list", does=("session.get_all_subject_identifiers",))
async def logged_in(seat: Seat) -> None:
    """The subjects who are logged in."""
    found = list(await seat.call("session.get_all_subject_identifiers"))
    await names(seat.terminal, seat.words, found, called="subject-identifier")


@command(
    "session-subject-identifier-logout",
    required=("subject-identifier",),
    does=("session.logout_subject_identifier subject-identifier={subject_identifier}",),
)
async def log_out(seat: Seat) -> None:
    """End every session of a subject."""
    identifier = seat.words.require("subject-identifier")
    await seat.call("session.logout_subject_identifier", identifier)


@command("session-subject-identifier-logout-all")
async def log_out_all(seat: Seat) -> None:
    """End every session of every subject."""
    for identifier in await seat.call("session.get_all_subject_identifiers"):
        await seat.call("session.logout_subject_identifier", identifier)
