"""What a daemon finds when it starts: its log, its identities, and a join that was under way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from pooltrust.errors import BadStateFolder, Refused, failure
from pooltrust.host.belief import Belief, Identities
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import IdentitySort, Start, StateFolder
from pooltrust.host.meeting.staging import Staging
from pooltrust.pki.mint import pool_host
from pooltrust.terms import HostId
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile, open_log, read_identity


@failure("HOST_NOT_SET_UP", cure="Set it up: pooltrust host init")
class NotSetUp(Refused):
    """The state folder {folder} holds no host."""

    folder: str


async def load(folder: StateFolder, config: Config, start: Start) -> Belief:
    """What this host believes, from its files; a join that was admitted is completed first.

    Raises NotSetUp, BadStateFolder, CorruptLog, BadEntry.
    """
    return await asyncio.to_thread(_load, folder, config, start)


def is_set_up(folder: StateFolder) -> bool:
    """Whether the folder holds a host; a log without an entry is an interrupted set-up's."""
    return folder.log.exists() and folder.log.stat().st_size > 0


def _load(folder: StateFolder, config: Config, start: Start) -> Belief:
    staging = Staging(folder)
    staged = staging.pending()
    if staged is not None and staged.admitted:
        staging.promote(staged)
    if not is_set_up(folder):
        raise NotSetUp(str(config.folder))
    file, log = open_log(folder.log)
    me, pool = _pool_identity(folder, log.roster)
    identities = Identities(pool=pool, server=_server_identity(folder, log.roster, me))
    check_dates = config.expired_pool_identity == "refuse"
    return Belief(me, log, file, identities, start, check_dates=check_dates)


def _pool_identity(folder: StateFolder, roster: Roster) -> tuple[HostId, IdentityFile]:
    """The newest pool identity here that the roster accepts; else any, so that a host whose
    certificate was withdrawn can start and say so."""
    kept = _all(folder, "pool")
    accepted = [one.thumbprint for member in roster.members.values() for one in member.certificates]
    known = [one for one in kept if one.identity.certificate.thumbprint in accepted]
    if not kept:
        raise BadStateFolder(
            str(folder.root),
            "the log is there, but no pool identity in identities/",
            "Restore that folder, or set the host up anew in an empty one: pooltrust host init",
        )
    ranked = known or kept
    ranked.sort(key=lambda one: one.identity.certificate.not_before)
    return pool_host(ranked[-1].identity.certificate), ranked[-1]


def _server_identity(folder: StateFolder, roster: Roster, me: HostId) -> IdentityFile:
    kept = _all(folder, "server")
    if not kept:
        raise BadStateFolder(
            str(folder.root),
            "no server identity in identities/",
            "Restore that folder, or set the host up anew in an empty one: pooltrust host init",
        )
    said = roster.members[me].server.thumbprint if me in roster.members else None
    served = [one for one in kept if one.identity.certificate.thumbprint == said]
    return (served or kept)[-1]


def _all(folder: StateFolder, sort: IdentitySort) -> list[IdentityFile]:
    return [read_identity(path) for path in folder.identity_files(sort)]


async def unix_socket(
    path: Path, protocol: Callable[[], asyncio.BaseProtocol]
) -> Callable[[], Awaitable[None]]:
    """Serve a Unix socket that root and the daemon's own user may open; returns what ends it.

    The state folder is locked, so a socket that is there already is a dead one's.
    """
    await asyncio.to_thread(_make_room, path)
    before = os.umask(0o177)
    try:
        server = await asyncio.get_running_loop().create_unix_server(protocol, str(path))
    finally:
        os.umask(before)

    async def close() -> None:
        server.close()
        await asyncio.to_thread(path.unlink, missing_ok=True)

    return close


def _make_room(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
