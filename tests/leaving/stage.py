"""Ejecting a host, and looking for what is left of somebody."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from daemons import Host, until
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.identity import Identity
from pooltrust.terms import HostId
from pooltrust.trust.entries import HostDismissed
from pooltrust.trust.entry import SignedEntry

Pool = Callable[..., tuple[Host, ...]]


async def dismiss(coordinator: Host, host: HostId) -> SignedEntry:
    """Write down that this host is no member any more."""
    body = HostDismissed(host, "sold")
    return await coordinator.daemon.scribe.append(body, by="root", call="pool.eject")


async def eject(coordinator: Host, host: Host) -> None:
    """Dismiss this host, which runs, tell it, and wait until it has a pool of its own."""
    me = host.me
    await dismiss(coordinator, me)
    await learn(host, coordinator)


async def learn(host: Host, teller: Host) -> None:
    """Have this host learn from that one that it was dismissed."""
    await host.daemon.scribe.adopt(teller.daemon.belief.log.story_of(shown(host)), source=teller.me)
    await until(lambda: host.lines("own-pool-founded") and not leaving(host))


def shown(host: Host) -> Certificate:
    """The pool certificate that it serves."""
    return host.daemon.belief.identities.pool.identity.certificate


def leaving(host: Host) -> bool:
    """Whether the departure is still staged."""
    return (host.config.folder / "leaving").exists()


def spellings(certificates: Iterable[Certificate]) -> Iterator[bytes]:
    """Every way in which these certificates and their thumbprints may be written down."""
    for certificate in certificates:
        der = certificate.der
        whole = base64.b64encode(der)
        pem = "".join(certificate.pem().splitlines(keepends=True)[1:-1]).encode()
        digest = certificate.thumbprint.digest
        yield from (der, whole, pem, pem.splitlines()[3])
        yield from (digest, str(certificate.thumbprint).encode(), digest.hex().encode())
        yield from (digest.hex().upper().encode(), base64.b64encode(digest))


def keys(identities: Iterable[Identity]) -> Iterator[bytes]:
    """A piece of each private key, as it stands in its file."""
    for identity in identities:
        yield identity.pem().splitlines()[2]


def left_in_files(root: Path, wanted: Iterable[bytes], *but: str) -> list[str]:
    """The files under this folder, except those named, that hold any of these."""
    wanted = tuple(wanted)
    assert wanted
    files = (path for path in root.rglob("*") if path.is_file() and path.name not in but)
    return [str(path.relative_to(root)) for path in files if _any(_read(path), wanted)]


def left_in_records(root: Path, wanted: Iterable[bytes]) -> list[str]:
    """The rows of the database that hold any of these."""
    wanted = tuple(wanted)
    with sqlite3.connect(root / "records.db") as database:
        rows = list(database.execute("SELECT sort, name, row FROM record"))
    return [f"{sort} {name}" for sort, name, row in rows if _any(f"{name}{row}".encode(), wanted)]


def left_in_belief(host: Host, certificates: Iterable[Certificate]) -> list[str]:
    """Where a running host still believes in any of these certificates, or serves one."""
    belief = host.daemon.belief
    ders = {certificate.der for certificate in certificates}
    accepted = {certificate.der for certificate in belief.roster.certificates()}
    servers = {member.server.der for member in belief.roster.members.values()}
    served = {
        one.identity.certificate.der for one in (belief.identities.pool, belief.identities.server)
    }
    places = {
        "roster": accepted | servers,
        "anchors": {anchor.certificate.der for anchor in belief.roster.anchors.values()},
        "context": set(belief.faces.pool.accepted),
        "context's store": set(belief.faces.pool.get_ca_certs(binary_form=True)),
        "identities": served,
    }
    return [place for place, there in places.items() if there & ders]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a temporary one that is in its place by now
        return b""


def _any(data: bytes, wanted: tuple[bytes, ...]) -> bool:
    return any(one in data for one in wanted)
