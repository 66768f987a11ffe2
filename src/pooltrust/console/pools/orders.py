"""Changes of server certificates that were ordered from here, so that they surprise nobody."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pooltrust.console.pools.mirror import Mirror
from pooltrust.console.trusting.book import Book
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.shown import Ordered
from pooltrust.terms import Thumbprint

DISRUPTS: Mapping[str, str] = {
    "host.reset_server_certificate": "reset",
    "host.emergency_reset_server_certificate": "reset",
    "host.install_server_certificate": "installed",
    "pooltrust.install_server_certificate": "installed",
    "pooltrust.install_requested_certificate": "installed",
}
RECENT_SECONDS = 120.0
TELLS = ("pooltrust.install_server_certificate", "pooltrust.install_requested_certificate")
"""These return the new thumbprint."""


class Orders:
    """What was ordered, by host."""

    def __init__(self) -> None:
        self._ordered: dict[str, tuple[str, float, str]] = {}

    def note(self, method: str, parameters: list[Any], mirror: Mirror, trust: Book) -> None:
        """A call is about to be made; it replaces the certificate that its host has now."""
        what = DISRUPTS.get(method.removeprefix("Async."))
        host = mirror.objects["host"].get(str(parameters[0])) if parameters else None
        if what and host:
            known = next(trust.known_of(str(host["uuid"])), None)
            before = known.thumbprint if known else ""
            self._ordered[str(host["uuid"])] = (what, time.monotonic(), before)

    def of(self, host: str) -> Ordered | None:
        """The recent order about this host (by UUID), if there is one."""
        what, at, _ = self._ordered.get(host, ("", 0.0, ""))
        seconds = time.monotonic() - at
        return Ordered(host, what, seconds) if what and seconds < RECENT_SECONDS else None

    def behind(self, old: Known) -> Ordered | None:
        """The recent order that replaced this certificate: a second change is not of its making."""
        before = self._ordered.get(old.host, ("", 0.0, ""))[2]
        return self.of(old.host) if before == old.thumbprint else None

    def any_recent(self) -> bool:
        """Whether a disconnection is no surprise."""
        return any(self.of(host) for host in self._ordered)

    def thumbprint(self, method: str, result: Any) -> str:
        """The new thumbprint, if this call has told one."""
        if method not in TELLS or not isinstance(result, list) or not result:
            return ""
        try:
            return str(Thumbprint.parse(str(result[0])))
        except ValueError:
            return ""

    def renewed(self, known: Known, thumbprint: str) -> Known:
        """The host with its new certificate."""
        how = "installed from here; its host told the thumbprint"
        return replace(known, thumbprint=thumbprint, how=how, certificate="")
