"""What is true of a pool in which nothing is left to be done, and what keeps it from being so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from daemons import Host
from pooltrust.host.obeying.minting import staged
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import AddressChanged

from .stage import accepted, served

PEACE_SECONDS = 60.0


async def peace(*hosts: Host, seconds: float = PEACE_SECONDS, requested: bool = False) -> None:
    """Wait, without doing anything, until nothing is left to be done; then see that it is good.

    `requested`: a host may have a key that was asked for in vain; it goes with a later request.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while left := list(unrest(*hosts, requested=requested)):
        assert loop.time() < until, f"after {seconds:g} s: {'; '.join(left)}"
        await asyncio.sleep(0.01)
    await _everybody_meets_everybody(hosts)
    await _something_can_be_written(hosts)


def unrest(*hosts: Host, requested: bool = False) -> Iterator[str]:
    """What is not as it is to be, in words."""
    first, *others = hosts
    leads = [host for host in hosts if host.daemon.belief.is_coordinator]
    if [host.me for host in leads] != [first.roster.coordinator]:
        yield f"{[host.config.name for host in leads]} coordinate"
    for host in leads:
        if not host.daemon.leading.begun:
            yield f"{host.config.name} does not lead yet"
    for host in others:
        if host.roster.head != first.roster.head:
            numbers = host.roster.number, first.roster.number
            yield f"{host.config.name} ends with entry {numbers[0]}, the first with {numbers[1]}"
        if host.daemon.store.revision != first.daemon.store.revision:
            yield f"{host.config.name} has other records"
    for host in hosts:
        yield from _unrest_of(host, hosts, requested)


def _unrest_of(host: Host, hosts: tuple[Host, ...], requested: bool) -> Iterator[str]:
    name, daemon = host.config.name, host.daemon
    for one in daemon.desk.pending():
        yield f"{name}: {one.operation.plan.title} is {one.state} at {one.phase!r}: {one.words}"
    if host.folder.operation.exists():
        yield f"{name} keeps a takeover"
    if host.me not in host.roster.members:
        yield f"{name} is no member"
        return
    mine = accepted(host, host)
    if len(mine) != 1:
        yield f"{len(mine)} certificates of {name} are accepted"
    in_vain = staged(host.folder, daemon.belief) if requested else frozenset[Thumbprint]()
    if keys(host) - in_vain != mine:
        yield f"{name} has {len(keys(host))} keys, {len(keys(host) & mine)} of them accepted"
    for other in hosts:
        if host.me in other.roster.members and served(host) not in accepted(other, host):
            yield f"{other.config.name} does not believe what {name} serves"


def keys(host: Host) -> frozenset[Thumbprint]:
    """The certificates that it has the keys of, on the disk."""
    files = host.folder.identity_files("pool")
    return frozenset(Thumbprint.parse(path.stem.partition("-")[2]) for path in files)


async def _everybody_meets_everybody(hosts: tuple[Host, ...]) -> None:
    for host in hosts:
        for seen in await host.daemon.prober.probe_all():
            if seen.host in {other.me for other in hosts}:  # others may be down
                assert seen.verified, seen


async def _something_can_be_written(hosts: tuple[Host, ...]) -> None:
    (leads,) = [host for host in hosts if host.daemon.belief.is_coordinator]
    body = AddressChanged(leads.me, leads.config.address)
    await leads.daemon.scribe.append(body, by="root", call="test")


def what_happened(*hosts: Host) -> list[Any]:
    """The lines of their journals that are more than news, for who wonders."""
    return [
        (host.config.name, line.event, line.facts.get("words") or line.facts)
        for host in hosts
        for line in host.told.lines
        if line.level in ("error", "critical") or "defect" in line.event
    ]
