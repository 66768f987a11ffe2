"""Hosts that note what they decrypt, and hosts with another identity than the log says.

Daemons are real and nothing of them is replaced; see daemons.py beside this folder.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from daemons import Host
from pooltrust.host.belief import Identities
from pooltrust.host.daemon import Daemon
from pooltrust.host.folder import StateFolder
from pooltrust.host.telling.journal import Journal, line
from pooltrust.pki.identity import Identity
from pooltrust.terms import JOIN_NAME
from pooltrust.tls.answer import Arrival
from pooltrust.trust.entries import CertificateAccepted, CertificateWithdrawn
from pooltrust.trust.store import IdentityFile
from pooltrust.trust.transcript import certificate_request

HOSTS = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}

ASKED: list[bytearray] = []
"""What hosts said under the join name, one for each connection: asking what they missed."""


class Listening(Daemon):
    """A daemon that keeps a copy of every byte that it decrypts, by where it came from.

    A host that may have missed something asks for it on a connection of its own, under the join
    name, whomever it met: that is kept in `ASKED`.
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.heard: dict[str, bytearray] = defaultdict(bytearray)

    def _protocol(self, arrival: Arrival) -> asyncio.BaseProtocol:
        heard = self.heard[arrival.address]
        if arrival.name == JOIN_NAME and arrival.address in HOSTS:
            heard = bytearray()
            ASKED.append(heard)
        return Tap(super()._protocol(arrival), heard)  # type: ignore[arg-type]


class Asked(asyncio.Protocol):
    """Keeps what it is asked under the join name, and answers nothing."""

    def __init__(self) -> None:
        self._said = bytearray()
        ASKED.append(self._said)

    def data_received(self, data: bytes) -> None:
        self._said += data


class Tap(asyncio.Protocol):
    """Hands everything on, and keeps a copy of what comes in."""

    def __init__(self, inner: asyncio.Protocol, heard: bytearray) -> None:
        self._inner = inner
        self._heard = heard
        for event in ("connection_made", "connection_lost", "eof_received"):
            setattr(self, event, getattr(inner, event))
        for event in ("pause_writing", "resume_writing"):
            setattr(self, event, getattr(inner, event))

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._inner.data_received(data)


@dataclass
class ListeningHost(Host):
    """A host whose daemon is a `Listening` one."""

    async def start(self) -> None:
        logger = logging.Logger(self.config.name, logging.INFO)
        logger.addHandler(self.told)
        async with AsyncExitStack() as stack:
            self._daemon = await Listening.start(self.config, Journal(logger), stack)
            self._stack = stack.pop_all()

    @property
    def heard(self) -> dict[str, bytearray]:
        """What was decrypted, by the address it came from."""
        assert isinstance(self.daemon, Listening)
        return self.daemon.heard

    @property
    def journal(self) -> list[str]:
        """Its lines as people read them, each beginning with the host's name."""
        return [line(self.config.name, one.level, one.event, one.facts) for one in self.told.lines]

    def configured(self, **changes: Any) -> ListeningHost:
        return ListeningHost(replace(self.config, **changes), self.password)

    def identity(self) -> Identity:
        """Its pool identity, of which there is one."""
        [path] = self.folder.identity_files("pool")
        return Identity.read(path.read_bytes())

    def taking(self, identity: Identity) -> ListeningHost:
        """The same host with another pool identity in its folder, and no other."""
        for path in self.folder.identity_files("pool"):
            path.unlink()
        kept(self.folder, identity)
        return self


def kept(folder: StateFolder, identity: Identity) -> IdentityFile:
    """This pool identity in its file."""
    path = folder.identity("pool", identity.certificate.thumbprint)
    return stored(path, identity)


def stored(path: Path, identity: Identity) -> IdentityFile:
    """This identity in this file."""
    if not path.exists():
        path.write_bytes(identity.pem())
        path.chmod(0o400)
    return IdentityFile(path, identity)


async def replace_pool_identity(daemon: Daemon, new: IdentityFile) -> None:
    """Refresh a coordinator's pool identity: accepted, served, and the old one withdrawn."""
    old = await accept(daemon, new.identity)
    await daemon.belief.serve(Identities(pool=new, server=daemon.belief.identities.server))
    await daemon.scribe.append(old, by="root", call="test")


async def accept(daemon: Daemon, new: Identity) -> CertificateWithdrawn:
    """Have the coordinator's next certificate accepted; what withdraws the present one."""
    belief = daemon.belief
    old = belief.identities.pool.identity
    der, replaces = new.certificate.der, old.certificate.thumbprint
    asked = certificate_request(belief.roster.pool, belief.me, der, replaces)
    body = CertificateAccepted(belief.me, der, replaces, old.sign(asked), new.sign(asked))
    await daemon.scribe.append(body, by="root", call="test")
    return CertificateWithdrawn(belief.me, replaces, "refreshed")
