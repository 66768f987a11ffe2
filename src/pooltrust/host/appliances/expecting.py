"""Whom a host expects where it dials an appliance, and dialling it.

The appliance's own certificate, pinned; or one for the name that is dialled, from an authority that
was installed.  Nothing else is believed where the pool verifies appliances.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from pooltrust.errors import CannotVerify
from pooltrust.errors.appliances import WlbUrlInvalid
from pooltrust.host.place import bracketed
from pooltrust.host.telling.conversations import Dialling, Tell
from pooltrust.pool import anchors
from pooltrust.terms import JOIN_NAME, POOL_NAME, Thumbprint
from pooltrust.tls.dial import Connection, dial
from pooltrust.tls.endpoints import Kind
from pooltrust.trust.expect import Anyone, Expectation, Pinned, Server
from pooltrust.trust.roster import Roster

NOBODY_VERIFIES = "verification is off, for appliances too"
FIRST_SIGHT = "first sight of an appliance: nothing is said"

_URL = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})", re.ASCII)


def place(url: str) -> tuple[str, int]:
    """Host and port of ``host:port``.  Raises WlbUrlInvalid."""
    found = _URL.fullmatch(url)
    if not found or not 0 < int(found[3]) < 65536:
        raise WlbUrlInvalid(url[:256])
    return found[1] or found[2], int(found[3])


def seen(tell: Tell, kind: Kind, host: str, port: int) -> Dialling:
    """Who is told of a dial to an appliance."""
    return Dialling(tell, kind, f"{bracketed(host)}:{port}", host)


def verified(roster: Roster, host: str, lists: Collection[bytes]) -> tuple[Expectation, ...]:
    """Whom to believe as the appliance at this host: each of these, and nobody else.

    `lists`: the revocation lists (DER).
    """
    pins = tuple(Pinned(one) for one in anchors.pinned(roster, anchors.APPLIANCE))
    issuers = anchors.authorities(roster, anchors.APPLIANCE)
    if pins and not issuers:
        return pins
    return (*pins, Server(host, issuers, tuple(lists)))


def unverified() -> tuple[Expectation, ...]:
    """Whoever answers, because nobody verifies anybody here."""
    return (Anyone(because=NOBODY_VERIFIES),)


def sight(thumbprint: Thumbprint | None) -> tuple[Expectation, ...]:
    """For a look: the holder of this certificate, or whoever answers."""
    return (Pinned(thumbprint) if thumbprint else Anyone(because=FIRST_SIGHT),)


async def connected(
    host: str,
    port: int,
    expects: Sequence[Expectation],
    *,
    deadline: float,
    check_dates: bool,
    seen: Dialling,
) -> Connection:
    """Dial whoever meets one of these expectations, and tell `seen`.  Raises as dial does."""
    return await seen.told(_connected(host, port, expects, deadline, check_dates))


async def _connected(
    host: str, port: int, expects: Sequence[Expectation], deadline: float, check_dates: bool
) -> Connection:
    met: CannotVerify | None = None
    for expect in expects:
        if met is not None and isinstance(expect, Pinned) and met.certificate != expect.thumbprint:
            continue  # another one was met there, so this one will not be
        try:
            return await dial(
                host, port, expect=expect, name=_asked_for(host, expect), deadline=deadline,
                check_dates=check_dates,
            )  # fmt: skip
        except CannotVerify as why:
            met = why
    assert met is not None, "somebody is expected"
    raise CannotVerify(
        met.reason,
        expected=" or ".join(map(str, expects)),
        met=met.met,
        remedy=_cure(host, port, met),
        certificate=met.certificate,
        tls_version=met.tls_version,
        by=met.by,
    ) from met


def _asked_for(host: str, expect: Expectation) -> str | None:
    """The TLS server name; a server that is expected by name is asked for by it."""
    return None if isinstance(expect, Server) or host in (POOL_NAME, JOIN_NAME) else host


def _cure(host: str, port: int, met: CannotVerify) -> str:
    if met.certificate is None:
        return met.remedy
    return (
        "If that is the certificate which the appliance's own console shows, pin it: "
        f"xe pool-pin-wlb-certificate wlb_url={bracketed(host)}:{port}; or install its authority: "
        "xe pool-install-ca-certificate"
    )
