"""The TLS contexts: which identity is shown, what is asked of the other side, which versions.

Making one reads the identity's file and may take long (a thousand accepted certificates: 140 ms),
so it is done off the event loop, once per roster or identity; a context is never changed in place.
None loads the system's anchors.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pooltrust.tls.handshake import Handshake

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl gives no name."""

MOST_CLIENT_CONTEXTS = 64

_AT_ONCE = 16


def server_context(identity: Path) -> ssl.SSLContext:
    """For clients: the server identity, no client certificate, TLS 1.2 or 1.3.

    `identity` is a PEM file with key, certificate and chain.  Raises OSError and ssl.SSLError.
    """
    # No set_ecdh_curve: it would leave one group, and the original xe needs P-384.
    context = _answering(identity, ssl.TLSVersion.TLSv1_2)
    # The clients that we know do not resume, and each ticket costs as much as a signature of P-256.
    context.num_tickets = 0
    return context


def pool_context(
    identity: Path, accepted: Iterable[bytes], *, check_dates: bool = False
) -> ssl.SSLContext:
    """For members: the pool identity; a client certificate out of `accepted` (DER) is required.

    TLS 1.3 only, and no session tickets, so that no resumed session outlives a withdrawal.  With
    `check_dates` an expired certificate, or one not yet valid, is refused.
    """
    context = _answering(identity, ssl.TLSVersion.TLSv1_3)
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    # Each accepted certificate is trusted as it is; none is an authority for others.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if not check_dates:
        context.verify_flags |= NO_CHECK_TIME
    _trust(context, accepted)
    return context


def join_context(identity: Path) -> ssl.SSLContext:
    """For first meetings: the pool identity, no client certificate, TLS 1.3 only, no tickets."""
    context = _answering(identity, ssl.TLSVersion.TLSv1_3)
    context.num_tickets = 0
    return context


def meeting_context(identity: Path | None, *, newest_only: bool) -> ssl.SSLContext:
    """For dialling somebody whose certificate the caller compares itself.

    The handshake proves that the other side holds its certificate's key; whose it is, dial.py
    decides before a byte is sent.  `identity` is shown if the other side asks for one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    newest, older = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2
    context.minimum_version = newest if newest_only else older
    if identity is not None:
        context.load_cert_chain(identity)
    return context


def naming_context(anchors: Iterable[bytes], identity: Path | None) -> ssl.SSLContext:
    """For dialling a server by its name: chain to `anchors` (DER), name and dates are checked.

    An anchor may be the server's own self-signed certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    _trust(context, anchors)
    if identity is not None:
        context.load_cert_chain(identity)
    return context


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What makes two dials share a client context."""

    newest_only: bool
    anchors: tuple[bytes, ...] | None
    identity: Path | None
    file: tuple[int, int, int, int] | None
    """Device, inode, time of change (ns) and size of the identity's file: a new file, a new key."""

    @classmethod
    def of(
        cls, identity: Path | None, *, newest_only: bool, anchors: tuple[bytes, ...] | None
    ) -> ClientKey:
        """Looks at the identity's file.  Raises OSError if it is not there."""
        file = None
        if identity is not None:
            stat = identity.stat()
            file = (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size)
        return cls(newest_only, anchors, identity, file)

    def build(self) -> ssl.SSLContext:
        """Make the context.  Raises OSError and ssl.SSLError."""
        if self.anchors is not None:
            return naming_context(self.anchors, self.identity)
        return meeting_context(self.identity, newest_only=self.newest_only)


class ClientContexts:
    """The client contexts made so far; the least recently used one goes first."""

    def __init__(self, most: int = MOST_CLIENT_CONTEXTS) -> None:
        self._most = most
        self._made: OrderedDict[ClientKey, ssl.SSLContext] = OrderedDict()

    def get(self, key: ClientKey) -> ssl.SSLContext | None:
        """The context made for this key, if there is one."""
        if key in self._made:
            self._made.move_to_end(key)
        return self._made.get(key)

    def keep(self, key: ClientKey, context: ssl.SSLContext) -> None:
        """Remember this context; those of the identity's earlier files are forgotten."""
        for old in [k for k in self._made if k.identity == key.identity and k.file != key.file]:
            del self._made[old]
        self._made[key] = context
        while len(self._made) > self._most:
            self._made.popitem(last=False)


def _trust(context: ssl.SSLContext, certificates: Iterable[bytes]) -> None:
    """Add anchors (DER), a few at a time: each call keeps every other thread waiting.

    A thousand in one call held up the event loop for 350 ms, from another thread.
    """
    waiting = list(certificates)
    for start in range(0, len(waiting), _AT_ONCE):
        context.load_verify_locations(cadata=b"".join(waiting[start : start + _AT_ONCE]))


def _answering(identity: Path, oldest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = oldest
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.sslobject_class = Handshake
    context.load_cert_chain(identity)
    return context
