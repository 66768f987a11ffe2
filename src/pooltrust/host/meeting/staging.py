"""What a joiner keeps on disk between "may I" and "I am": a folder that is complete or ignored.

A join becomes real when the staged log holds the joiner's own admission; from then on `promote` can
be repeated from any point.  Blocking: call it in a worker thread.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pooltrust.host.folder import StateFolder
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import pool_host
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.store import (
    LogFile,
    delete_identity,
    read_identity,
    verify_log,
    write_identity,
)


@dataclass(frozen=True, slots=True)
class Staged:
    """A join under way: the pool's log as far as it was fetched, and the identity minted for it.

    `address` and `port` are where the coordinator answered.
    """

    log: Log
    identity: Identity
    address: str
    port: int

    @property
    def admitted(self) -> bool:
        """Whether the staged log holds this host's admission."""
        certificate = self.identity.certificate
        return self.log.roster.host_of(certificate.thumbprint) == pool_host(certificate)


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
    def _where(self) -> Path:
        return self._root / "coordinator.json"

    def keep(self, staged: Staged) -> None:
        """Store all of it; the file that makes it count is written last."""
        self.discard()
        self._root.mkdir(mode=0o700)
        write_identity(self.identity, staged.identity)
        _write_log(self._log, staged.log)
        self._where.write_text(json.dumps({"address": staged.address, "port": staged.port}))

    def extend(self, entries: Sequence[SignedEntry]) -> None:
        """Append to the staged log."""
        file, _ = LogFile.open(self._log)
        file.append(list(entries))
        file.close()

    def pending(self) -> Staged | None:
        """The join that was under way when the daemon stopped, if there is a whole one."""
        if not self._where.exists():
            return None
        where = json.loads(self._where.read_text())
        log = verify_log(self._log)
        identity = read_identity(self.identity).identity
        return Staged(log, identity, where["address"], where["port"])

    def promote(self, staged: Staged) -> None:
        """Make the staged log and identity this host's own; what they replace is deleted.

        Every step can be done again after a crash, and the staging folder goes last.
        """
        kept = self._folder.identity("pool", staged.identity.certificate.thumbprint)
        write_identity(kept, staged.identity)
        _write_log(self._folder.log, staged.log)
        for old in self._folder.identity_files("pool"):
            if old != kept:
                delete_identity(old)
        self.discard()

    def discard(self) -> None:
        """Forget the join."""
        shutil.rmtree(self._root, ignore_errors=True)


def _write_log(path: Path, log: Log) -> None:
    file, _ = LogFile.open(path)
    file.replace(log.entries)
    file.close()
