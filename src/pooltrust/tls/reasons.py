"""Why a connection was refused, in words: what OpenSSL and the kernel report, translated once.

Knows error codes and alerts (RFC 8446 6, RFC 5280 6), and what to do about each.  A text of the TLS
library is never passed on.
"""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pooltrust.pki.certificate import Certificate
from pooltrust.pki.expiry import Validity, validity
from pooltrust.pki.mint import pool_host
from pooltrust.pki.revocation import Revoked
from pooltrust.terms import HostId
from pooltrust.trust.expect import Member, Pinned


class Side(StrEnum):
    """Whose decision it was that a connection did not come about."""

    US = "this host"
    PEER = "the other side"
    NOBODY = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` is short and stable, for counting and damping; the others are for people."""

    code: str
    words: str
    remedy: str = ""
    by: Side = Side.US


UNKNOWN_TO_US = Reason(
    "unknown certificate",
    "unknown certificate: not accepted from any member",
    "If that host was ejected, this is right; else compare: pooltrust log show.",
)
CLIENT_UNKNOWN = Reason(
    "client certificate",
    "it showed a client certificate that no authority of the pool has issued, or not for this",
    "Show one that was, or none and log in by password.  To ask nobody for a certificate: "
    "xe pool-disable-client-certificate-auth.",
)
_UNTRUSTED_ISSUER = Reason(
    "untrusted issuer",
    "its certificate was not issued by anybody trusted here",
    "Install the authority's certificate, or the server's own: xe pool-install-ca-certificate.",
)
_EXPIRED = Reason(
    "expired",
    "its certificate has expired",
    "Renew it there; if it has not, check the clock of this host.",
)
_NOT_YET_VALID = Reason(
    "not yet valid",
    "its certificate is not valid yet",
    "Compare the clocks of the two hosts.",
)
_WRONG_NAME = Reason(
    "wrong name",
    "its certificate is for other names",
    "Connect by a name that is in the certificate, or install one that has this name.",
)
_NO_CERTIFICATE = Reason(
    "no certificate",
    "it gave no certificate, which the name that it asked for requires",
    "Only members connect under the pool's name; a first meeting has its own.",
)
_VERSION = Reason(
    "protocol version",
    "the two sides have no version of TLS in common",
    "Members speak TLS 1.3 only, clients may speak TLS 1.2; upgrade the older side.",
)
_CIPHER = Reason(
    "no common cipher",
    "the two sides have no cipher or curve in common",
    "Upgrade the older side; a client that knows RSA only needs a server identity with RSA.",
)
NOT_TLS = Reason(
    "not TLS",
    "it does not speak TLS",
    "Check the port: it must be the one that the pool uses for HTTPS.",
    Side.NOBODY,
)
PLAIN_HTTP = Reason(
    "plain HTTP",
    "it sent plain HTTP to the TLS port",
    "Use https there: nothing confidential goes over plain HTTP.",
    Side.NOBODY,
)
TOO_MANY = Reason(
    "too many connections",
    "too many connections at once",
    "Look for what opens so many connections at that address.",
)
CROWDED_OUT = Reason(
    "crowded out",
    "its handshake was not over when too many others came",
    "Look for what opens so many connections and does not finish them.",
    Side.NOBODY,
)
NO_FACE = Reason(
    "no such face",
    "this host serves no pool identity yet",
    "Try again when its set-up has ended.",
)
SLOW_CURE = "Check the network to that address, and what there connects to this port."
_TIMEOUT = Reason(
    "handshake timeout",
    "the handshake was not finished in time",
    "Check the network between the two hosts.",
    Side.NOBODY,
)
_CLOSED = Reason(
    "closed",
    "it closed the connection during the handshake",
    "Look at the other side's log.",
    Side.NOBODY,
)
_PROTOCOL = Reason(
    "handshake failure",
    "it broke the rules of the TLS handshake",
    "Look at the other side's log; something between the two may alter the traffic.",
    Side.NOBODY,
)
REFUSED_US = Reason(
    "refused our certificate",
    "it refused our certificate (unknown to it)",
    "Its roster may be older than the last refresh here, or this host was dismissed: "
    "pooltrust log show, on both hosts.",
    Side.PEER,
)
CLIENT_REFUSED = Reason(
    "client refused us",
    "the client refused this host's server certificate: nobody it trusts has issued it",
    "Give the client this host's certificate (xe host-get-server-certificate), or install one "
    "here that its authority has issued (xe host-server-certificate-install).",
    Side.PEER,
)
REFUSED_SILENTLY = Reason(
    "closed before an answer",
    "it closed the connection without an answer, as a host does that does not know our certificate",
    "Look at the other side's log; compare the rosters: pooltrust log show, on both hosts.",
    Side.PEER,
)
_WANTED_ONE = Reason(
    "certificate required",
    "it requires a certificate and we showed none",
    "Connect as a member, with this host's pool identity.",
    Side.PEER,
)
_REFUSED_OUR_DATES = Reason(
    "refused our dates",
    "it refused our certificate as expired or not yet valid",
    "Refresh this host's certificate (xe host-refresh-server-certificate), and compare the clocks.",
    Side.PEER,
)

_ANOTHER = Reason(
    "another certificate",
    "it is another certificate than the one expected",
    "Compare the thumbprint with the one shown on that host: pooltrust host status.",
)
_NO_POOL_IDENTITY = Reason(
    "server identity",
    "it shows no pool identity: it is no member, or the TLS server name was lost on the way",
    "Check that no proxy stands between the hosts, and that the address is a host's.",
)
_UNKNOWN_OF_HOST = Reason(
    "unknown certificate",
    "it names that host, but the roster does not accept this certificate from it",
    "If that host was refreshed or restored meanwhile, compare its thumbprint with the one shown "
    "there: pooltrust host status.",
)

OF_THE_ONE_SHOWN = frozenset({CLIENT_UNKNOWN.code, _EXPIRED.code, _NOT_YET_VALID.code})
"""The codes that speak of a certificate which a client has shown."""

_BY_VERIFY_CODE = {
    9: _NOT_YET_VALID,
    10: _EXPIRED,
    62: _WRONG_NAME,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: _WRONG_NAME,  # X509_V_ERR_IP_ADDRESS_MISMATCH
}

_ALERTS = {
    "TLSV1_ALERT_UNKNOWN_CA": REFUSED_US,
    "SSLV3_ALERT_BAD_CERTIFICATE": _REFUSED_OUR_DATES,  # OpenSSL's word for one not yet valid
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": REFUSED_US,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": REFUSED_US,
    "TLSV1_ALERT_ACCESS_DENIED": REFUSED_US,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": REFUSED_US,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _REFUSED_OUR_DATES,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _WANTED_ONE,
}

_HANDSHAKE = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": _NO_CERTIFICATE,
    "UNSUPPORTED_PROTOCOL": _VERSION,
    "NO_PROTOCOLS_AVAILABLE": _VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": _VERSION,
    "VERSION_TOO_LOW": _VERSION,
    "NO_SHARED_CIPHER": _CIPHER,
    "NO_SUITABLE_KEY_SHARE": _CIPHER,
    "NO_SUITABLE_SIGNATURE_ALGORITHM": _CIPHER,
    "NO_SHARED_GROUPS": _CIPHER,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _CIPHER,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": _CIPHER,
    "WRONG_VERSION_NUMBER": NOT_TLS,
    "HTTP_REQUEST": NOT_TLS,
    "HTTPS_PROXY_REQUEST": NOT_TLS,
    "UNEXPECTED_EOF_WHILE_READING": _CLOSED,
    **_ALERTS,
}

_SYSTEM = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.EHOSTUNREACH: "no route to that host",
    errno.ENETUNREACH: "no route to that network",
    errno.ECONNRESET: "it cut the connection",
    errno.EPIPE: "it cut the connection",
    errno.ECONNABORTED: "the connection was cut",
    errno.ETIMEDOUT: "it did not answer",
    errno.EADDRNOTAVAIL: "this host has no such address",
    errno.EADDRINUSE: "the port is taken",
    errno.EMFILE: "this program has too many open files",
    errno.ENFILE: "this machine has too many open files",
    errno.EACCES: "this user is not allowed to",
    errno.EPERM: "it is forbidden here",
}


def handshake_failed(why: BaseException, *, answering: bool = False) -> Reason:
    """Why a handshake failed.  `answering`: on the side that was dialled."""
    match why:
        case ssl.SSLCertVerificationError() if answering:
            dates = (_NOT_YET_VALID, _EXPIRED)
            found = _BY_VERIFY_CODE.get(why.verify_code)
            return found if found in dates else UNKNOWN_TO_US
        case ssl.SSLCertVerificationError():
            return _BY_VERIFY_CODE.get(why.verify_code, _UNTRUSTED_ISSUER)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return _CLOSED
        case ssl.SSLError():
            return _HANDSHAKE.get(why.reason or "", _PROTOCOL)
        case TimeoutError() | ConnectionAbortedError():  # the loops' own word for their timeout
            return _TIMEOUT
    return _CLOSED


def refused_by_peer(why: BaseException | None) -> Reason:
    """Why a peer ended a TLS 1.3 connection before its first answer; None is an end of file."""
    if isinstance(why, ssl.SSLError):
        return _ALERTS.get(why.reason or "", REFUSED_SILENTLY)
    return REFUSED_SILENTLY


def mismatch(expect: Member | Pinned, met: Certificate) -> Reason:
    """Why the certificate met is not the one expected."""
    if isinstance(expect, Pinned):
        return _ANOTHER
    try:
        named = pool_host(met)
    except ValueError:
        return _NO_POOL_IDENTITY
    return _UNKNOWN_OF_HOST if named == expect.host else _anothers(named)


def outdated(met: Certificate, now: datetime) -> Reason | None:
    """Why a certificate's dates refuse it at `now` (UTC); None if they do not."""
    match validity(met, now):
        case Validity.EXPIRED:
            return replace(_EXPIRED, words=f"its certificate expired on {met.not_after:%F %T} UTC")
        case Validity.NOT_YET_VALID:
            since = f"its certificate is not valid before {met.not_before:%F %T} UTC"
            return replace(_NOT_YET_VALID, words=since)
    return None


def taken_back(gone: Revoked) -> Reason:
    """Why a certificate that its issuer revoked is refused, or one that was issued by it."""
    said = f" ({gone.reason})" if gone.reason else ""
    return Reason(
        "revoked",
        f"{gone.subject} was revoked by its issuer on {gone.since:%F %T} UTC{said}",
        "Have a new certificate issued for it there; or see the lists here: xe pool-crl-list.",
    )


def no_connection(why: BaseException) -> str:
    """Why there is no connection, or no longer one."""
    match why:
        case TimeoutError():
            return "it did not answer in time"
        case ssl.SSLError():
            return handshake_failed(why).words
        case OSError(errno=number) if number is not None:
            return _SYSTEM.get(number) or (why.strerror or "it could not be reached").lower()
        case OSError() if not isinstance(why, ConnectionError):
            return "none of its addresses could be reached"  # the loops' sum of several errors
    return "it cut the connection"


def _anothers(named: HostId) -> Reason:
    return Reason(
        "another member's",
        f"it is the certificate of another host, {named}",
        "Check which host has that address: xe host-list.",
    )
