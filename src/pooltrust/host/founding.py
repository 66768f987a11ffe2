"""Setting up one host: both identities, an administrator's account, and a pool of one.

The trust log is written last: a folder without one is not set up yet, and is begun anew.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from pooltrust.errors import Refused, failure
from pooltrust.host.accounts.local import ADMINISTRATOR, Accounts
from pooltrust.host.accounts.verifier import generate_password
from pooltrust.host.configuration.config import Config
from pooltrust.host.folder import IdentitySort, StateFolder
from pooltrust.host.opening import is_set_up
from pooltrust.host.records.database import Database
from pooltrust.host.records.guarded import Guarded
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity, mint_server_identity, pool_host
from pooltrust.pool.operations.eject import OwnPool
from pooltrust.terms import EntryHash, HostId, PoolId, Thumbprint, host_id
from pooltrust.trust.entries import KINDS, Founded
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.store import LogFile, delete_identity, write_identity


@failure("HOST_ALREADY_SET_UP", cure="Start it: pooltrust host run")
class AlreadySetUp(Refused):
    """The state folder {folder} holds a host already; nothing was changed."""

    folder: str


@dataclass(frozen=True, slots=True)
class NewHost:
    """A host that was just set up.  `password` is shown once and kept nowhere."""

    host: HostId
    server: Thumbprint
    pool: Thumbprint
    password: str


INIT = "pooltrust host init"


def set_up(config: Config, now: datetime, *, upgraded_from: str = "") -> NewHost:
    """Make this host and its pool of one in the configured state folder.

    `now`: UTC.  `upgraded_from`: the release that this host ran before, without verification; its
    pool does not verify until that is enabled, and the log says where that comes from.  Raises
    AlreadySetUp, BadStateFolder, StateFolderInUse.  Takes as long as making the server's key does,
    up to a second.
    """
    folder = StateFolder.open(config.folder)
    lock = folder.lock()
    try:
        if is_set_up(folder):
            raise AlreadySetUp(str(config.folder))
        _clear(folder)
        host = host_id(str(uuid.uuid4()))
        pool = mint_pool_identity(host, now, lifetime=config.pool_lifetime)
        server = new_server_identity(config, now)
        _keep(folder, "pool", pool)
        _keep(folder, "server", server)
        password = generate_password()
        asyncio.run(_make_records(folder, password))
        file, _ = LogFile.open(folder.log)
        file.append([_first(config, pool, server.certificate, now, upgraded_from)])
        file.close()
        return NewHost(host, server.certificate.thumbprint, pool.certificate.thumbprint, password)
    finally:
        lock.release()


def _first(
    config: Config, pool: Identity, server: Certificate, now: datetime, upgraded_from: str
) -> SignedEntry:
    if not upgraded_from:
        return founding(config, pool, server, now)
    unverified = replace(config, verification_at_founding=False)
    return founding(unverified, pool, server, now, call=f"{INIT} --upgraded-from {upgraded_from}")


def server_names(config: Config) -> list[str]:
    """The names that this host's self-signed server certificate covers."""
    return list(dict.fromkeys([config.name, *config.names]))


def new_server_identity(config: Config, now: datetime) -> Identity:
    """A self-signed server identity with the configured key and names.  `now`: UTC.

    Takes up to a second.
    """
    return mint_server_identity(
        server_names(config),
        [config.address],
        now,
        kind=config.server_key,
        lifetime=config.server_lifetime,
    )


def founding(
    config: Config,
    pool: Identity,
    server: Certificate,
    now: datetime,
    *,
    own: OwnPool | None = None,
    call: str = INIT,
) -> SignedEntry:
    """The entry that founds a pool of this one host, signed with its pool identity.

    Port and verification are those of the configuration, or those of `own`.  `now`: UTC.
    """
    body = Founded(
        host=pool_host(pool.certificate),
        name=config.name,
        address=config.address,
        port=own.port if own else config.port,
        certificate=pool.certificate.der,
        server=server.der,
        verification=own.verification if own else config.verification_at_founding,
        kinds=tuple(sorted(KINDS)),
    )
    entry = Entry(
        number=1,
        pool=PoolId(""),
        previous=EntryHash(""),
        at=now,
        by=ADMINISTRATOR,
        call=call,
        signer=pool.certificate.thumbprint,
        body=body,
    )
    return sign_entry(entry, pool)


async def _make_records(folder: StateFolder, password: str) -> None:
    database = await Database.open(folder.database)
    accounts = Accounts(Guarded(database))
    try:
        await accounts.set_password(ADMINISTRATOR, password)
    finally:
        accounts.close()
        await database.close()


def _keep(folder: StateFolder, sort: IdentitySort, identity: Identity) -> None:
    write_identity(folder.identity(sort, identity.certificate.thumbprint), identity)


def _clear(folder: StateFolder) -> None:
    """Remove what an interrupted set-up left."""
    for sort in ("pool", "server"):
        for path in folder.identity_files(sort):
            delete_identity(path)
    for path in folder.root.glob(f"{folder.database.name}*"):
        path.unlink()
