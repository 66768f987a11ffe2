"""A pool made for tests: hosts with real keys, and the entries that they write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.terms import HostId
from pooltrust.trust import entries as e
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.log import Log
from pooltrust.trust.roster.endorsing import endorsement_statement
from pooltrust.trust.transcript import certificate_request, server_statement, statement, transcript

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def host_number(number: int) -> HostId:
    return HostId(str(UUID(int=number, version=4)))


A, B, C, D, E = (host_number(n) for n in (1, 2, 3, 4, 5))


@cache
def pool_identity(host: HostId, generation: int = 1) -> Identity:
    return mint_pool_identity(host, NOW)


@cache
def server_identity(name: str = "server") -> Identity:
    return mint_server_identity([name], [], NOW, kind=KeyKind.P256)


def founding(host: HostId = A, **other: Any) -> e.Founded:
    facts: dict[str, Any] = {
        "host": host,
        "name": "h1",
        "address": "127.0.0.1",
        "port": 443,
        "certificate": pool_identity(host).certificate.der,
        "server": server_identity().certificate.der,
        "verification": True,
        "kinds": e.KINDS,
    }
    return e.Founded(**facts | other)


@dataclass
class Pool:
    """A log that grows, and the identity each host signs with."""

    log: Log
    keys: dict[HostId, Identity] = field(default_factory=dict)

    @classmethod
    def found(cls, *more: HostId, **other: Any) -> Pool:
        """A pool founded by A, with these members as well."""
        key = pool_identity(A)
        entry = Entry(
            1, "", "", NOW, "root", "found", key.certificate.thumbprint, founding(**other)
        )  # type: ignore[arg-type]
        pool = cls(Log.verify([sign_entry(entry, key)]), {A: key})
        for host in more:
            pool.admit(host)
        return pool

    def copy(self) -> Pool:
        return Pool(self.log, dict(self.keys))

    def sign(
        self, body: e.Body, by: HostId | None = None, key: Identity | None = None, **changed: Any
    ) -> SignedEntry:
        """The next entry, signed by the coordinator or by another host."""
        key = key or self.keys[by or self.log.roster.coordinator]
        facts: dict[str, Any] = {
            "number": self.log.head_number + 1,
            "pool": self.log.pool,
            "previous": self.log.head_hash,
            "at": NOW,
            "by": "root",
            "call": "test",
            "signer": key.certificate.thumbprint,
        }
        return sign_entry(Entry(**facts | changed, body=body), key)

    def append(self, body: e.Body, by: HostId | None = None, **changed: Any) -> SignedEntry:
        signed = self.sign(body, by, **changed)
        self.log = self.log.extended(signed, ordered={signed.hash})
        return signed

    def admitted(self, host: HostId, key: Identity | None = None, **other: Any) -> e.HostAdmitted:
        key = key or pool_identity(host)
        server = server_identity().certificate.der
        coordinator = self.keys[self.log.roster.coordinator].certificate.der
        nonces = b"c" * 32, b"j" * 32
        met = transcript(self.log.pool, coordinator, key.certificate.der, server, *nonces)
        facts: dict[str, Any] = {
            "host": host,
            "name": f"host {host[:8]}",
            "address": "127.0.0.2",
            "certificate": key.certificate.der,
            "server": server,
            "kinds": e.KINDS,
            "met": "code",
            "coordinator_nonce": nonces[0],
            "joiner_nonce": nonces[1],
            "signature": key.sign(statement("joiner", met)),
        }
        return e.HostAdmitted(**facts | other)

    def admit(self, host: HostId, key: Identity | None = None) -> SignedEntry:
        key = key or pool_identity(host)
        signed = self.append(self.admitted(host, key))
        self.keys[host] = key
        return signed

    def accepted(
        self, host: HostId, new: Identity, old: Identity | None = None, **other: Any
    ) -> e.CertificateAccepted:
        old = old or self.keys[host]
        der, replaces = new.certificate.der, old.certificate.thumbprint
        asked = certificate_request(self.log.pool, host, der, replaces)
        facts: dict[str, Any] = {
            "host": host,
            "certificate": der,
            "replaces": replaces,
            "old_signature": old.sign(asked),
            "new_signature": new.sign(asked),
        }
        return e.CertificateAccepted(**facts | other)

    def withdrawn(self, host: HostId, gone: Identity) -> e.CertificateWithdrawn:
        return e.CertificateWithdrawn(host, gone.certificate.thumbprint, "refreshed")

    def server_changed(
        self, host: HostId, server: Identity, *, change: int = 1, key: Identity | None = None
    ) -> e.ServerIdentityChanged:
        der = server.certificate.der
        said = server_statement(self.log.pool, host, der, (), change)
        return e.ServerIdentityChanged(host, der, (), (key or self.keys[host]).sign(said))

    def taken_over(self, by: HostId, **changed: Any) -> SignedEntry:
        body = e.TakenOver(by, self.log.roster.coordinator)
        return self.sign(body, by, **changed)

    def endorsement(self, taken_over: SignedEntry, host: HostId) -> e.Endorsement:
        said = endorsement_statement(self.log.pool, host, taken_over.hash)
        return e.Endorsement(host, self.keys[host].sign(said))

    def endorsed(self, taken_over: SignedEntry, by: HostId, *others: HostId) -> SignedEntry:
        """The endorsement that follows `taken_over`."""
        given = tuple(self.endorsement(taken_over, host) for host in sorted(others))
        body = e.TakeoverEndorsed(taken_over.hash, given)
        number = taken_over.entry.number + 1
        return self.sign(body, by, number=number, previous=taken_over.hash)

    def take_over(self, by: HostId, *others: HostId) -> tuple[SignedEntry, SignedEntry]:
        """An endorsed takeover, taken into the log."""
        first = self.taken_over(by)
        pair = first, self.endorsed(first, by, *others)
        self.log = self.log.extended(*pair)
        return pair
