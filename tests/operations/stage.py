"""Ordering operations on hosts in the test's own loop, and seeing what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daemons import Host, alike, until
from pooltrust.terms import Thumbprint

Pool = Callable[..., tuple[Host, ...]]


async def ref(asked: Host, host: Host) -> str:
    """How that host's API names this one."""
    return str(await asked.ask("host.get_by_uuid", host.me))


async def refresh(asked: Host, host: Host) -> None:
    """Order a refresh, as an administrator does it."""
    await asked.ask("host.refresh_server_certificate", await ref(asked, host))


async def operations(asked: Host) -> list[dict[str, str]]:
    """What the pool's operations are, oldest first."""
    found: list[dict[str, str]] = await asked.ask("pooltrust.get_operations")
    return found


def accepted(asked: Host, host: Host) -> frozenset[Thumbprint]:
    """The pool certificates that one host accepts from another."""
    return asked.roster.expect(host.me).accepted


def served(host: Host) -> Thumbprint:
    """The pool certificate that it serves."""
    return host.daemon.belief.identities.pool.identity.certificate.thumbprint


def key_files(host: Host) -> list[str]:
    """Its pool identities on the disk."""
    return [path.name for path in host.folder.identity_files("pool")]


async def settled(*hosts: Host) -> None:
    """Wait until they hold one log and the same records."""
    first, *others = hosts
    await until(lambda: all(alike(first, other) for other in others))


def verified(table: list[dict[str, Any]]) -> bool:
    """Whether every handshake of `pooltrust.probe_members` was verified."""
    return bool(table) and all(one["verified"] == "true" for one in table)
