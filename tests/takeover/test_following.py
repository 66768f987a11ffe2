"""An order to follow a coordinator moves this host over, and a refused one moves nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from daemons import Host, Stock, run, running, tree, until
from leaving.stage import dismiss
from peers.stage import Puppet
from pooltrust.errors import CannotConnect, CannotVerify, Failure, OperationNotAllowed
from pooltrust.host.peers import wire
from pooltrust.host.peers.scribe import NotCommitted
from pooltrust.host.takeover import following
from pooltrust.host.takeover.verdicts import ForeignLog, ForgedLog
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import HostId
from pooltrust.tls.frames import Frames
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.store import read_log
from pooltrust.trust.transcript import statement, transcript

from .offers import Offering, signed
from .stage import Pool, append, leads, refusal, settle, spread, take_over


def files(host: Host) -> dict[str, bytes]:
    return {name: data for name, data in tree(host).items() if name != "starts"}


async def follow(host: Host, coordinator: Host) -> None:
    """As an administrator orders it on this host."""
    await host.ask("pool.emergency_reset_master", coordinator.config.address)


def test_a_pool_of_two_goes_on_after_an_order_on_each_host(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await settle(h1, h2)
            await h1.stop()
            await take_over(h2, alone=True)
            await append(h2)
            await h1.start()
            # It does not follow by itself, and says what it would take.
            await until(lambda: h1.lines("takeover-needs-order"))
            said = h1.lines("takeover-needs-order")[0].facts["words"]
            assert "order it on this host: xe pool-emergency-reset-master" in said
            assert h1.daemon.belief.is_coordinator
            done = await h1.daemon.following.follow(h2.config.address)
            assert (done.name, done.new, done.left) == ("h2", 2, 0)
            assert done.words == (
                f"This host follows h2; its trust log ends with entry {h2.roster.number}."
            )
            assert leads(h2, h1)
            await settle(h2, h1)
            await append(h2)
            await settle(h2, h1)
            # Twice is once.
            done = await h1.daemon.following.follow(h2.config.address)
            assert (done.new, done.left) == (0, 0)

    run(story())


async def part(h1: Host, h3: HostId) -> tuple[SignedEntry, ...]:
    """What a coordinator that is cut off does meanwhile; returns what it wrote."""
    before = h1.roster.number
    for body in (e.HostDismissed(h3, "sold"), e.AddressChanged(h1.me, h1.config.address)):
        with pytest.raises(NotCommitted):
            await h1.daemon.scribe.append(body, by="root", call="test")
    return h1.daemon.belief.log.tail(before)


def evidence(host: Host) -> list[bytes]:
    return [one.line() for one in read_log(host.folder.log.with_name("trust.log.evidence"))]


def test_when_both_sides_moved_an_endorsed_takeover_wins_and_what_is_given_up_is_told_by_name(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            gone = h3.me
            await h2.stop()
            await h3.stop()
            written = await part(h1, gone)
            await h1.stop()
            await h2.start()
            await h3.start()
            await take_over(h2)
            await spread(h2)
            kept = await append(h2)
            await settle(h2, h3)
            await h1.start()
            await until(lambda: leads(h2, h1))
            await settle(h2, h1)
            assert h1.daemon.belief.log.hash_at(kept.entry.number) == kept.hash
            assert gone in h1.roster.members
            (moved,) = h1.lines("log-moved")
            assert (moved.level, moved.facts["left"]) == ("error", 2)
            assert (
                f"its own entries from {written[0].entry.number} on do not count"
                in (moved.facts["words"])
            )
            (lost,) = h1.lines("given-up")
            assert lost.facts["words"] == (
                f"h3 is a member again.  Eject it again: xe pool-eject host-uuid={gone}"
            )
            assert [one.line() for one in written] == evidence(h1)
            # Nothing of it is anywhere else.
            for host in (h2, h3):
                assert host.lines("given-up") == []
            # It is told once.
            await h1.restart()
            await until(lambda: h1.daemon.peers.current)
            assert h1.lines("given-up") == [lost]

    run(story())


def test_by_order_a_host_gives_up_its_own_entries_by_name_and_keeps_them_as_evidence(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            gone = h3.me
            await h2.stop()
            await h3.stop()
            written = await part(h1, gone)
            await h1.stop()
            await h2.start()
            await take_over(h2, alone=True)
            await h1.start()
            # Neither counts more than the other: nothing is merged, and nobody moves.
            await until(lambda: h1.lines("log-forked") and h2.lines("log-forked"))
            said = h1.lines("log-forked")[0].facts
            number = written[0].entry.number
            assert (said["reason"], said["number"]) == ("TRUST_LOG_FORKED", number)
            assert said["words"].startswith(
                f"h2 holds another entry {number} of the trust log than this host, and neither "
                "branch is a takeover that more than half of the members endorsed. Nothing is "
                "merged. Decide which one is right, and order the hosts of the other one to follow"
            )
            assert leads(h1) and leads(h2)
            assert (await refusal(append(h1))).code == "LOG_FORKED"
            done = await h1.daemon.following.follow(h2.config.address)
            assert (done.left, done.given_up.dismissed) == (2, ((gone, "h3"),))
            assert done.words == (
                f"This host follows h2; its trust log ends with entry {h2.roster.number}. 2 entries "
                "of its own do not count any more. Given up: h3 is a member again.  Eject it again: "
                f"xe pool-eject host-uuid={gone}."
            )
            assert evidence(h1)[-2:] == [one.line() for one in written]
            assert leads(h2, h1)
            await settle(h2, h1)
            await append(h2)
            await settle(h2, h1)
            await h1.restart()
            assert leads(h2, h1)

    run(story())


def test_an_order_to_stay_frees_this_host_of_its_vote(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            body = e.TakenOver(h2.me, h1.me)
            given = h2.daemon.taking._signed(h2.daemon.belief.log, body, "root", "test")
            await h3.daemon.belief.vote_for(lambda *_: given)
            await h1.daemon.accounts.set_password("olive", "five-crabs-dance-well")
            assert h3.daemon.belief.bound
            assert h3.daemon.store.revision != h1.daemon.store.revision
            await follow(h3, h1)
            assert h3.daemon.belief.candidate is None
            await append(h1)
            await settle(h1, h2, h3)

    run(story())


# Refusals.


async def _refused(h3: Host, address: str) -> Failure:
    """The failure of an order to follow whoever is there; nothing has changed."""
    before, log = files(h3), h3.roster.head
    why = await refusal(h3.daemon.following.follow(address))
    assert h3.roster.head == log
    assert files(h3) == before
    return why


def test_who_does_not_coordinate_this_pool_is_not_followed(
    pool: Pool, stock: Stock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    h1, h2, h3 = pool(3)
    h4 = stock.host(tmp_path_factory.mktemp("other"), "h4")

    async def story() -> None:
        async with running(h1, h2, h3, h4):
            await settle(h1, h2, h3)
            why = await _refused(h3, h2.config.address)
            assert isinstance(why, OperationNotAllowed)
            assert (
                "h2 does not coordinate its pool.  Its coordinator is at 127.0.7.1: "
                "xe pool-emergency-reset-master master-address=127.0.7.1"
            ) in str(why)
            why = await _refused(h3, h3.config.address)
            assert "This host itself answers there." in str(why)
            why = await _refused(h3, h4.config.address)
            assert isinstance(why, ForeignLog)
            assert "h4 offers the trust log of another pool" in str(why)
            why = await _refused(h3, "127.0.7.8")
            assert isinstance(why, CannotConnect)

    run(story())


async def usurper(h2: Host) -> Puppet:
    """A member that took over alone and does not run."""
    puppet = await Puppet.of(h2)
    coordinator = puppet.belief.roster.coordinator
    alone = signed(puppet, e.TakenOver(puppet.me, coordinator), alone=True)
    await puppet.belief.take_over(lambda _: (alone,))
    return puppet


def test_whoever_has_the_entries_but_not_the_coordinators_key_is_not_followed(pool: Pool) -> None:
    _, h2, h3 = pool(3)

    async def story() -> None:
        puppet = await usurper(h2)
        entries = puppet.belief.log.tail(0)
        stranger = h2.config.folder / "stranger.pem"
        stranger.write_bytes(mint_pool_identity(puppet.me, datetime.now(UTC)).pem())
        async with running(h3):
            async with Offering(puppet, entries).at(h2, stranger):
                why = await _refused(h3, h2.config.address)
                assert isinstance(why, CannotVerify)
                assert "it does not hold the key of the coordinator that it says it is" in str(why)
            async with Offering(puppet, entries).at(h2):
                done = await h3.daemon.following.follow(h2.config.address)
                assert done.coordinator == puppet.me

    run(story())


class Endless(Offering):
    """Has one more entry, always."""

    pause = 0.0

    async def _as_anybody(self, frames: Frames) -> None:
        while True:
            asked = await frames.receive(5)
            await asyncio.sleep(self.pause if asked["call"] == "story" else 0.0)
            good = self.entries[-1] if asked.get("after", 0) >= len(self.entries) else None
            answer = self._answer(asked)
            await frames.send({"entries": wire.entry_lines((good,))} if good else answer)


def test_whoever_answers_without_an_end_is_not_listened_to_for_ever(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, h2, h3 = pool(3)
    monkeypatch.setattr(following, "LONGEST_SECONDS", 0.5)

    async def story() -> None:
        puppet = await usurper(h2)
        endless = Endless(puppet, puppet.belief.log.tail(0))
        async with running(h3), endless.at(h2):
            endless.pause = 0.2
            why = await _refused(h3, h2.config.address)
            assert isinstance(why, CannotConnect)
            assert "no end within 0.5 s" in str(why)
            endless.pause = 0.0
            monkeypatch.setattr(following, "LONGEST_SECONDS", 20.0)
            monkeypatch.setattr(following, "MOST_BYTES", 20_000)
            why = await _refused(h3, h2.config.address)
            assert isinstance(why, wire.PeerMisspoke)
            assert "a trust log that does not end" in str(why)

    run(story())


def test_an_order_that_leads_to_its_own_dismissal_says_so(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            await settle(h1, h2, h3)
            monkeypatch.setattr(h3.daemon.leaving, "_begin", lambda: None)
            await dismiss(h1, h3.me)
            done = await h3.daemon.following.follow(h1.config.address)
            assert done.words == (
                "By the trust log of h1 this host is no member: it founds its own pool."
            )
            why = await refusal(h3.daemon.following.follow(h1.config.address))
            assert why.code == "HOST_WAS_EJECTED"

    run(story())


def test_an_order_makes_no_bad_entry_good(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        puppet, other = await usurper(h2), await Puppet.of(h1)
        log = puppet.belief.log
        bad = signed(other, e.AddressChanged(puppet.me, "x"), *log.tail(0))
        async with running(h3), Offering(puppet, [*log.tail(0), bad]).at(h2):
            why = await _refused(h3, h2.config.address)
            assert isinstance(why, ForgedLog)
            assert f"h2 offers entry {bad.entry.number}" in str(why)

    run(story())


def test_an_order_to_follow_a_host_believes_no_machine_that_was_put_in_its_place(
    pool: Pool,
) -> None:
    """h2 was broken into: it takes over alone and lets its own machine in as h1."""
    h1, h2, h3 = pool(3)

    async def story() -> None:
        true = (await Puppet.of(h1)).belief
        puppet = await usurper(h2)
        belief = puppet.belief
        machine = mint_pool_identity(true.me, datetime.now(UTC))
        await belief.append(lambda _: signed(puppet, e.HostDismissed(true.me, "")))
        await belief.append(lambda _: signed(puppet, admission(puppet, true.me, machine)))
        await belief.append(lambda _: signed(puppet, e.CoordinatorChanged(true.me)))
        number = belief.roster.number
        path = h1.config.folder / "machine.pem"
        path.write_bytes(machine.pem())
        puppet.belief.me = true.me  # it says that it is h1
        async with running(h3), Offering(puppet, belief.log.tail(0)).at(h1, path):
            why = await _refused(h3, h1.config.address)
            assert isinstance(why, OperationNotAllowed)
            assert f"Entry {number - 2} of that log exchanges h1 for another machine." in str(why)

    run(story())


def admission(puppet: Puppet, of: HostId, machine: Identity) -> e.HostAdmitted:
    """This coordinator lets a machine in, with a key of its own, under a host's UUID."""
    roster = puppet.belief.roster
    host = roster.members[puppet.me]
    der, server = machine.certificate.der, host.server.der
    nonces = bytes(32), bytes(32)
    agreed = transcript(roster.pool, host.newest.der, der, server, *nonces)
    return e.HostAdmitted(
        host=of,
        name="h1",
        address="127.0.7.1",
        certificate=der,
        server=server,
        kinds=host.kinds,
        met="code",
        coordinator_nonce=nonces[0],
        joiner_nonce=nonces[1],
        signature=machine.sign(statement("joiner", agreed)),
    )
