"""Joining, ejecting, and who coordinates."""

from __future__ import annotations

from pooltrust.api.cli.command import command
from pooltrust.api.cli.seat import Seat

JOINING = (
    "master-address={master_address} master-username={master_username} "
    "master-password={master_password}"
)


@command(
    "pool-join",
    required=("master-address", "master-username", "master-password"),
    optional=("force",),
    secrets=("master-password",),
    does=(f"pool.join {JOINING}", f"pool.join_force {JOINING} --force"),
)
async def join(seat: Seat) -> None:
    """Make this host a member of the pool whose coordinator is at master-address.

    The password is proved and never sent.
    """
    words = seat.words
    names = ("master-address", "master-username", "master-password")
    address, user, password = (words.require(name) for name in names)
    await seat.call("pool.join", address, user, password)
    roster = seat.context.roster
    coordinator = roster.members[roster.coordinator]
    await seat.terminal.print(
        f"This host is a member of the pool of {coordinator.name} now.  It met "
        f"{coordinator.newest.thumbprint}: compare it there, with certificate-list."
    )


@command(
    "pool-join-with-code",
    required=("code",),
    secrets=("code",),
    does=("pooltrust.join_with_code code={code}",),
)
async def join_with_code(seat: Seat) -> None:
    """Make this host a member of the pool that made this join code."""
    await seat.call("pooltrust.join_with_code", seat.words.require("code"))
    roster = seat.context.roster
    name = roster.members[roster.coordinator].name
    await seat.terminal.print(f"This host is a member of the pool of {name} now.")


@command(
    "pool-eject",
    required=("host-uuid",),
    optional=("force",),
    does=("pool.eject host-uuid={host}",),
)
async def eject(seat: Seat) -> None:
    """Dismiss a host from the pool, whether it answers or is lost."""
    host = await seat.by_uuid("host", seat.words.require("host-uuid"))
    name = (await seat.records("host"))[host].name_label
    if not seat.words.flag("force") and not await _sure(
        seat,
        f"WARNING: {name} will be dismissed from the pool, and every connection between it and "
        "another member is closed.",
        "WARNING: It founds a pool of its own, with a new pool identity and without any account.",
    ):
        return
    await seat.call("pool.eject", host)
    await seat.terminal.print(f"{name} is no member of this pool any more.")


async def _sure(seat: Seat, *warnings: str) -> bool:
    for warning in warnings:
        await seat.terminal.print(warning)
    await seat.terminal.print("Type 'yes' to continue")
    said = await seat.terminal.ask()
    if said == "yes":
        return True
    await seat.terminal.print(f"Aborted (you typed: '{said}')")
    return False


@command(
    "pool-designate-new-master",
    required=("host-uuid",),
    does=("pool.designate_new_master host-uuid={host}",),
)
async def designate(seat: Seat) -> None:
    """Let another host coordinate the pool; no connection is closed."""
    host = await seat.by_uuid("host", seat.words.require("host-uuid"))
    await seat.call("pool.designate_new_master", host)


@command("pool-emergency-transition-to-master", optional=("force",), local=True)
async def transition(seat: Seat) -> None:
    """Make this host the coordinator, because the coordinator is lost."""
    if seat.context.is_coordinator and not seat.words.flag("force"):
        await seat.terminal.print("This host is the coordinator already; --force does it anyway.")
        return
    await seat.call("pool.emergency_transition_to_master")
    await seat.terminal.print("This host coordinates the pool now.")


@command("pool-take-over-alone", local=True)
async def take_over_alone(seat: Seat) -> None:
    """Make this host the coordinator although too few members are left to endorse it."""
    await seat.call("pooltrust.take_over_alone")
    await seat.terminal.print(
        "This host coordinates the pool now.  Order each other host to follow it: "
        f"xe pool-emergency-reset-master master-address={seat.context.coordinator_address}"
    )


@command("pool-emergency-reset-master", required=("master-address",), local=True)
async def reset_master(seat: Seat) -> None:
    """Make this host follow the coordinator at an address, whatever the other members say."""
    await seat.call("pool.emergency_reset_master", seat.words.require("master-address"))


@command("host-is-in-emergency-mode", local=True)
async def in_emergency(seat: Seat) -> None:
    """Whether this host has lost its coordinator."""
    told = await seat.call("host.is_in_emergency_mode")
    await seat.terminal.bare("true" if told else "false")
