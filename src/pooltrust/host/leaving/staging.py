"""What an ejected host keeps on disk while it founds its own pool: complete, or ignored.

Until the last file of it is there the host is a dismissed member of the old pool; from then on it
is the pool of its own, whatever a crash leaves of the move.  Blocking: call it in a worker thread.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pooltrust.errors import BadEntry, CorruptLog
from pooltrust.host.folder import IdentitySort, StateFolder
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.terms import PoolId
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.store import (
    LogFile,
    delete_identity,
    read_identity,
    read_log,
    replace_file,
    verify_log,
    write_identity,
)
from pooltrust.trust.store.files import storing, sync_folder, unfinished

OF_THE_POOL = (
    "trust.log.*",
    "serving",
    "heads",
    "operation.json",
    "emergency.json",
    "brought.json",
    "request.pem",
)
"""Files and folders of the state folder that speak of the pool, beside its log and its records.

What is not named here, and no identity, is the host's own: it stays when the host leaves.
"""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The pool of one host that an ejected host founds: its founding entry and both identities.

    `left` is the pool that dismissed it.
    """

    left: PoolId
    founding: SignedEntry
    pool: Identity
    server: Identity

    @property
    def log(self) -> Log:
        """The log of the new pool."""
        return Log.verify([self.founding])


class Departure:
    """The folder of one departure under way, inside the state folder."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._root = folder.root / "leaving"

    @property
    def _whole(self) -> Path:
        return self._root / "left.json"

    @property
    def _log(self) -> Path:
        return self._root / "trust.log"

    def keep(self, new: Beginning) -> None:
        """Store all of it; the file that makes it count is written last.  Raises CannotStore."""
        self.discard()
        with storing(self._root):
            self._root.mkdir(mode=0o700)
            sync_folder(self._folder.root)
        write_identity(self._identity("pool"), new.pool)
        write_identity(self._identity("server"), new.server)
        LogFile.create(self._log, [new.founding])
        with storing(self._whole):
            replace_file(self._whole, json.dumps({"left": new.left}).encode(), 0o600)

    def pending(self) -> Beginning | None:
        """The departure that was under way when the daemon stopped, if there is a whole one.

        One that is over, from a pool that this host no longer has, does not count.
        """
        if not self._whole.exists():
            return None
        left = PoolId(json.loads(self._whole.read_text())["left"])
        [founding] = read_log(self._log)
        pool = read_identity(self._identity("pool")).identity
        new = Beginning(left, founding, pool, read_identity(self._identity("server")).identity)
        return new if self._pool_here() in (None, left, new.log.pool) else None

    def carry_out(self, new: Beginning) -> None:
        """Make the new pool this host's own and delete what was the old one's, but its records.

        It can be done again after a crash: what is staged stays until `discard`.  A log that has
        grown since is not touched.  Raises CannotStore.
        """
        self._put("pool", new.pool)
        self._put("server", new.server)
        if self._pool_here() != new.log.pool:
            self._remove("joining")
            LogFile.create(self._folder.log, [new.founding])
        self.sweep()
        self._drop_other_identities()

    def complete(self, new: Beginning) -> None:
        """Whatever is left of a departure, for a host that does not run yet.  Raises CannotStore.

        Its records, accounts among them, were those of the pool that it left.
        """
        if self._pool_here() != new.log.pool:
            self._remove(f"{self._folder.database.name}*")
        self.carry_out(new)
        self.discard()

    def sweep(self) -> None:
        """Delete the files that speak of the old pool.  Raises CannotStore."""
        for pattern in OF_THE_POOL:
            self._remove(pattern)
            self._remove(unfinished(pattern))

    def discard(self) -> None:
        """Forget the departure: first the file that makes it count.  Raises CannotStore."""
        with storing(self._root):
            self._whole.unlink(missing_ok=True)
            if self._root.exists():
                sync_folder(self._root)
                shutil.rmtree(self._root)

    def _put(self, sort: IdentitySort, identity: Identity) -> None:
        path = self._folder.identity(sort, identity.certificate.thumbprint)
        if not _holds(path, identity):
            write_identity(path, identity)

    def _remove(self, pattern: str) -> None:
        with storing(self._folder.root):
            for path in self._folder.root.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name != "trust.log.reserve":
                    path.unlink(missing_ok=True)
            sync_folder(self._folder.root)

    def _drop_other_identities(self) -> None:
        roster = verify_log(self._folder.log).roster
        pool = {certificate.thumbprint for certificate in roster.certificates()}
        server = {member.server.thumbprint for member in roster.members.values()}
        keep = {self._folder.identity("pool", one) for one in pool}
        keep |= {self._folder.identity("server", one) for one in server}
        for path in (*self._folder.identity_files("pool"), *self._folder.identity_files("server")):
            if path not in keep:
                delete_identity(path)

    def _identity(self, sort: IdentitySort) -> Path:
        return self._root / f"{sort}.pem"

    def _pool_here(self) -> PoolId | None:
        """The pool of this host's log; None if it can't be read."""
        try:
            return verify_log(self._folder.log).pool
        except (OSError, BadEntry, CorruptLog):
            return None


def tell_founded(journal: Journal, pool: PoolId, left: PoolId) -> None:
    """Tell who looks after this host that it is alone now, and what to do first."""
    journal.warning(
        "own-pool-founded",
        pool=pool,
        left=left,
        words="this host was ejected and is a pool of its own now; its accounts are gone",
        cure="As root on this host, set a password: xe user-password-change new=…",
    )


def _holds(path: Path, identity: Identity) -> bool:
    try:
        return read_identity(path).identity == identity
    except (OSError, BadIdentity):
        return False
