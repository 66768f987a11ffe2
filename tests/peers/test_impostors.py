"""Somebody with another identity at a member's address, while verification is on and while it is off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from daemons import Host, run, running, until
from pooltrust.command.client import Reported
from pooltrust.errors import CannotVerify
from pooltrust.host.peers import wire
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.tls.frames import Frames
from pooltrust.trust.heads import Head, sign_head

from .stage import Puppet, instead_of, saying

Pool = Callable[..., tuple[Host, ...]]
OFF = {"verification_at_founding": False}


@dataclass
class Impostor:
    """Has a member's name and address and a key of his own; says all the right things."""

    puppet: Puppet
    identity: Identity
    heard: list[wire.Frame] = field(default_factory=list)

    @property
    def met(self) -> str:
        return str(self.identity.certificate.thumbprint)

    @property
    def calls(self) -> list[str]:
        """What he was asked after the hello."""
        return [frame["call"] for frame in self.heard if "call" in frame]

    async def serve(self, frames: Frames) -> None:
        hello = await self._hear(frames)
        roster, signer = self.puppet.belief.roster, self.identity.certificate.thumbprint
        nonce = wire.nonce(hello)
        head = Head(roster.pool, roster.number, roster.head, nonce, self.puppet.me, signer)
        signed = wire.head_content(sign_head(head, self.identity))
        await frames.send({"hello": 1, "nonce": wire.b64(bytes(32)), "head": signed})
        while await self._hear(frames):
            await frames.send({"seen": [], "value": "", "revision": "0.1", "head": signed})

    async def _hear(self, frames: Frames) -> wire.Frame:
        frame = await frames.receive(5)
        if "head" not in frame:
            self.heard.append(frame)
        return frame or {"": ""}


@asynccontextmanager
async def impostor_of(host: Host) -> AsyncIterator[Impostor]:
    """He answers at the address of this host, which does not run."""
    puppet = await Puppet.of(host)
    impostor = Impostor(puppet, mint_pool_identity(puppet.me, datetime.now(UTC)))
    path = host.config.folder / "impostor.pem"
    path.write_bytes(impostor.identity.pem())
    async with instead_of(host, path, saying(impostor.serve)):
        yield impostor


def observed(host: Host, impostor: Impostor) -> dict[str, str]:
    """What a host tells of its dials to the impostor."""
    told = host.daemon.observations.told()
    there = [one for one in told if one["peer"] == impostor.puppet.me]
    [row] = [one for one in there if one["outcome"] != "no connection"]  # before he came
    assert row["met"] == impostor.met and row["tls_version"] == "TLSv1.3"
    assert row["expected"].startswith("h2 (")
    return row


def test_with_verification_on_an_impostor_hears_nothing_at_all(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h3), impostor_of(h2) as impostor:
            await h1.daemon.peers.look(h3.me)
            for call in (h1.daemon.peers.call, h1.daemon.peers.call_verified):
                with pytest.raises(CannotVerify) as why:
                    await call(impostor.puppet.me, "probe")
                assert str(why.value.certificate) == impostor.met
            assert impostor.heard == []
            assert h1.lines("unverified-peer") == []
            row = observed(h1, impostor)
            assert (row["outcome"], row["refused_by"]) == ("refused", "this host")
            assert "does not accept this certificate from it" in row["reason"] and row["cure"]

    run(story())


def test_with_verification_off_an_impostor_is_reported_and_not_refused(pool: Pool) -> None:
    h1, h2, h3 = pool(3, **OFF)

    async def story() -> None:
        async with running(h1, h3), impostor_of(h2) as impostor:
            await h1.daemon.peers.look(h3.me)
            await h1.daemon.peers.call(impostor.puppet.me, "probe")
            assert impostor.calls == ["probe"]
            (line,) = h1.lines("unverified-peer")
            assert line.level == "warning"
            assert line.facts["peer"] == impostor.puppet.me
            assert line.facts["met"] == impostor.met
            assert "h2" in line.facts["expected"]
            seen = {one.host: one for one in await h1.daemon.prober.probe_all()}
            assert seen[h1.me].verified and seen[h3.me].verified
            assert not seen[impostor.puppet.me].verified
            assert seen[impostor.puppet.me].met == impostor.met
            row = observed(h1, impostor)
            assert (row["outcome"], row["refused_by"]) == ("not verified", "")
            assert row["reason"] == "verification is off"
            there = [one for one in h1.daemon.observations.told() if one["peer"] == h3.me]
            assert "verified" in {one["outcome"] for one in there}

    run(story())


def test_an_impostor_s_head_counts_for_nothing(pool: Pool) -> None:
    h1, h2 = pool(2, **OFF)

    async def story() -> None:
        async with running(h1), impostor_of(h2) as impostor:
            await h1.daemon.peers.look_around()
            assert impostor.heard
            assert not h1.daemon.sightings.current(h1.daemon.context.monotonic())
            assert h1.daemon.sightings.holders(1) == {h1.me}

    run(story())


def test_with_verification_off_no_record_is_shipped_to_an_impostor(pool: Pool) -> None:
    h1, h2, h3 = pool(3, **OFF)

    async def story() -> None:
        async with running(h1, h3), impostor_of(h2) as impostor:
            await h1.daemon.peers.look(h3.me)
            await h1.daemon.accounts.set_password("olive", "a password of hers")
            await until(lambda: h3.daemon.accounts.names() == ["olive", "root"])
            told = h1.told.lines
            await until(lambda: any("confidential" in line.facts.get("words", "") for line in told))
            refused = [line for line in told if "confidential" in line.facts.get("words", "")]
            assert [("records-not-shipped", impostor.puppet.me)] == [
                (line.event, line.facts["peer"]) for line in refused
            ]
            assert impostor.heard and impostor.calls == []

    run(story())


def test_with_verification_off_no_call_is_forwarded_to_an_impostor(pool: Pool) -> None:
    h1, h2, h3 = pool(3, **OFF)

    async def story() -> None:
        async with running(h2, h3), impostor_of(h1) as impostor:
            with pytest.raises(Reported) as why:
                await h2.ask("pool.get_all")
            assert why.value.code == "SSL_VERIFY_ERROR"
            assert impostor.met in str(why.value)
            assert impostor.heard and impostor.calls == []

    run(story())


def test_with_verification_off_only_members_are_answered_all_the_same(pool: Pool) -> None:
    h1, h2 = pool(2, **OFF)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        path = h2.config.folder / "impostor.pem"
        path.write_bytes(mint_pool_identity(puppet.me, datetime.now(UTC)).pem())
        async with running(h1):
            with pytest.raises(CannotVerify):
                async with puppet.dial(h1, identity=path) as frames:
                    await puppet.hello(frames, h1.me)

    run(story())
