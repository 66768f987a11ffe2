"""How long an origin must wait after wrong passwords.

Arithmetic only: seconds of a monotonic clock come in.  An origin is an IP address, or None for the
Unix socket, which never waits: whoever may open it is known by other means.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Failures before an origin must wait at all."""

LONGEST_WAIT = 60.0
"""Seconds that an origin waits at most; it is 1, 2, 4, ... until then."""

FORGOTTEN_AFTER = 900.0
"""Seconds without a failure after which an origin begins anew."""

MOST = 4096
"""Origins that are remembered; one more, and the one that failed longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class _Record:
    failures: int
    last: float


class Origins:
    """Who failed how often."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()  # the latest failure last

    def wait(self, origin: str | None, now: float) -> float:
        """Seconds until this origin may try again; 0 if it may now."""
        record = self._record(origin, now)
        if record is None or record.failures < FREE:
            return 0.0
        exponent = min(record.failures - FREE, 10)
        return max(0.0, record.last + min(LONGEST_WAIT, 2.0**exponent) - now)

    def failures(self, origin: str | None, now: float) -> int:
        """How many wrong passwords in a row came from there."""
        record = self._record(origin, now)
        return record.failures if record else 0

    def failed(self, origin: str | None, now: float) -> None:
        """A wrong password came from there."""
        if origin is None:
            return
        failures = self.failures(origin, now)
        self._records[_network(origin)] = _Record(failures + 1, now)
        self._records.move_to_end(_network(origin))
        while len(self._records) > MOST:
            self._records.popitem(last=False)

    def succeeded(self, origin: str | None) -> None:
        """A right one came: forget the wrong ones."""
        if origin is not None:
            self._records.pop(_network(origin), None)

    def _record(self, origin: str | None, now: float) -> _Record | None:
        record = None if origin is None else self._records.get(_network(origin))
        return None if record is None or now - record.last > FORGOTTEN_AFTER else record


def _network(origin: str) -> str:
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
