"""What a trusted coordinator tells of its pool's hosts: whom to believe at which place.

Pure: it reads a mirror and returns values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pooltrust.console.pools.mirror import Mirror
from pooltrust.console.trusting.known import LEARNED, Known
from pooltrust.console.trusting.trust import place_of
from pooltrust.terms import Thumbprint

LONGEST = 255
"""Characters of a name or an address: what is remembered must not grow with what a pool tells."""
SERVER = "host"
"""The type of the certificate that clients meet."""


def hosts_of(
    mirror: Mirror, met: str, place: str, port: int, now: str, how: str
) -> Iterator[Known]:
    """Every host with a server certificate, as it is to be known.

    `met`: the thumbprint of the host that we talk to, at `place`; `how` it came to be trusted.
    """
    pool = mirror.one("pool")
    if pool is None:
        return
    ours = _talking_to(mirror, met) or str(pool[1].get("master", ""))
    for ref, host in mirror.objects["host"].items():
        thumbprint = _server_thumbprint(mirror, ref) or (met if ref == ours else "")
        address = str(host.get("address", ""))[:LONGEST]
        if not thumbprint or not address:
            continue
        places = [place_of(address, port)]
        if ref == ours:
            places.insert(0, place)
        yield Known(
            pool=str(pool[1]["uuid"])[:LONGEST],
            host=str(host["uuid"])[:LONGEST],
            name=str(host.get("name_label", ""))[:LONGEST],
            thumbprint=thumbprint,
            places=tuple(dict.fromkeys(places)),
            first_seen=now,
            last_seen=now,
            how=how if thumbprint == met else LEARNED,
        )


def _talking_to(mirror: Mirror, met: str) -> str:
    for certificate in mirror.objects["certificate"].values():
        if certificate.get("type") == SERVER and thumbprint_of(certificate) == met:
            return str(certificate.get("host", ""))
    return ""


def _server_thumbprint(mirror: Mirror, host: str) -> str:
    # The newest is told of last: between two events an old one may still be there.
    for certificate in reversed(mirror.objects["certificate"].values()):
        if certificate.get("type") == SERVER and certificate.get("host") == host:
            return thumbprint_of(certificate)
    return ""


def thumbprint_of(certificate: dict[str, Any]) -> str:
    """The SHA-256 that a record tells; empty if it tells none."""
    told = certificate.get("fingerprint_sha256") or certificate.get("fingerprint") or ""
    try:
        return str(Thumbprint.parse(str(told)))
    except ValueError:
        return ""
