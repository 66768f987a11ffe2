"""What hosts sign and prove to one another outside the log's own entries.

First meetings (the transcript T, both statements, the join code's proof) and the requests that a
host makes for itself.  Every statement has a name of its own, so that none can pass for another.
Nonces and secrets come in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pooltrust.terms import HostId, PoolId, Thumbprint
from pooltrust.trust.canonical import pae
from pooltrust.trust.canonical import statement as stated

PROTOCOL = b"pooltrust-join-v1"
Role: TypeAlias = Literal["coordinator", "joiner"]


def transcript(
    pool: PoolId,
    coordinator_certificate: bytes,
    joiner_certificate: bytes,
    joiner_server: bytes,
    coordinator_nonce: bytes,
    joiner_nonce: bytes,
) -> bytes:
    """T, 32 bytes: what both sides saw of a first meeting (certificates in DER).

    A man in the middle shows other certificates, so the two sides have two different T.
    """
    parts = (
        PROTOCOL,
        pool.encode(),
        coordinator_certificate,
        joiner_certificate,
        joiner_server,
        coordinator_nonce,
        joiner_nonce,
    )
    return hashlib.sha256(b"".join(_prefixed(part) for part in parts)).digest()


def statement(role: Role, seen: bytes) -> bytes:
    """What that side of a first meeting signs with its pool key; `seen` is T."""
    return pae(f"application/vnd.pooltrust.join.{role}", seen)


def code_proof(secret: bytes, role: Role, seen: bytes) -> bytes:
    """That side's proof that it knows the join code's secret, bound to T; 32 bytes.

    HMAC-SHA256 under HKDF-SHA256 (RFC 5869).  Compare with `same_proof`.
    """
    key = HKDF(SHA256(), 32, salt=None, info=b"pooltrust join code").derive(secret)
    return hmac.digest(key, _prefixed(role.encode()) + seen, "sha256")


def same_proof(ours: bytes, theirs: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(ours, theirs)


def certificate_request(
    pool: PoolId, host: HostId, certificate: bytes, replaces: Thumbprint
) -> bytes:
    """What a host signs, with its old and its new key, to have a second certificate accepted."""
    return stated(
        "certificate-request",
        {
            "pool": pool,
            "host": host,
            "certificate": str(Thumbprint.of(certificate)),
            "replaces": str(replaces),
        },
    )


def server_statement(
    pool: PoolId, host: HostId, server: bytes, chain: Sequence[bytes], change: int
) -> bytes:
    """What a host signs with its pool key to change its server certificate.

    `change` is one more than the changes the roster has seen from it (`Membership.changes`), so
    that an old statement can't be used again.
    """
    return stated(
        "server-identity",
        {
            "pool": pool,
            "host": host,
            "server": str(Thumbprint.of(server)),
            "chain": [str(Thumbprint.of(der)) for der in chain],
            "change": change,
        },
    )


def _prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part
