"""Keys, requests and entries for pools made in tests, each made once and used again.

A story that is told twice has the same bytes, so signing and folding are looked up: what is signed
and folded is real all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache, lru_cache

from pooltrust.pki.identity import Identity
from pooltrust.terms import EntryHash, HostId, PoolId, Thumbprint
from pooltrust.trust import entries as e
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.log import Local, Log, Outcome, adopt
from pooltrust.trust.roster.endorsing import endorsement_statement
from pooltrust.trust.transcript import certificate_request, statement, transcript
from trust.pools import NOW, host_number

from .fixed import fixed_identity

HOSTS = tuple(host_number(number) for number in range(1, 6))
NONCES = b"c" * 32, b"j" * 32
_BY_THUMBPRINT: dict[Thumbprint, Identity] = {}
_SIGNED: dict[bytes, SignedEntry] = {}


@cache
def identity(host: HostId, generation: int) -> Identity:
    """A pool identity of this host."""
    minted = fixed_identity(host, 1000 * (HOSTS.index(host) + 1) + generation)
    _BY_THUMBPRINT[minted.certificate.thumbprint] = minted
    return minted


SERVER = fixed_identity("server", 1).certificate.der


def thumbprint(host: HostId, generation: int) -> Thumbprint:
    return identity(host, generation).certificate.thumbprint


def key_of(certificate: Thumbprint) -> Identity:
    """The identity of a certificate that was made here."""
    return _BY_THUMBPRINT[certificate]


def signed(
    log: Log | None, body: e.Body, signer: Thumbprint, *, alone: bool = False
) -> SignedEntry:
    """The next entry of the log, whoever may write it."""
    if log is None:
        return _sign(Entry(1, PoolId(""), EntryHash(""), NOW, "root", "found", signer, body))
    at = NOW + timedelta(seconds=log.head_number)
    return _sign(log.next(body, at=at, by="root", call="test", signer=signer, alone=alone))


def following(before: SignedEntry, body: e.Body, signer: Thumbprint) -> SignedEntry:
    """The entry after one that is not in the log yet."""
    was = before.entry
    entry = Entry(was.number + 1, was.pool, before.hash, was.at, "root", "test", signer, body)
    return _sign(entry)


def _sign(entry: Entry) -> SignedEntry:
    payload = entry.payload()
    if payload not in _SIGNED:
        _SIGNED[payload] = sign_entry(entry, key_of(entry.signer))
    return _SIGNED[payload]


@cache
def request(pool: PoolId, host: HostId, old: Thumbprint, new: Thumbprint) -> e.CertificateAccepted:
    """A host's request for a second certificate, with both signatures."""
    der = key_of(new).certificate.der
    asked = certificate_request(pool, host, der, old)
    return e.CertificateAccepted(host, der, old, key_of(old).sign(asked), key_of(new).sign(asked))


@cache
def endorsement(pool: PoolId, host: HostId, key: Thumbprint, takeover: EntryHash) -> e.Endorsement:
    return e.Endorsement(host, key_of(key).sign(endorsement_statement(pool, host, takeover)))


@cache
def admission(
    pool: PoolId, coordinator: Thumbprint, host: HostId, key: Thumbprint
) -> e.HostAdmitted:
    """The admission of a host that met this coordinator."""
    mine = key_of(key)
    there = key_of(coordinator).certificate.der
    met = transcript(pool, there, mine.certificate.der, SERVER, *NONCES)
    proof = mine.sign(statement("joiner", met))
    name, address = f"h{HOSTS.index(host) + 1}", f"127.0.0.{HOSTS.index(host) + 1}"
    return e.HostAdmitted(
        host, name, address, mine.certificate.der, SERVER, e.KINDS, "code", *NONCES, proof
    )


@cache
def founded(count: int, *, verification: bool = True) -> Log:
    """A pool of so many hosts, each with its first identity."""
    first = identity(HOSTS[0], 1).certificate
    body = e.Founded(HOSTS[0], "h1", "127.0.0.1", 443, first.der, SERVER, verification, e.KINDS)
    log = Log.verify([signed(None, body, first.thumbprint)])
    for host in HOSTS[1:count]:
        key = thumbprint(host, 1)
        log = grown(
            log, signed(log, admission(log.pool, first.thumbprint, host, key), first.thumbprint)
        )
    return log


_GROWN: dict[tuple[EntryHash, ...], Log] = {}


def grown(log: Log, *entries: SignedEntry, alone: bool = False) -> Log:
    """The log with these entries after it.  Raises what its rules raise."""
    key = (log.head_hash, *(one.hash for one in entries))
    if key not in _GROWN:
        if len(_GROWN) > 3000:
            _GROWN.clear()
        ordered = frozenset(one.hash for one in entries) if alone else frozenset[EntryHash]()
        _GROWN[key] = log.extended(*entries, ordered=ordered)
    return _GROWN[key]


_EXPECTED: dict[tuple[EntryHash, HostId], frozenset[Thumbprint]] = {}


def expected(log: Log, host: HostId) -> frozenset[Thumbprint]:
    """What a host with this log accepts from that host."""
    key = log.head_hash, host
    if key not in _EXPECTED:
        if len(_EXPECTED) > 30_000:
            _EXPECTED.clear()
        _EXPECTED[key] = log.roster.expect(host).accepted
    return _EXPECTED[key]


_EVER: dict[tuple[EntryHash, HostId], frozenset[Thumbprint]] = {}


def ever_accepted(log: Log, host: HostId) -> frozenset[Thumbprint]:
    """Every certificate that this log ever accepted from that host."""
    key = log.head_hash, host
    if key not in _EVER:
        if len(_EVER) > 30_000:
            _EVER.clear()
        bodies = [signed.entry.body for signed in log.entries]
        said = (
            b for b in bodies if isinstance(b, e.Founded | e.HostAdmitted | e.CertificateAccepted)
        )
        _EVER[key] = frozenset(Thumbprint.of(b.certificate) for b in said if b.host == host)
    return _EVER[key]


_ALONE: dict[EntryHash, bool] = {}


def has_one_alone(log: Log) -> bool:
    """Whether an entry of this log was written without asking the others."""
    if log.head_hash not in _ALONE:
        _ALONE[log.head_hash] = any(b'"alone":true' in signed.payload for signed in log.tail(0))
    return _ALONE[log.head_hash]


class _Offer:
    """The arguments of `adopt`, equal to others by the hashes in them."""

    def __init__(self, own: Log, offered: Sequence[SignedEntry], local: Local) -> None:
        self.own, self.offered, self.local = own, offered, local
        self.key = own.head_hash, tuple(one.hash for one in offered), local

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Offer) and self.key == other.key


@lru_cache(maxsize=3000)
def _outcome(offer: _Offer) -> Outcome:
    return adopt(offer.own, offer.offered, local=offer.local)


def outcome(own: Log, offered: Sequence[SignedEntry], local: Local) -> Outcome:
    """What a host does with these entries."""
    return _outcome(_Offer(own, offered, local))
