"""A coordinator that shows its members different logs is found out; a liar stops nobody."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from daemons import Host, alike, run, running, until
from peers.stage import Puppet
from peers.test_appending import Pool, append, fit
from pooltrust.host.belief import Belief
from pooltrust.host.peers import greeting, requests
from pooltrust.host.peers.scribe import Forked
from pooltrust.terms import EntryHash
from pooltrust.trust.entries import TakenOver
from pooltrust.trust.heads import SignedHead, sign_head
from takeover.offers import Offering, signed


def test_two_logs_of_one_length_are_seen_and_kept_as_evidence(pool: Pool, tmp_path: Path) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await fit(h1)
            await h1.stop()
            twin = h1.copied(tmp_path / "twin")
            await h2.stop()
            await h1.start()
            await append(h1, h1.config.address)
            await until(lambda: alike(h1, h3))
            await h1.stop()
            await h3.stop()
            await h2.start()
            async with running(twin):
                await append(twin, twin.config.address, by="the twin")
                assert twin.roster.number == 4
                await h3.start()
                await until(lambda: h3.lines("log-forked"))
                (said, *_) = h3.lines("log-forked")
                assert {said.facts["ours"], said.facts["theirs"]} == {
                    h3.roster.head,
                    twin.roster.head,
                }
                assert said.facts["peer"] in (twin.me, h2.me)
            assert [path for path in h3.config.folder.iterdir() if "evidence" in path.name]

    run(story())


def test_a_member_that_claims_entries_and_hands_none_over_does_not_stop_the_coordinator(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            _lie_as(h3, monkeypatch)
            await h1.restart()
            await append(h1, h1.config.address)
            await until(lambda: alike(h1, h2))
            assert h1.lines("head-unproved")

    run(story())


def test_a_member_that_makes_up_a_branch_of_its_own_does_not_stop_the_coordinator(
    pool: Pool,
) -> None:
    """By taking over alone, which is followed on an order only.  It would be the end of two."""
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet = await Puppet.of(h2)
        alone = signed(puppet, TakenOver(puppet.me, puppet.belief.roster.coordinator), alone=True)
        async with running(h1, h3):
            await append(h1, h1.config.address)
            await until(lambda: alike(h1, h3))
        async with running(h1, h3), Offering(puppet, [alone]).at(h2):
            await until(lambda: h1.lines("log-forked"))
            assert h1.daemon.scribe._forked == {puppet.me}
            h1.daemon.scribe.unfit()
            await append(h1, h1.config.address)
            await h3.stop()
            h1.daemon.scribe.unfit()
            h1.daemon.sightings.forget()
            with pytest.raises(Forked, match="on h2, so it appends none"):
                await append(h1, h1.config.address)

    run(story())


def _lie_as(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, liar = greeting.own_head, host.me

    def own_head(belief: Belief, nonce: bytes) -> SignedHead:
        signed = honest(belief, nonce)
        if belief.me != liar:
            return signed
        made_up = EntryHash(secrets.token_hex(32))
        head = replace(signed.head, number=10**9, hash=made_up)
        return sign_head(head, belief.identities.pool.identity)

    for where in (greeting, requests):
        monkeypatch.setattr(where, "own_head", own_head)
