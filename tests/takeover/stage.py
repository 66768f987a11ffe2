"""What administrators and fate do in these stories."""

from __future__ import annotations

from collections.abc import Callable

from daemons import Host, alike, until
from pooltrust.errors import Failure
from pooltrust.pool.plan.steps import Append
from pooltrust.trust.entries import AddressChanged, TakenOver
from pooltrust.trust.entry import SignedEntry

Pool = Callable[..., tuple[Host, ...]]
NEW_PASSWORD = "nine-otters-hum-softly"


async def take_over(taker: Host, *, alone: bool = False) -> None:
    """What the driver does with the entry of a takeover's plan."""
    roster = taker.roster
    lost = roster.coordinator
    body = TakenOver(taker.me, lost)
    await taker.daemon.taking.write(Append(body, roster.number, alone), by="mabel")


async def spread(coordinator: Host) -> None:
    """What the driver does after it."""
    await coordinator.daemon.scribe.distribute()


async def append(coordinator: Host) -> SignedEntry:
    """A change of trust that anybody can see, and that changes nothing."""
    body = AddressChanged(coordinator.me, coordinator.config.address)
    return await coordinator.daemon.scribe.append(body, by="root", call="test")


async def settle(coordinator: Host, *others: Host) -> None:
    """Wait until these hold the coordinator's log and records."""
    await until(lambda: all(alike(coordinator, host) for host in others))


async def refusal(story: object) -> Failure:
    """The failure that this ends with."""
    try:
        await story  # type: ignore[misc]
    except Failure as why:
        return why
    raise AssertionError("it was not refused")


def leads(host: Host, *others: Host) -> bool:
    """Whether all of them, itself included, have this host for their coordinator."""
    return all(one.roster.coordinator == host.me for one in (host, *others))
