"""What members notice reaches the coordinator's alerts, and goes away with its cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemons import Host, Stock, alike, run, running, until
from leaving.stage import dismiss
from meeting.stage import BETWEEN, Wire
from meeting.test_doubt import ADMIT_IS_UP_TO
from peers.stage import Puppet
from peers.test_appending import append, fit
from pooltrust.errors import Failure
from pooltrust.host.peers import wire
from pooltrust.host.telling import noticing
from pooltrust.host.telling.noticing import MOST_KNOCKS, Word
from pooltrust.pool.alerts import Forked, Knocked, Noticed
from pooltrust.terms import HostId

Pool = Callable[..., tuple[Host, ...]]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOMEBODY = HostId("8e5bb5e2-6a4c-4b4e-9a53-6f1b40bd6e1f")


def alerts(host: Host) -> set[tuple[str, str]]:
    """The names of the stored alerts, and what each is about."""
    return {(row["name"], row["object"]) for row in host.daemon.store.rows("alert").values()}


def noticed(host: Host) -> Noticed:
    return host.daemon.noticing.noticed()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticing, "GRACE", timedelta(0))


def test_a_host_that_was_ejected_this_minute_may_go_on_as_it_did(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticing, "GRACE", timedelta(minutes=1))
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1):
            puppet, here = await Puppet.of(h2), h1.daemon.noticing
            await dismiss(h1, puppet.me)
            at = h1.daemon.belief.log.at(h1.roster.number).entry.at
            for later, knocks in ((timedelta(seconds=59), 0), (timedelta(seconds=61), 1)):
                here._now = lambda later=later: at + later  # type: ignore[misc]
                here.knocked(puppet.me, h2.config.address)
                assert len(noticed(h1).knocks) == knocks
            here._knocks.clear()
            here._now = lambda: at - timedelta(hours=1)  # one of the clocks is wrong
            here.knocked(puppet.me, h2.config.address)
            assert len(noticed(h1).knocks) == 1

    run(story())


def test_an_ejected_host_that_knocks_at_any_member_is_an_alert_until_it_is_a_member_again(
    pool: Pool,
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h3, later=[h2]):
            await until(lambda: alike(h1, h3))
            await h3.daemon.peers.look(h1.me)
            puppet = await Puppet.of(h2)
            await dismiss(h1, puppet.me)
            await until(lambda: alike(h1, h3))
            assert alerts(h1) == set()
            with pytest.raises(Failure):
                async with puppet.greeted(h3) as frames:
                    await frames.receive(5)
            await until(lambda: alerts(h1))
            assert alerts(h1) == {("EJECTED_HOST_KNOCKING", puppet.me)}
            (knock,) = noticed(h3).knocks
            assert (knock.host, knock.address) == (puppet.me, h2.config.address)
            assert noticed(h1).knocks == (knock,)
            assert h3.lines("ejected-host")
            # Its coordinator is told again when it has forgotten.
            await h1.restart()
            await h3.daemon.peers.look(h1.me)
            await h3.daemon.noticing.tell()
            assert noticed(h1).knocks == (knock,)
            # It comes, learns of it, and joins again.
            await h2.start()
            await until(lambda: h2.lines("own-pool-founded"))
            await until(lambda: not (h2.config.folder / "leaving").exists())
            await h2.join_with(await h1.code())
            await until(lambda: not noticed(h1).knocks and not alerts(h1))

    run(story())


def test_who_proves_to_have_been_a_member_knocks_from_wherever_it_is(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h3):
            puppet = await Puppet.of(h2)
            await dismiss(h1, puppet.me)
            await until(lambda: alike(h1, h3))
            elsewhere = h2.configured(listen="127.0.7.9")
            async with running(elsewhere):
                await until(lambda: noticed(h1).knocks or noticed(h3).knocks)
                (knock, *_) = (*noticed(h1).knocks, *noticed(h3).knocks)
                assert (knock.host, knock.address) == (puppet.me, "127.0.7.9")

    run(story())


def test_a_stranger_at_no_address_of_a_member_is_no_ejected_host(
    pool: Pool, tmp_path: Path
) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1):
            puppet = await Puppet.of(h2)
            await dismiss_alone(h1, puppet.me)
            for address, knocks in (("127.0.7.8", 0), (h3.config.address, 0)):
                puppet.host = puppet.host.configured(address=address)
                with pytest.raises(Failure):
                    async with puppet.greeted(h1) as frames:
                        await frames.receive(5)
                assert len(noticed(h1).knocks) == knocks

    run(story())


async def dismiss_alone(coordinator: Host, host: HostId) -> None:
    """Only this host is there, so it is not committed."""
    coordinator.daemon.scribe._fit = True
    with pytest.raises(Failure):
        await dismiss(coordinator, host)


def test_a_fork_is_an_alert_until_its_host_has_moved_over(pool: Pool, tmp_path: Path) -> None:
    h1, h2, h3 = pool(3)
    twin = h1.copied(tmp_path / "twin")

    async def story() -> None:
        async with running(h2, twin):
            await fit(twin)
            await append(twin, h1.config.address)
            await until(lambda: alike(twin, h2))
        h2.folder.heads.unlink()
        async with running(h1, h3, later=[h2]):
            await fit(h1)
            await append(h1, h1.config.address)
            await until(lambda: alike(h1, h3))
            await h2.start()
            await until(lambda: alerts(h1))
            (fork,) = noticed(h1).forks
            assert alerts(h1) == {("TRUST_LOG_FORKED", h2.me)}
            assert (fork.host, fork.number) == (h2.me, h1.roster.number)
            assert {(one.host, one.number) for one in noticed(h2).forks} >= {(h1.me, 4)}
            done = await h2.daemon.following.follow(h1.config.address)
            assert (done.left, done.new) == (1, 1)
            await until(lambda: not alerts(h1))
            await h2.daemon.peers.look(h3.me)
            assert noticed(h1) == noticed(h2) == Noticed()

    run(story())


def test_a_host_that_was_admitted_and_never_heard_of_is_a_ghost_until_it_says_something(
    stock: Stock, tmp_path: Path
) -> None:
    h1, h2 = stock.host(tmp_path, "h1"), stock.host(tmp_path, "h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            await lost_on_admission(h1, h2, code)
            assert set(noticed(h1).admitted) == {h2_id(h1)}
            (at,) = noticed(h1).admitted.values()
            assert at == h1.daemon.belief.log.at(2).entry.at
            await h1.restart()
            assert noticed(h1).admitted == {h2_id(h1): at}
            h1.daemon.alerting._now = lambda: at + timedelta(hours=1)
            await h1.daemon.alerting.look()
            assert ("HOST_NEVER_HEARD", h2_id(h1)) in alerts(h1)
            await h2.start()
            async with Wire(h1).open():
                await until(lambda: not noticed(h1).admitted)
            assert noticed(h2).admitted == {}
            await until(lambda: h1.daemon.witness._saving is None)
            await h2.stop()
            await h1.restart()
            assert noticed(h1).admitted == {}

    run(story())


async def lost_on_admission(h1: Host, h2: Host, code: Any) -> None:
    """h2 asks to be admitted and stops before it hears that it was."""
    async with Wire(h1, ("up", ADMIT_IS_UP_TO)).open():
        with pytest.raises(Exception, match="its answer was lost"):
            await h2.join_with(replace(code, addresses=(BETWEEN,)))
        await h2.stop()
    await until(lambda: len(h1.roster.members) == 2)


def h2_id(h1: Host) -> HostId:
    (other,) = set(h1.roster.members) - {h1.me}
    return other


def test_an_emergency_switch_is_known_to_the_coordinator(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1, h2):
            await until(lambda: alike(h1, h2))
            h2.daemon.belief.override = True
            await h2.daemon.noticing.tell()
            assert noticed(h1).overrides == {h2.me}
            h2.daemon.belief.override = False
            await h2.daemon.noticing.tell()
            assert noticed(h1) == Noticed()

    run(story())


def test_what_a_member_tells_crosses_the_wire_and_no_future_is_believed() -> None:
    word = Word(override=True, knocks=(Knocked(SOMEBODY, "127.0.0.9", NOW),))
    assert Word.read(word.content(), NOW) == word
    assert Word.read(word.content(), NOW - timedelta(days=1)).knocks[0].at == NOW - timedelta(
        days=1
    )


KNOCK = {"host": SOMEBODY, "address": "127.0.0.9", "at": NOW.isoformat()}


@pytest.mark.parametrize(
    "changed",
    [
        {"override": 1},
        {"knocks": None},
        {"knocks": [KNOCK] * (MOST_KNOCKS + 1)},
        {"knocks": [None]},
        {"knocks": [KNOCK | {"host": "h2"}]},
        {"knocks": [KNOCK | {"address": "1" * 65}]},
        {"knocks": [KNOCK | {"address": "127.0.0.9: call 555-0100"}]},
        {"knocks": [KNOCK | {"at": "yesterday"}]},
        {"knocks": [KNOCK | {"at": "2026-03-01T00:00:00"}]},
    ],
)
def test_a_word_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(wire.PeerMisspoke):
        Word.read({"override": False, "knocks": [KNOCK], **changed}, NOW)


def test_a_fork_seen_through_a_stranger_stays_until_its_host_was_heard(pool: Pool) -> None:
    h1, h2 = pool(2)

    async def story() -> None:
        async with running(h1):
            other = next(host for host in h1.roster.members if host != h1.me)
            h1.daemon.noticing.forked(other, 2)
            assert [(one.host, one.number) for one in noticed(h1).forks] == [(other, 2)]
            assert isinstance(noticed(h1).forks[0], Forked)
            async with running(h2):
                await until(lambda: not noticed(h1).forks)

    run(story())
