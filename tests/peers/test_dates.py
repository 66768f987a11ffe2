"""A pool identity that has expired is an alert, and a lock only where the administrator says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemons import Host, Stock, alike, run, running, tree, until
from pooltrust.command.client import Reported
from pooltrust.errors import CannotVerify
from pooltrust.host.operations.upkeep import Upkeep

from .stage import Puppet

LONG_AGO = datetime.now(UTC) - timedelta(days=500)
REFUSE = {"expired_pool_identity": "refuse"}

Aged = Callable[..., tuple[Host, Host]]


@pytest.fixture(autouse=True)
def stays_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host refreshes by itself what is overdue: these stories are about what was not."""

    async def nothing(_: Upkeep) -> bool:
        return False

    monkeypatch.setattr(Upkeep, "_refresh_due", nothing)


@pytest.fixture
def aged(stock: Stock, tmp_path: Path) -> tuple[Host, Host]:
    """h1, whose pool identity expired long ago, and h2, which may join it."""
    return stock.host(tmp_path, "h1", now=LONG_AGO), stock.host(tmp_path, "h2")


def test_an_expired_member_goes_on_and_everybody_s_journal_says_so(
    aged: tuple[Host, Host],
) -> None:
    h1, h2 = aged

    async def story() -> None:
        async with running(h1, h2):
            await h2.join(h1)
            await until(lambda: alike(h1, h2))
            assert all(seen.verified for seen in await h2.daemon.prober.probe_all())
            assert all(seen.verified for seen in await h1.daemon.prober.probe_all())
            peer = f"{h1.me}/{h1.roster.members[h1.me].newest.thumbprint.short}"
            for host in (h1, h2):
                (line,) = [
                    one for one in host.lines("certificate-dates") if peer == one.facts["peer"]
                ]
                assert (line.level, line.facts["reason"]) == ("warning", "expired")
                assert line.facts["days_left"] < -100
                assert "its certificate expired on" in line.facts["words"]

    run(story())


def test_where_it_is_refused_an_expired_coordinator_is_joined_by_nobody(
    aged: tuple[Host, Host],
) -> None:
    h1, h2 = aged
    h2 = h2.configured(**REFUSE)

    async def story() -> None:
        async with running(h1, h2):
            before = tree(h1), tree(h2)
            for join in (h2.join_with(await h1.code()), h2.join(h1)):
                with pytest.raises(Reported) as why:
                    await join
                assert why.value.code == "SSL_VERIFY_ERROR"
                assert "its certificate expired on" in str(why.value)
            assert before == (tree(h1), tree(h2))

    run(story())


def test_where_it_is_refused_an_expired_member_is_neither_dialled_nor_answered(
    aged: tuple[Host, Host],
) -> None:
    h1, h2 = aged
    strict = h2.configured(**REFUSE)

    async def story() -> None:
        async with running(h1, h2):
            await h2.join(h1)
            await until(lambda: alike(h1, h2))
        async with running(h1, strict):
            with pytest.raises(CannotVerify) as dialled:
                await strict.daemon.peers.call(h1.me, "log", after=0)
            assert "its certificate expired on" in str(dialled.value)
            assert "h1" in str(dialled.value)
            with pytest.raises(CannotVerify) as answered:
                await h1.daemon.peers.call(strict.me, "log", after=0)
            assert "it refused our certificate as expired" in str(answered.value)
            await until(lambda: strict.lines("connection-refused"))
            assert strict.lines("connection-refused")[0].facts["reason"] == "expired"

    run(story())


def test_the_one_who_expired_may_still_be_greeted_by_those_that_only_alert(
    aged: tuple[Host, Host],
) -> None:
    h1, h2 = aged

    async def story() -> None:
        async with running(h1, h2):
            await h2.join(h1)
            await until(lambda: alike(h1, h2))
            await h1.stop()
            puppet = await Puppet.of(h1)
            async with puppet.greeted(h2) as frames:
                await frames.send({"call": "log", "after": 0})
                assert "entries" in await frames.receive(5)

    run(story())
