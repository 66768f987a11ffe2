"""A pool in memory that changes: real keys, real signatures, every rule of the fold.

Each host mints and signs for itself, the coordinator writes; nothing is skipped but the network and
the disk.  What that costs is measured in costs.py.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from bench.scale.timing import clock
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.terms import EntryHash, HostId, PoolId
from pooltrust.trust import entries as e
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.log import Log
from pooltrust.trust.transcript import certificate_request, server_statement, statement, transcript

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANGES = {"refresh": 60, "come or go": 15, "move": 15, "server": 7, "anchor": 2, "hand over": 1}
"""What happens how often, of a hundred changes."""


@dataclass
class Spent:
    """What appending one sort of entry took: signing by the coordinator, and folding it in."""

    entries: int = 0
    signing: float = 0.0
    folding: float = 0.0
    bytes: int = 0


@dataclass
class Simulated:
    """A pool that grows.  `spent` counts since it was last emptied."""

    dice: Random
    log: Log
    keys: dict[HostId, Identity]
    servers: tuple[Identity, ...]
    """A few server certificates that all hosts share: the log does not mind, and RSA is slow."""
    spent: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    gone: Identity | None = None
    """The identity that was withdrawn first of all."""
    _leaving: bool = False

    @classmethod
    def founded(cls, hosts: int, seed: int) -> Simulated:
        """A pool of so many hosts, each admitted by a first meeting; verification is off."""
        dice = Random(seed)
        servers = tuple(
            mint_server_identity([f"h{n}.example"], [], START, kind=KeyKind.RSA2048)
            for n in range(3)
        )
        host = _some_host(dice)
        key = mint_pool_identity(host, START)
        thumbprint, server = key.certificate.thumbprint, servers[0].certificate.der
        body = e.Founded(
            host, "first", "192.0.2.1", 443, key.certificate.der, server, False, e.KINDS
        )
        none = PoolId(""), EntryHash("")
        founding = sign_entry(Entry(1, *none, START, "root", "host init", thumbprint, body), key)
        pool = cls(dice, Log.verify([founding]), {host: key}, servers)
        while len(pool.keys) < hosts:
            pool.admit()
        return pool

    def change(self) -> None:
        """One change, by the dice."""
        (sort,) = self.dice.choices(list(CHANGES), weights=list(CHANGES.values()))
        match sort:
            case "refresh":
                self.refresh(self._somebody())
            case "come or go":
                self._leaving = not self._leaving
                if self._leaving and len(self.keys) > 1:
                    self.dismiss(self.supporter())
                else:
                    self.admit()
            case "move":
                address = f"198.51.{self.dice.randrange(256)}.{self.dice.randrange(256)}"
                self.append(e.AddressChanged(self._somebody(), address))
            case "server":
                self.change_server(self._somebody())
            case "anchor":
                self.change_anchor()
            case "hand over" if len(self.keys) > 1:
                self.append(e.CoordinatorChanged(self.supporter()))

    def append(self, body: e.Body) -> SignedEntry:
        """Have the coordinator sign this and take it into the log."""
        began = clock()
        signed = self.signed(body)
        signed_at = clock()
        self.log = self.log.extended(signed)
        spent = self.spent[body.kind]
        spent.folding += clock() - signed_at
        spent.signing += signed_at - began
        spent.entries += 1
        spent.bytes += len(signed.line())
        return signed

    def signed(self, body: e.Body) -> SignedEntry:
        """The next entry, which is not taken into the log."""
        key = self.keys[self.log.roster.coordinator]
        at = START + timedelta(seconds=self.log.head_number)
        signer = key.certificate.thumbprint
        return sign_entry(
            self.log.next(body, at=at, by="root", call="pool.change", signer=signer), key
        )

    def admit(self) -> HostId:
        """A host that was never here joins."""
        host = _some_host(self.dice)
        key = mint_pool_identity(host, START)
        self.append(self.admission(host, key))
        self.keys[host] = key
        return host

    def admission(self, host: HostId, key: Identity) -> e.HostAdmitted:
        """What is written of its first meeting."""
        server = self.dice.choice(self.servers).certificate.der
        coordinator = self.keys[self.log.roster.coordinator].certificate.der
        nonces = self.dice.randbytes(32), self.dice.randbytes(32)
        agreed = transcript(self.log.pool, coordinator, key.certificate.der, server, *nonces)
        signature = key.sign(statement("joiner", agreed))
        name, address = f"host-{host[:8]}.example", f"198.51.100.{self.dice.randrange(256)}"
        der = key.certificate.der
        return e.HostAdmitted(host, name, address, der, server, e.KINDS, "code", *nonces, signature)

    def dismiss(self, host: HostId) -> None:
        """A host leaves for good."""
        self.append(e.HostDismissed(host, "ejected"))
        del self.keys[host]

    def refresh(self, host: HostId) -> None:
        """A host gets a new pool identity: two entries."""
        old, new = self.keys[host], mint_pool_identity(host, START)
        self.append(self.request(host, new))
        self.keys[host] = new
        self.append(e.CertificateWithdrawn(host, old.certificate.thumbprint, "refreshed"))
        self.gone = self.gone or old

    def request(self, host: HostId, new: Identity) -> e.CertificateAccepted:
        """What the host asks for with both keys."""
        old = self.keys[host]
        der, replaces = new.certificate.der, old.certificate.thumbprint
        asked = certificate_request(self.log.pool, host, der, replaces)
        return e.CertificateAccepted(host, der, replaces, old.sign(asked), new.sign(asked))

    def change_server(self, host: HostId) -> None:
        """Clients meet another server certificate at the host."""
        der = self.dice.choice(self.servers).certificate.der
        change = self.log.roster.members[host].changes + 1
        said = server_statement(self.log.pool, host, der, (), change)
        self.append(e.ServerIdentityChanged(host, der, (), self.keys[host].sign(said)))

    def change_anchor(self) -> None:
        """An anchor is installed, or removed if it is there."""
        certificate = self.dice.choice(self.servers).certificate
        if certificate.thumbprint in self.log.roster.anchors:
            self.append(e.AnchorRemoved(certificate.thumbprint))
        else:
            self.append(e.AnchorInstalled("an authority", "ca", certificate.der, ()))

    def checkpoint(self) -> None:
        """Bind the roster, so that what is older may be archived."""
        self.append(e.Checkpoint(self.log.roster.fingerprint()))

    def _somebody(self) -> HostId:
        return self.dice.choice(tuple(self.keys))

    def supporter(self) -> HostId:
        coordinator = self.log.roster.coordinator
        return self.dice.choice([host for host in self.keys if host != coordinator])


def _some_host(dice: Random) -> HostId:
    return HostId(str(UUID(int=dice.getrandbits(128), version=4)))
