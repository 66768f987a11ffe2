"""What a daemon finds when it starts: its log, its identities, and a move that was under way.

A host that was moving to another pool, by a join or to its own after an ejection, arrives first.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

from pooltrust.errors import BadStateFolder, Refused, failure
from pooltrust.host.belief import Belief, Identities
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import IdentitySort, Start, StateFolder
from pooltrust.host.leaving.staging import Departure, tell_founded
from pooltrust.host.meeting.staging import Staging
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.mint import pool_host
from pooltrust.terms import HostId, PoolId
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile, Noted, open_log, read_identity, read_noted


@failure("HOST_NOT_SET_UP", cure="Set it up: pooltrust host init")
class NotSetUp(Refused):
    """The state folder {folder} holds no host."""

    folder: str


@failure("SOCKET_TAKEN", cure="Remove it, or give [socket] path another one.")
class SocketTaken(Refused):
    """This host can't serve its Unix socket at {path}: {why}."""

    path: str
    why: str


async def load(folder: StateFolder, config: Config, start: Start, journal: Journal) -> Belief:
    """What this host believes, from its files; a move to another pool is completed first, and told.

    Raises NotSetUp, BadStateFolder, CorruptLog, BadEntry.
    """
    left = await asyncio.to_thread(_left, folder)
    belief = await asyncio.to_thread(_load, folder, config, start)
    if left is not None:
        tell_founded(journal, belief.log.pool, left)
    return belief


def is_set_up(folder: StateFolder) -> bool:
    """Whether the folder holds a host; a log without an entry is an interrupted set-up's."""
    return folder.log.exists() and folder.log.stat().st_size > 0


def _left(folder: StateFolder) -> PoolId | None:
    """The pool that this host left, if only now that is completed."""
    departure = Departure(folder)
    if (new := departure.pending()) is None:
        departure.discard()
        return None
    departure.complete(new)
    return new.left


def _load(folder: StateFolder, config: Config, start: Start) -> Belief:
    staging = Staging(folder)
    staged = staging.pending()
    if staged is None:
        staging.discard()
    elif staged.admitted:
        staging.complete(staged)
    if not is_set_up(folder):
        raise NotSetUp(str(config.folder))
    file, log = open_log(folder.log)
    me, pool = _pool_identity(folder, log.roster)
    identities = Identities(pool=pool, server=_server_identity(folder, log.roster, me))
    check_dates = config.expired_pool_identity == "refuse"
    noted = _noted(folder, log)
    return Belief(me, log, file, identities, start, check_dates=check_dates, noted=noted)


def _noted(folder: StateFolder, log: Log) -> Noted:
    try:
        return read_noted(folder.log, log)
    except (ValueError, OSError) as why:
        raise BadStateFolder(
            str(folder.root),
            f"its vote for a takeover can't be read: {why}",
            "Restore that file.  Remove it only if no takeover is under way in this pool: without "
            "it this host may vote a second time.",
        ) from why


def _pool_identity(folder: StateFolder, roster: Roster) -> tuple[HostId, IdentityFile]:
    """The pool identity that was served last, if the roster accepts it, else the newest accepted
    one; else any, so that a host whose certificate was withdrawn can start and say so."""
    kept = _all(folder, "pool")
    accepted = [one.thumbprint for member in roster.members.values() for one in member.certificates]
    known = [one for one in kept if one.identity.certificate.thumbprint in accepted]
    if not kept:
        raise BadStateFolder(
            str(folder.root),
            "the log is there, but no pool identity in identities/",
            "Restore that folder, or set the host up anew in an empty one: pooltrust host init",
        )
    ranked, served = known or kept, folder.served_pool_identity()
    ranked.sort(key=lambda one: one.identity.certificate.not_before)
    ranked.sort(key=lambda one: one.identity.certificate.thumbprint == served)
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

    Raises SocketTaken when something else is at that path.
    """
    sock = await asyncio.to_thread(_listening, path)
    server = await asyncio.get_running_loop().create_unix_server(protocol, sock=sock)

    async def close() -> None:
        server.close()
        await asyncio.to_thread(path.unlink, missing_ok=True)

    return close


def _listening(path: Path) -> socket.socket:
    """A bound socket that only its owner may open.  Raises SocketTaken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_room(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(sock.fileno(), 0o600)  # bind gives the file this mode: no moment without it
        sock.bind(str(path))
    except OSError as why:
        sock.close()
        raise SocketTaken(str(path), why.strerror or str(why)) from why
    return sock


def _make_room(path: Path) -> None:
    """Remove a dead daemon's socket; anything else that is there is somebody's."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTaken(str(path), "a file that is no socket is there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SocketTaken(str(path), "another daemon answers there")
