"""What an issuer's signature proves of a certificate that was met: for which names, and by whom.

A signature counts for exact names only: one that is good for many servers, by a wildcard, tells
them apart no more than the issuer's other certificates do.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pooltrust.errors import CannotVerify, Failure
from pooltrust.pki.certificate import BadCertificate, Certificate, read_pem
from pooltrust.pki.offered.chain import may_issue
from pooltrust.tls.dial import Connection, dial
from pooltrust.trust.expect import Server

At = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Proof:
    """A chain that was verified, name and dates included, where nothing else was said."""

    name: str
    """For which of the old certificate's names."""
    issuer: Certificate
    """Who signed the certificate that was met."""
    anchor: Certificate
    given: bool
    """The anchor is an authority of this console, and not only what the server showed before."""


def everything(one: Certificate) -> tuple[str, ...]:
    """The names and addresses that it is made out to."""
    return (*one.names, *one.addresses)


def exactly(met: Certificate, name: str) -> bool:
    """Whether it is made out to this very name or address, and not by a wildcard."""
    return "*" not in name and _plain(name) in {_plain(one) for one in everything(met)}


def _plain(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().removesuffix(".")


def missing(old: Certificate, new: Certificate) -> tuple[str, ...]:
    """What the old one was made out to and the new one is not: it may be another server's."""
    return tuple(name for name in everything(old) if not exactly(new, name))


def older(old: Certificate, new: Certificate) -> bool:
    """Whether the new one was made before the old one: whoever stole its key may show it again."""
    return new.not_before < old.not_before


def follows(old: Certificate, new: Certificate) -> bool:
    """Whether the new one can be the same server's next: all its names, and not an older one."""
    return bool(everything(old)) and not missing(old, new) and not older(old, new)


def provable(old: Certificate, address: str) -> str:
    """The name for which a renewal can be proven: where we connect to, or another; or none."""
    names = [name for name in (address, *everything(old)) if exactly(old, name)]
    return names[0] if names else ""


def issuer_shown(connection: Connection) -> Certificate | None:
    """Who issued the certificate that was met, if the other side showed it and its key did sign."""
    met = connection.met
    shown = (one for one in connection.presented() if one != met and may_issue(one))
    return next((one for one in shown if met.issued_by(one)), None)


def kept_issuer(pem: str) -> tuple[Certificate, ...]:
    """The issuer that was kept with a known server; none if there is none."""
    try:
        return tuple(read_pem(pem)[:1]) if pem else ()
    except BadCertificate:
        return ()


async def vouched(at: At, name: str, anchors: Iterable[Certificate]) -> Connection:
    """A connection to whom one of these vouches for by this name.  Raises CannotVerify."""
    expect = Server(name, tuple(one.der for one in anchors))
    return await dial(*at, expect=expect, name=None)


async def prove(
    at: At, name: str, met: Certificate, anchors: Sequence[Certificate], *, given: bool
) -> Proof | None:
    """The proof that one of these vouches for whom was met there; nothing is sent."""
    if not anchors or not name:
        return None
    try:
        connection = await vouched(at, name, anchors)
    except Failure:
        return None
    try:
        chain = connection.verified()
    except CannotVerify:
        return None
    finally:
        connection.writer.transport.abort()
    if connection.met != met or not exactly(met, name):
        return None
    return Proof(name, chain[min(1, len(chain) - 1)], chain[-1], given)
