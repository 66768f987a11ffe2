"""The TLS contexts: which identity is shown, what is asked of the other side, which versions.

Making one reads the identity's file and may take long (a thousand accepted certificates: 140 ms),
so it is done off the event loop, once per roster or identity; a context is never changed in place.
None loads the system's anchors.  None of those that answer gives session tickets in TLS 1.3, and
none renegotiates.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pooltrust.tls.handshake import Handshake

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl gives no name."""

MOST_CLIENT_CONTEXTS = 64

_AT_ONCE = 16


class PoolContext(ssl.SSLContext):
    """The context for members: it knows whom it accepts.

    `accepted`: the certificates (DER), each as it is.  `left_out`: those among them that OpenSSL
    can't load, so that their owners can't be met; everybody else can.
    """

    accepted: frozenset[bytes] = frozenset()
    left_out: tuple[bytes, ...] = ()


def server_context(identity: Path, authorities: Iterable[bytes] = ()) -> ssl.SSLContext:
    """For clients: the server identity, TLS 1.2 or 1.3.

    `identity` is a PEM file with key, certificate and chain.  With `authorities` (DER) a client is
    asked for a certificate: one that they issued is believed, none is as good as before, and any
    other ends the handshake, dates included.  Raises OSError and ssl.SSLError.
    """
    # No set_ecdh_curve: it would leave one group, and the original xe needs P-384.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _answer(context, identity, ssl.TLSVersion.TLSv1_2)
    if anchors := sorted(authorities):
        # There is no way to be asked and not refused: Python shows no callback of OpenSSL's, and a
        # certificate that was not verified must not be taken for one that was.
        context.verify_mode = ssl.CERT_OPTIONAL
        # An authority in the middle of a chain may be installed without the one above it.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        _trust(context, anchors)
    return context


def pool_context(
    identity: Path, accepted: Iterable[bytes], *, check_dates: bool = False
) -> PoolContext:
    """For members: the pool identity; a client certificate out of `accepted` (DER) is required.

    TLS 1.3 only.  No session tickets also means that no resumed session outlives a withdrawal.
    With `check_dates` an expired certificate, or one not yet valid, is refused.
    """
    context = PoolContext(ssl.PROTOCOL_TLS_SERVER)
    _answer(context, identity, ssl.TLSVersion.TLSv1_3)
    context.verify_mode = ssl.CERT_REQUIRED
    # Each accepted certificate is trusted as it is; none is an authority for others.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if not check_dates:
        context.verify_flags |= NO_CHECK_TIME
    context.accepted = frozenset(accepted)
    context.left_out = _trust(context, sorted(context.accepted))
    return context


def join_context(identity: Path) -> ssl.SSLContext:
    """For first meetings: the pool identity, no client certificate, TLS 1.3 only, no tickets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _answer(context, identity, ssl.TLSVersion.TLSv1_3)
    return context


def loadable(certificate: bytes) -> bool:
    """Whether OpenSSL can load this certificate (DER), so that its owner can be met as a member.

    Our own reader understands more than OpenSSL does: ask before admitting a host.
    """
    return _loads(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), [certificate])


def meeting_context(identity: Path | None, *, newest_only: bool) -> ssl.SSLContext:
    """For dialling somebody whose certificate the caller compares itself.

    The handshake proves that the other side holds its certificate's key; whose it is, dial.py
    decides before a byte is sent.  `identity` is shown if the other side asks for one.
    """
    context = _dialling()
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
    context = _dialling()
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


def _trust(context: ssl.SSLContext, certificates: Iterable[bytes]) -> tuple[bytes, ...]:
    """Add anchors (DER), a few at a time: each call keeps every other thread waiting.

    A thousand in one call held up the event loop for 350 ms, from another thread.  Returns those
    that OpenSSL can't load: one of them would keep out those behind it.
    """
    left_out: list[bytes] = []
    waiting = list(dict.fromkeys(certificates))
    for start in range(0, len(waiting), _AT_ONCE):
        few = waiting[start : start + _AT_ONCE]
        if not _loads(context, few):
            left_out += [one for one in few if not loadable(one)]
            for one in few:
                with suppress(ssl.SSLError):
                    context.load_verify_locations(cadata=one)
    return tuple(left_out)


def _loads(context: ssl.SSLContext, certificates: Sequence[bytes]) -> bool:
    """Add these; whether all of them are there now.

    Counted, because the ssl module takes some errors in the middle for the end of the data.
    """
    before = _known(context)
    try:
        context.load_verify_locations(cadata=b"".join(certificates))
    except ssl.SSLError:
        return False
    return _known(context) == before + len(certificates)


def _known(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509"]


def _answer(context: ssl.SSLContext, identity: Path, oldest: ssl.TLSVersion) -> None:
    """What all contexts that answer have in common."""
    context.minimum_version = oldest
    context.options |= ssl.OP_NO_RENEGOTIATION
    # No client that we know resumes, and each ticket costs as much as a signature with P-256.
    context.num_tickets = 0
    context.sslobject_class = Handshake
    context.load_cert_chain(identity)


def _dialling() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context
