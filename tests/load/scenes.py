"""Who meets whom, one scene for each way in which it goes wrong.

A scene plays on a pool of h1 (the coordinator), h2 and h3 that is its own, and returns what was
said and heard.  The verdicts are in test_matrix.py.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from daemons import running, until
from pooltrust.errors import Failure
from pooltrust.host.peers import link
from pooltrust.host.peers.greeting import greet
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import JOIN_NAME, POOL_NAME, HostId, Thumbprint, host_id
from pooltrust.tls.answer import Faces, Listener
from pooltrust.tls.contexts import join_context, pool_context, server_context
from pooltrust.tls.dial import dial
from pooltrust.tls.frames import open_frames
from pooltrust.trust.entries import HostDismissed
from pooltrust.trust.expect import Member
from tls.stage import Recorder, Spot, impostor, leaf_signed_by

from .listening import Asked, ListeningHost, kept, replace_pool_identity, stored

STRANGER = host_id("5e5e5e5e-0000-4000-8000-000000000000")
DAY = timedelta(days=1)


@dataclass
class Stage:
    """Three hosts of one pool, none running; everybody else by name; a folder for files."""

    h1: ListeningHost
    h2: ListeningHost
    h3: ListeningHost
    folder: Path
    people: dict[str, Identity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        h1, h2, h3 = (host.identity() for host in (self.h1, self.h2, self.h3))
        now = datetime.now(UTC)
        me = HostId(h1.certificate.common_name)
        self.people = {
            "h1": h1,
            "h2": h2,
            "h3": h3,
            "stranger": mint_pool_identity(STRANGER, now),
            "impostor_of_h1": impostor(h1),
            "impostor_of_h2": impostor(h2),
            "h1_signed_by_h3": leaf_signed_by(h3, h1),
            "h2_signed_by_h3": leaf_signed_by(h3, h2),
            "h1_expired": mint_pool_identity(me, now - 400 * DAY),
            "h1_early": mint_pool_identity(me, now + 400 * DAY),
        }

    def file(self, who: str) -> Path:
        """The identity file of somebody."""
        return stored(self.folder / f"{who}.pem", self.people[who]).path

    def expected(self, who: str, *also: Thumbprint) -> Member:
        """A member, as the others' rosters expect it."""
        certificate = self.people[who].certificate
        host = HostId(certificate.common_name)
        return Member(host, who, frozenset((certificate.thumbprint, *also)))

    def names(self) -> Mapping[str, str]:
        """What the table may call people and certificates by."""
        said = {who: str(one.certificate.thumbprint) for who, one in self.people.items()}
        hosts = {f"{n}_host": self.people[n].certificate.common_name for n in ("h1", "h2", "h3")}
        [server] = self.h1.folder.identity_files("server")
        shown = Identity.read(server.read_bytes()).certificate.thumbprint
        return {**said, **hosts, "h1_server": str(shown), "stranger_host": STRANGER}


@dataclass(frozen=True)
class Outcome:
    """`told`: what the dialling side is told; empty if it was served, or just cut off.

    `journal`: every line of every host that ran.  `heard`: what the dialled side decrypted.
    """

    told: str
    journal: list[str]
    heard: bytes = b""
    seconds: float = 0.0


Scene = Callable[[Stage], Awaitable[Outcome]]


async def told(host: ListeningHost, to: str | HostId) -> str:
    """What the host is told when it dials a member; nothing if it was greeted."""
    try:
        async with host.daemon.peers.link(HostId(to)):
            return ""
    except Failure as why:
        return str(why)


async def quiet(h1: ListeningHost, host: ListeningHost) -> None:
    """Wait until a host that was just started has met h1, or has said why not."""
    heard = h1.heard[host.config.address]
    await until(lambda: host.lines("peer-not-met") or b'{"head"' in heard)


# Dialled: somebody else is at the member's address.


@asynccontextmanager
async def recorder(stage: Stage, address: str, who: str, mute: bool = False) -> AsyncIterator[Spot]:
    """Somebody at this address who trusts every member and notes what is said to it."""
    path, spot = stage.file(who), Spot()
    accepted = [stage.people[name].certificate.der for name in ("h1", "h2", "h3")]
    faces = Faces(server_context(path), pool_context(path, accepted), join_context(path))
    hearing = Mute if mute else Recorder
    listener = await Listener.open(
        address,
        stage.h1.config.port,
        lambda: faces,
        lambda arrival: Asked() if arrival.name == JOIN_NAME else hearing(spot, arrival),
        refused=spot.refusals.append,
    )
    try:
        yield spot
    finally:
        await listener.close()


class Mute(Recorder):
    """Hears, and says nothing."""

    def data_received(self, data: bytes) -> None:
        self._spot.decrypted += data


def at_the_address_of_h1(who: str) -> Scene:
    """h2 dials its coordinator and meets `who`."""

    async def scene(stage: Stage) -> Outcome:
        h2 = stage.h2
        async with recorder(stage, "127.0.0.1", who) as spot, running(h2):
            said = await told(h2, stage.expected("h1").host)
            await until(lambda: h2.lines("peer-not-met"))
            return Outcome(said, h2.journal, bytes(spot.decrypted))

    return scene


async def h3_at_the_address_of_h1(stage: Stage) -> Outcome:
    """h2 dials its coordinator and meets another member, which is a real one."""
    h3: ListeningHost = stage.h3.configured(listen="127.0.0.1")  # type: ignore[assignment]
    async with running(h3, stage.h2):
        said = await told(stage.h2, stage.expected("h1").host)
        await until(lambda: any(one.facts["peer"] == "127.0.0.2" for one in h3.told.lines))
        return Outcome(said, h3.journal, bytes(h3.heard["127.0.0.2"]))


async def lost_server_name(stage: Stage) -> Outcome:
    """h2 dials h1, and the TLS server name does not arrive."""
    async with running(stage.h1, stage.h2):
        await quiet(stage.h1, stage.h2)
        before = len(stage.h1.heard["127.0.0.2"])
        with patch.object(link, "POOL_NAME", None):
            said = await told(stage.h2, stage.h1.me)
            await stage.h2.daemon.peers.look(stage.h1.me)
        return Outcome(said, stage.h2.journal, bytes(stage.h1.heard["127.0.0.2"][before:]))


# Answered: somebody who is not accepted calls.


def from_h2_with_the_identity_of(who: str) -> Scene:
    """A daemon at h2's address, with h2's log and this identity, dials h1."""

    async def scene(stage: Stage) -> Outcome:
        caller = stage.h2.taking(stage.people[who])
        async with running(stage.h1, caller):
            said = await told(caller, stage.h1.me)
            return Outcome(said, stage.h1.journal, bytes(stage.h1.heard["127.0.0.2"]))

    return scene


def saying_hello(
    shows: str | None, claims: str = "h2", wants: str = "h1", name: str | None = POOL_NAME
) -> Scene:
    """Somebody shows this identity to h1 under this name and says the hello of `claims`."""

    async def scene(stage: Stage) -> Outcome:
        async with running(stage.h1, stage.h2):
            await quiet(stage.h1, stage.h2)
            mine, h1 = stage.h2.daemon.belief, stage.h1
            server = h1.daemon.belief.identities.server.identity.certificate.thumbprint
            mine.me = stage.expected(claims).host
            said = ""
            try:
                connection = await dial(
                    "127.0.0.1",
                    h1.config.port,
                    expect=stage.expected("h1", *([server] if name != POOL_NAME else [])),
                    name=name,
                    identity=stage.file(shows) if shows else None,
                    source="127.0.0.9",
                )
                frames = open_frames(connection)
                await greet(frames, mine, stage.expected(wants).host, secrets.token_bytes(32))
            except Failure as why:
                said = str(why)
            if name == POOL_NAME:
                await until(lambda: h1.lines("connection-refused") or h1.lines("member-refused"))
            return Outcome(said, h1.journal, bytes(h1.heard["127.0.0.9"]))

    return scene


async def dismissed(stage: Stage) -> Outcome:
    """h3 was off when the pool dismissed it; now it is back and dials h1."""
    h1, h3 = stage.h1, stage.h3
    async with running(h1, stage.h2):
        body = HostDismissed(stage.expected("h3").host, "sold")
        await h1.daemon.scribe.append(body, by="root", call="pool.eject")
        async with running(h3):
            said = await told(h3, h1.me)
            return Outcome(said, h1.journal, bytes(h1.heard["127.0.0.3"]))


async def a_dismissed_host_dialled(stage: Stage) -> Outcome:
    """Something in h1 still wants h3, which was dismissed and is up."""
    h1, h3 = stage.h1, stage.h3
    gone = stage.expected("h3").host
    async with running(h1, stage.h2):
        await h1.daemon.scribe.append(HostDismissed(gone, "sold"), by="root", call="pool.eject")
    async with running(h1, h3):
        said = await told(h1, gone)
        await h1.daemon.peers.look(gone)
        return Outcome(said, h1.journal, bytes(h3.heard["127.0.0.1"]))


# Dates: a pinned identity that has expired, or is not valid yet.


def refreshed_to(who: str, dials: str, *, refuse: bool) -> Scene:
    """h1 got this identity; `dials` (h1 or h2) dials the other one, which may refuse its dates."""

    async def scene(stage: Stage) -> Outcome:
        h1, h2 = stage.h1, stage.h2
        async with running(h1, h2):
            await replace_pool_identity(h1.daemon, kept(h1.folder, stage.people[who]))
            await until(lambda: h2.roster.number == h1.roster.number)
        h2 = h2.configured(expired_pool_identity="refuse" if refuse else "alert")  # type: ignore[assignment]
        async with running(h1, h2):
            await quiet(h1, h2)
            caller, called = (h1, h2) if dials == "h1" else (h2, h1)
            before = len(called.heard[caller.config.address])
            said = await told(caller, called.me)
            heard = bytes(called.heard[caller.config.address][before:])
            await caller.daemon.peers.look(called.me)
            return Outcome(said, h2.journal, heard)

    return scene
