"""What a joiner keeps on disk between "may I" and "I am": a folder that is complete or ignored.

A join becomes real when the staged log holds the joiner's own admission; from then on it is
completed, after a crash too.  Blocking: call it in a worker thread.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pooltrust.errors import CannotStore
from pooltrust.host.folder import StateFolder
from pooltrust.host.trusting import luggage
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import pool_host
from pooltrust.pool.bringing import NOTHING, Luggage
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import (
    LogFile,
    delete_identity,
    read_identity,
    replace_file,
    verify_log,
    write_identity,
)


@dataclass(frozen=True, slots=True)
class Staged:
    """A join under way: the pool's log as far as it was fetched, and the identity minted for it.

    `address` and `port` are where the coordinator answered; `luggage` is brought to it at the end.
    """

    log: Log
    identity: Identity
    address: str
    port: int
    luggage: Luggage = NOTHING

    @property
    def admitted(self) -> bool:
        """Whether the staged log holds this host's admission."""
        certificate = self.identity.certificate
        return self.log.roster.host_of(certificate.thumbprint) == pool_host(certificate)

    def grown(self, entries: Sequence[SignedEntry]) -> Staged:
        """The same with these entries after the log's.  Raises BadEntry, UpgradeThisHost."""
        return replace(self, log=self.log.extended(*entries))


class Staging:
    """The folder of one join under way, inside the state folder."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._root = folder.root / "joining"

    @property
    def identity(self) -> Path:
        """Where the identity minted for the join is."""
        return self._root / "identity.pem"

    @property
    def _log(self) -> Path:
        return self._root / "trust.log"

    @property
    def _brought(self) -> Path:
        return self._root / "brought.json"

    @property
    def _where(self) -> Path:
        return self._root / "coordinator.json"

    def keep(self, staged: Staged) -> None:
        """Store all of it; the file that makes it count is written last.  Raises CannotStore."""
        self.discard()
        with _storing(self._root):
            self._root.mkdir(mode=0o700)
            _sync(self._folder.root)
        write_identity(self.identity, staged.identity)
        _write_log(self._log, staged.log)
        luggage.write(self._brought, staged.log.pool, staged.luggage)
        where = json.dumps({"address": staged.address, "port": staged.port})
        with _storing(self._where):
            replace_file(self._where, where.encode(), 0o600)

    def extend(self, log: Log) -> None:
        """Have the staged log grow to this one."""
        file, _ = LogFile.open(self._log)
        file.append(log.tail(file.number))
        file.close()

    def pending(self) -> Staged | None:
        """The join that was under way when the daemon stopped, if there is a whole one."""
        if not all(path.exists() for path in (self._where, self._log, self.identity)):
            return None
        where = json.loads(self._where.read_text())
        log = verify_log(self._log)
        identity = read_identity(self.identity).identity
        brought = luggage.read(self._brought, log.pool)
        return Staged(log, identity, where["address"], where["port"], brought)

    def promote(self, staged: Staged) -> None:
        """Make the staged log and identity this host's own; what they replace is deleted.

        It can be done again after a crash: what is staged stays until `discard`.  The records of
        the old pool must be gone before: with the log this host is a member of the new one.
        """
        kept = self._folder.identity("pool", staged.identity.certificate.thumbprint)
        write_identity(kept, staged.identity)
        luggage.write(self._folder.brought, staged.log.pool, staged.luggage)
        _write_log(self._folder.log, staged.log)
        self._drop_what_is_not_accepted(staged.log.roster)

    def complete(self, staged: Staged) -> None:
        """Whatever is left of an admitted join, for a host that does not run yet.

        Its records, accounts among them, were those of the pool that it left.  A log that has
        grown beyond the admission already is not touched.
        """
        log = self._promoted_log(staged)
        if log is None:
            for records in self._folder.root.glob(f"{self._folder.database.name}*"):
                records.unlink()
            self._folder.operation.unlink(missing_ok=True)
            self.promote(staged)
        else:
            self._drop_what_is_not_accepted(log.roster)
        self.discard()

    def _promoted_log(self, staged: Staged) -> Log | None:
        """This host's own log, if the staged one is its beginning."""
        if not self._folder.log.exists() or not self._folder.log.stat().st_size:
            return None
        log = verify_log(self._folder.log)
        head = staged.log.head_number, staged.log.head_hash
        return log if (log.pool, log.hash_at(head[0])) == (staged.log.pool, head[1]) else None

    def _drop_what_is_not_accepted(self, roster: Roster) -> None:
        accepted = {certificate.thumbprint for certificate in roster.certificates()}
        keep = {self._folder.identity("pool", thumbprint) for thumbprint in accepted}
        for path in self._folder.identity_files("pool"):
            if path not in keep:
                delete_identity(path)

    def discard(self) -> None:
        """Forget the join: first the file that makes it count."""
        with _storing(self._where):
            self._where.unlink(missing_ok=True)
        shutil.rmtree(self._root, ignore_errors=True)


@contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as why:
        raise CannotStore(str(path), why.strerror or str(why)) from why


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_log(path: Path, log: Log) -> None:
    file, _ = LogFile.open(path)
    file.replace(log.entries)
    file.close()
