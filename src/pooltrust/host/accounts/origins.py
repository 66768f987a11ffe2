"""How long an origin must wait after wrong passwords.

Arithmetic only: seconds of a monotonic clock come in.  An origin is an IP address, or None for the
Unix socket, which never waits: whoever may open it is known by other means.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FREE = 5
"""Failures before an origin must wait at all."""

LONGEST_WAIT = 60.0
"""Seconds that an origin waits at most; it is 1, 2, 4, ... until then."""

FORGOTTEN_AFTER = 900.0
"""Seconds without a failure after which an origin begins anew."""

MOST = 4096
"""Origins that are remembered; one more, and the one that failed longest ago is forgotten."""

MOST_USERS = 16
"""Names that are told apart for one origin; a failure with one more is nobody's to make good."""

LONGEST_NAME = 64
"""Characters of a name by which it is told apart."""


@dataclass(frozen=True, slots=True)
class _Record:
    failures: Mapping[str | None, int]
    """By the user whose password it was to be; None for those who are not told apart."""
    last: float

    @property
    def count(self) -> int:
        return sum(self.failures.values())


_NONE = _Record(MappingProxyType({}), 0.0)


class Origins:
    """Who failed how often."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()  # the latest failure last

    def wait(self, origin: str | None, now: float) -> float:
        """Seconds until this origin may try again; 0 if it may now."""
        record = self._record(origin, now)
        if record.count < FREE:
            return 0.0
        exponent = min(record.count - FREE, 10)
        return max(0.0, record.last + min(LONGEST_WAIT, 2.0**exponent) - now)

    def failures(self, origin: str | None, now: float) -> int:
        """How many wrong passwords came from there that no right one has made good."""
        return self._record(origin, now).count

    def failed(self, origin: str | None, username: str, now: float) -> None:
        """A wrong password for this user came from there."""
        if origin is None:
            return
        failures = dict(self._record(origin, now).failures)
        username = username[:LONGEST_NAME]
        who = username if username in failures or len(failures) < MOST_USERS else None
        failures[who] = failures.get(who, 0) + 1
        self._records[network(origin)] = _Record(failures, now)
        self._records.move_to_end(network(origin))
        while len(self._records) > MOST:
            self._records.popitem(last=False)

    def succeeded(self, origin: str | None, username: str) -> None:
        """This user's right one came: forget the wrong ones for this user.

        Those for others stay: else who has an account could guess at another's between his own
        logins, and never wait.
        """
        record = None if origin is None else self._records.get(network(origin))
        if record is None or origin is None or username not in record.failures:
            return
        rest = {who: count for who, count in record.failures.items() if who != username}
        if rest:
            self._records[network(origin)] = _Record(rest, record.last)
        else:
            del self._records[network(origin)]

    def _record(self, origin: str | None, now: float) -> _Record:
        record = None if origin is None else self._records.get(network(origin))
        return _NONE if record is None or now - record.last > FORGOTTEN_AFTER else record


def network(origin: str) -> str:
    """An IPv6 origin is its /64: one machine commands all the addresses in it."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
