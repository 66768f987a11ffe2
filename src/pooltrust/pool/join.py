"""May this host join that pool?  Every reason against it, at once, each with its cure.

Pure: both sides call it with the same two sets of facts, so both reach the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pooltrust.errors import (
    Failure,
    JoiningHostHasMembers,
    OperationNotAllowed,
    TlsVerificationMismatch,
)
from pooltrust.pool.bringing import Shown, ShownList, conflicts
from pooltrust.terms import HostId, PoolId


@dataclass(frozen=True, slots=True)
class Facts:
    """What a host says of itself and its pool at a first meeting.  All of it is public.

    `members` counts the hosts of its pool, itself included; `kinds` are the log entries that it
    can read.
    """

    host: HostId
    name: str
    address: str
    port: int
    pool: PoolId
    verification: bool
    members: int
    coordinator: HostId
    coordinator_address: str
    kinds: tuple[str, ...]
    anchors: tuple[Shown, ...] = ()
    lists: tuple[ShownList, ...] = ()
    """What it trusts beside its members, as far as the other side may know of that."""


def blockers(joiner: Facts, pool: Facts, member_hosts: frozenset[HostId]) -> list[Failure]:
    """Every reason why `joiner` can't join `pool`; empty when it may.

    `member_hosts` are the pool's hosts, as far as the asker knows them.
    """
    return list(_blockers(joiner, pool, member_hosts))


def all_at_once(reasons: list[Failure]) -> Failure:
    """One failure that carries every reason: the first by its code, the others in its words."""
    first, *others = reasons
    first.also = tuple(others)
    return first


def _blockers(joiner: Facts, pool: Facts, member_hosts: frozenset[HostId]) -> Iterator[Failure]:
    if joiner.host == pool.host:
        yield OperationNotAllowed("Host cannot become slave of itself.")
        return
    if joiner.pool == pool.pool:
        yield OperationNotAllowed("Host is already part of a pool.")
        return
    if joiner.members > 1:
        yield JoiningHostHasMembers()
    if joiner.verification != pool.verification:
        yield _mismatch(joiner, pool)
    if joiner.port != pool.port:
        yield OperationNotAllowed(
            f"The pool uses port {pool.port} and {joiner.name} uses port {joiner.port}. "
            f'Set "port = {pool.port}" under [host] in the configuration of {joiner.name} '
            "and start its daemon again."
        )
    if joiner.host in member_hosts:
        yield OperationNotAllowed(
            f"The pool has a host with the UUID {joiner.host} already. If {joiner.name} was set up "
            "again, dismiss the old one first: xe pool-eject"
        )
    if unreadable := sorted(set(pool.kinds) - set(joiner.kinds)):
        yield OperationNotAllowed(
            f"{joiner.name} can't read the pool's log entries of kind {', '.join(unreadable)}: "
            "upgrade it first."
        )
    yield from conflicts(joiner.anchors, pool.anchors, (joiner.lists, pool.lists))


def _mismatch(joiner: Facts, pool: Facts) -> TlsVerificationMismatch:
    off, there = (
        (f"the joining host {joiner.name}", joiner.name)
        if pool.verification
        else (f"the pool of {pool.name}", f"the pool's coordinator {pool.name}")
    )
    return TlsVerificationMismatch(
        side=off, remedy=f"Enable it on {there}: xe pool-enable-tls-verification"
    )
