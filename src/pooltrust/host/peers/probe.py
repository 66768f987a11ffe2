"""Who verifies whom, from handshakes made just now: one per member, this host included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from pooltrust.errors import CannotVerify, Failure
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.terms import Thumbprint
from pooltrust.trust.roster import Membership


@dataclass(frozen=True, slots=True)
class Seen:
    """One handshake from `observer` to `host`.

    `met` is the thumbprint of the certificate actually met, empty when nobody answered; `verified`
    whether it was one accepted from that host and the host greeted us as itself; `reason` and
    `cure` say otherwise why not.  `at`: UTC, ISO 8601.
    """

    observer: str
    host: str
    address: str
    met: str
    tls_version: str
    verified: bool
    reason: str
    cure: str
    at: str

    def content(self) -> dict[str, str | bool]:
        """As JSON-able fields."""
        return asdict(self)


class Prober:
    """Makes the handshakes of this host.  `now`: UTC."""

    def __init__(self, peers: Peers, now: Callable[[], datetime]) -> None:
        self._peers = peers
        self._now = now

    async def probe_all(self) -> list[Seen]:
        """One handshake with every member, at once."""
        members = self._peers.belief.roster.members.values()
        return list(await asyncio.gather(*(self.probe(member) for member in members)))

    async def probe(self, member: Membership) -> Seen:
        """One handshake and greeting with this member."""
        try:
            async with self._peers.link(member.host) as link:
                accepted = {one.thumbprint for one in member.certificates}
                met = link.connection.met.thumbprint
                return self._seen(member, met, link.connection.tls_version, met in accepted)
        except CannotVerify as why:
            return self._seen(member, why.certificate, "", verified=False, why=why)
        except Failure as why:
            return self._seen(member, None, "", verified=False, why=why)

    def _seen(
        self,
        member: Membership,
        met: Thumbprint | None,
        tls_version: str,
        verified: bool,
        why: Failure | None = None,
    ) -> Seen:
        return Seen(
            observer=self._peers.belief.me,
            host=member.host,
            address=member.address,
            met=str(met) if met else "",
            tls_version=tls_version,
            verified=verified,
            reason=str(why) if why else ("" if verified else "verification is off: not refused"),
            cure=getattr(why, "remedy", "") or (why.cure if why else ""),
            at=self._now().isoformat(timespec="seconds"),
        )


def seen(content: object) -> Seen:
    """Read what another member saw.  Raises PeerMisspoke."""
    if not isinstance(content, dict):
        raise wire.PeerMisspoke("an observation that is no object")
    texts = {
        name: wire.text(content, name)
        for name in ("observer", "host", "address", "met", "tls_version", "reason", "cure", "at")
    }
    return Seen(verified=wire.flag(content, "verified"), **texts)
