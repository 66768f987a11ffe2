"""A host that was away takes no bad tail, from nobody, and says of each why, in words of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from daemons import Host, alike, run, running, tree, until
from leaving.stage import dismiss
from peers.stage import Puppet
from pooltrust.errors import Unreachable
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.roster.endorsing import endorsement_statement

from .offers import Offering, signed
from .stage import Pool, append, settle


@dataclass
class Cast:
    """The keys of the coordinator and of a member that was broken into, and who was away."""

    h1: Puppet
    h2: Puppet
    h3: Host

    def changed(self, by: Puppet, *before: SignedEntry) -> SignedEntry:
        return signed(by, e.AddressChanged(self.h2.me, "127.0.7.9"), *before)


def altered(cast: Cast) -> list[SignedEntry]:
    good = cast.changed(cast.h1)
    return [SignedEntry(good.payload.replace(b"127.0.7.9", b"127.0.7.8"), good.signature)]


def by_no_coordinator(cast: Cast) -> list[SignedEntry]:
    return [cast.changed(cast.h2)]


def by_nobody(cast: Cast) -> list[SignedEntry]:
    key = mint_pool_identity(cast.h1.me, datetime.now(UTC))
    return [signed(cast.h1, e.AddressChanged(cast.h2.me, "127.0.7.9"), key=key)]


def another_pools(cast: Cast) -> list[SignedEntry]:
    return [signed(cast.h1, e.AddressChanged(cast.h2.me, "127.0.7.9"), pool="ab" * 32)]


def another_pools_beginning(cast: Cast) -> list[SignedEntry]:
    founded = cast.h1.belief.log.at(1).entry.body
    assert isinstance(founded, e.Founded)
    first = signed(cast.h1, founded, number=1, pool="", previous="")
    assert Log.verify([first]).pool != cast.h1.belief.log.pool
    other = signed(cast.h1, e.AddressChanged(cast.h1.me, "127.0.7.9"), first, pool=first.hash)
    return [first, other]


def endorsed(cast: Cast, *given: e.Endorsement) -> list[SignedEntry]:
    first = signed(cast.h2, e.TakenOver(cast.h2.me, cast.h1.me))
    second = e.TakeoverEndorsed(first.hash, tuple(sorted(given, key=lambda one: one.host)))
    return [first, signed(cast.h2, second, first)]


def endorsement(cast: Cast, name: Puppet, key: Puppet) -> e.Endorsement:
    first = signed(cast.h2, e.TakenOver(cast.h2.me, cast.h1.me))
    said = endorsement_statement(cast.h2.belief.log.pool, name.me, first.hash)
    return e.Endorsement(name.me, key.belief.identities.pool.identity.sign(said))


def a_takeover_that_nobody_endorsed(cast: Cast) -> list[SignedEntry]:
    return endorsed(cast)


def a_takeover_endorsed_in_anothers_name(cast: Cast) -> list[SignedEntry]:
    return endorsed(cast, endorsement(cast, cast.h1, cast.h2))


def a_takeover_endorsed_by_the_one_it_replaces(cast: Cast) -> list[SignedEntry]:
    first = signed(cast.h2, e.TakenOver(cast.h2.me, cast.h1.me))
    said = endorsement_statement(cast.h2.belief.log.pool, cast.h1.me, first.hash)
    given = e.Endorsement(cast.h1.me, cast.h1.belief.identities.pool.identity.sign(said))
    return [first, signed(cast.h2, e.TakeoverEndorsed(first.hash, (given,)), first)]


def a_takeover_made_alone(cast: Cast) -> list[SignedEntry]:
    return [signed(cast.h2, e.TakenOver(cast.h2.me, cast.h1.me), alone=True)]


def of_a_newer_release(cast: Cast) -> list[SignedEntry]:
    good = cast.changed(cast.h1)
    payload = good.payload.replace(b"address-changed", b"moon-phase-set")
    identity = cast.h1.belief.identities.pool.identity
    return [SignedEntry(payload, identity.sign(SignedEntry(payload, good.signature).message))]


FORGED = "log-forged", "TRUST_LOG_FORGED"
FOREIGN = "log-foreign", "TRUST_LOG_FOREIGN"
TAKEOVER = "takeover-forged", "TAKEOVER_FORGED"
CASES: dict[Callable[[Cast], list[SignedEntry]], tuple[tuple[str, str], str]] = {
    altered: (FORGED, 'breaks the rule "signature": its signature is not valid: it was altered'),
    by_no_coordinator: (FORGED, "which may not write it. Nothing of it was taken."),
    by_nobody: (FORGED, "nobody that the pool accepts"),
    another_pools: (FOREIGN, "h2 offers the trust log of another pool. See who answers there"),
    another_pools_beginning: (FOREIGN, "h2 offers the trust log of another pool"),
    a_takeover_that_nobody_endorsed: (TAKEOVER, "1 of 3 members are behind it"),
    a_takeover_endorsed_in_anothers_name: (TAKEOVER, "not every endorsement is that of a member"),
    a_takeover_endorsed_by_the_one_it_replaces: (TAKEOVER, "1 of 3 members are behind it"),
    a_takeover_made_alone: (
        ("takeover-needs-order", "TAKEOVER_NEEDS_ORDER"),
        "order it on this host: xe pool-emergency-reset-master",
    ),
    of_a_newer_release: (("log-too-new", "TRUST_LOG_TOO_NEW"), "moon-phase-set"),
}


@pytest.mark.parametrize("offered", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("way", ["verified", "not believed"])
def test_a_bad_tail_is_refused_with_words_of_its_own_and_changes_nothing(
    pool: Pool, offered: Callable[[Cast], list[SignedEntry]], way: str
) -> None:
    """From a member with its own key, and from whoever answers in the place of one."""
    h1, h2, h3 = pool(3)
    (event, code), words = CASES[offered]

    async def story() -> None:
        cast = Cast(await Puppet.of(h1), await Puppet.of(h2), h3)
        before, offering = tree(h3), Offering(cast.h2, offered(cast))
        stranger = h2.config.folder / "stranger.pem"
        stranger.write_bytes(mint_pool_identity(cast.h2.me, datetime.now(UTC)).pem())
        async with running(h3), offering.at(h2, stranger if way == "not believed" else None):
            await h3.daemon.peers.look(cast.h2.me)
            await until(lambda: h3.lines(event))
            line = h3.lines(event)[0]
            assert line.level in ("warning", "error")
            assert (line.facts["reason"], line.facts["peer"]) == (code, cast.h2.me)
            assert words in line.facts["words"]
            assert not h3.daemon.peers.current
            assert set(offering.heard) <= {"log", "knock", "story"}
            assert len([one for one in CASES.values() if h3.lines(one[0][0])]) == sum(
                one[0][0] == event for one in CASES.values()
            )
        await h3.stop()
        assert {name: data for name, data in tree(h3).items() if name != "starts"} == {
            name: data for name, data in before.items() if name != "starts"
        }

    run(story())


def test_of_a_tail_that_is_bad_in_the_middle_what_is_sound_is_taken(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        cast = Cast(await Puppet.of(h1), await Puppet.of(h2), h3)
        good = cast.changed(cast.h1)
        bad = cast.changed(cast.h2, good)
        async with running(h3), Offering(cast.h2, [good, bad]).at(h2):
            await h3.daemon.peers.look(cast.h2.me)
            await until(lambda: h3.roster.head == good.hash)
            await until(lambda: h3.lines("log-forged"))
            assert f"entry {bad.envelope.number}" in h3.lines("log-forged")[0].facts["words"]

    run(story())


def test_who_claims_more_than_it_hands_over_is_told_of_and_not_believed(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        cast = Cast(await Puppet.of(h1), await Puppet.of(h2), h3)
        good = cast.changed(cast.h1)
        claimed = cast.changed(cast.h1, good)
        async with running(h3), Offering(cast.h2, [good], claims=claimed).at(h2):
            await h3.daemon.peers.look(cast.h2.me)
            await until(lambda: h3.lines("log-cut-short"))
            (line, *_) = h3.lines("log-cut-short")
            assert line.facts["reason"] == "TRUST_LOG_CUT_SHORT"
            number = good.envelope.number
            assert (
                f"h2 does not hand over all that it must have: it signed that its log ends with "
                f"entry {number + 1}, and its entries that count lead to entry {number}"
            ) in line.facts["words"]
            assert not h3.daemon.peers.current

    run(story())


def test_an_ejected_host_on_the_path_that_stops_before_its_dismissal_keeps_nobody_from_it(
    pool: Pool,
) -> None:
    """It answers in the coordinator's place, with what is true of the log until then."""
    h1, h2, h3, h4 = pool(4)

    async def story() -> None:
        async with running(h1, h4):
            puppet = await Puppet.of(h2)
            said = await append(h1)
            await dismiss(h1, puppet.me)
            await until(lambda: alike(h1, h4))
            shown = h1.daemon.belief.log.tail(0)
        truncated = shown[:-1]
        assert truncated[-1] == said
        on_the_path = Offering(puppet, truncated)
        async with running(h3):
            async with on_the_path.at(h1), Offering(puppet, truncated).at(h2):
                await h3.daemon.peers.look_around()
                await until(lambda: h3.roster.head == said.hash)
                await until(lambda: h3.lines("story-cut-short"))
                (line, *_) = h3.lines("story-cut-short")
                assert line.facts["reason"] == "TRUST_LOG_CUT_SHORT"
                assert line.facts["words"].startswith(
                    "h1 does not hand over all that it must have: it showed a certificate that is "
                    "not accepted, or refused this host, and no entry that it gave explains that."
                )
                # Neither of the two makes it current, so nothing confidential is said to either.
                for host in h1, h2:
                    there = next(
                        m for m in h3.roster.members.values() if m.name == host.config.name
                    )
                    with pytest.raises(Exception) as why:
                        await h3.daemon.peers.call(there.host, "api")
                    assert isinstance(why.value, Unreachable) or "Expected" in str(why.value)
                assert set(on_the_path.heard) <= {"knock", "story"}
                assert puppet.me in h3.roster.members
            async with running(h1):
                await until(lambda: puppet.me not in h3.roster.members)
                await until(lambda: h3.daemon.peers.current)

    run(story())


def test_a_host_that_has_lost_its_key_learns_it_from_the_log_and_says_so(pool: Pool) -> None:
    """Its folder is restored from before its refresh: the key in it was withdrawn since."""
    h1, h2, h3 = pool(3)
    old = h3.folder.identity_files("pool")[0], h3.folder.identity_files("pool")[0].read_bytes()
    log = h3.folder.log.read_bytes()

    async def story() -> None:
        async with running(h1, h2, h3):
            me = h3.me
            await h1.daemon.refreshing.refresh(me, by="root", call="test")
            await settle(h1, h2, h3)
            await h3.stop()
            for path in h3.folder.identity_files("pool"):
                path.unlink()
            old[0].write_bytes(old[1])
            old[0].chmod(0o400)
            h3.folder.log.write_bytes(log)
            await h3.start()
            await until(lambda: h3.lines("own-certificate-withdrawn"))
            (line,) = h3.lines("own-certificate-withdrawn")
            number = h1.roster.number
            assert line.level == "error"
            assert line.facts["reason"] == "OWN_CERTIFICATE_WITHDRAWN"
            assert line.facts["words"] == (
                "h3 is a member of its pool, but has no key for a certificate that is accepted from "
                f"it; the last one was withdrawn at entry {number} of the trust log. See why: "
                "pooltrust log show.  If its key is lost, have the host admitted again: "
                "xe pool-eject on the coordinator, then xe pool-join here"
            )
            # It was given what explains it, and nothing later.
            await append(h1)
            assert h3.roster.number == number
            assert not h3.daemon.peers.current
            # It says so after a start, too.
            await h3.restart()
            await until(lambda: len(h3.lines("own-certificate-withdrawn")) == 2)

    run(story())
