"""Joining as an administrator does it, and what both sides hold afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemons import PASSWORD, Host, Stock, alike, run, running, tree, until
from pooltrust.api.sessions import Origin, Principal
from pooltrust.command.client import Reported
from pooltrust.host.accounts.local import Accounts
from pooltrust.host.records.guarded import Guarded
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import HostAdmitted, HostDismissed

New = Callable[..., Host]


def test_a_host_joins_by_code(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            await h2.join_with(code)
            await until(lambda: alike(h1, h2))
            assert h1.me == h2.roster.coordinator
            assert {h1.me, h2.me} == set(h2.roster.members)
            entry = h2.daemon.belief.log.at(2).entry
            assert isinstance(entry.body, HostAdmitted)
            assert ("code", f"join code {code.id}") == (entry.body.met, entry.by)
            # Nobody was trusted on first use.
            assert h2.lines("first-meeting") == []

    run(story())


def test_a_host_joins_by_password_and_tells_whom_it_met(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            await h2.join(h1)
            await until(lambda: alike(h1, h2))
            entry = h1.daemon.belief.log.at(2).entry
            assert isinstance(entry.body, HostAdmitted)
            assert (entry.body.met, entry.by, entry.call) == ("password", "root", "pool.join")
            (met,) = h2.lines("first-meeting")
            served = h1.daemon.belief.identities.pool.identity.certificate
            assert str(served.thumbprint) == met.facts["met"]
            # A join that went well alarms nobody.
            warnings = [line for h in (h1, h2) for line in h.told.lines if line.level != "info"]
            assert warnings == []

    run(story())


def test_what_was_its_own_is_gone_from_a_host_that_was_admitted(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            old = h2.daemon.belief.identities
            accounts = Accounts(Guarded(h2.daemon.store), iterations=1000)
            await accounts.set_password("olive", PASSWORD)
            accounts.close()
            sessions = h2.daemon.context.sessions
            olive, now, tick = Principal("olive", Origin("")), datetime.now(UTC), time.monotonic()
            kept = sessions.open(olive, "x", h2.me, now, tick)
            await h2.join_with(await h1.code())
            await until(lambda: alike(h1, h2))
            assert await h1.daemon.store.dump() == await h2.daemon.store.dump()
            assert h2.daemon.accounts.names() == ["root"]
            assert h2.daemon.context.sessions.use(kept.ref, now, tick) is None
            assert [h2.daemon.belief.identities.pool.path] == h2.folder.identity_files("pool")
            assert not old.pool.path.exists()
            # What its clients know stays.
            assert old.server == h2.daemon.belief.identities.server
            assert not (h2.config.folder / "joining").exists()
            await h2.restart()
            assert h2.daemon.accounts.names() == ["root"]
            assert h2.roster.coordinator == h1.me

    run(story())


def test_two_hosts_that_join_at_the_same_time_both_get_in(new: New) -> None:
    h1, h2, h3 = new("h1"), new("h2"), new("h3")

    async def story() -> None:
        async with running(h1, h2, h3):
            code = await h1.code()
            await asyncio.gather(h2.join_with(code), h3.join(h1))
            await until(lambda: alike(h1, h2) and alike(h1, h3))
            assert {h1.me, h2.me, h3.me} == set(h1.roster.members)

    run(story())


def test_one_code_admits_one_of_two_hosts_that_use_it_at_the_same_time(new: New) -> None:
    h1, h2, h3 = new("h1"), new("h2"), new("h3")

    async def story() -> None:
        async with running(h1, h2, h3):
            code = await h1.code()
            ends = await asyncio.gather(
                h2.join_with(code), h3.join_with(code), return_exceptions=True
            )
            (refused,) = [end for end in ends if end is not None]
            assert isinstance(refused, Reported)
            assert refused.code == "JOIN_CODE_USED"
            assert len(h1.roster.members) == 2

    run(story())


def test_a_pool_whose_verification_is_off_takes_hosts_whose_is_off_and_records_all(
    new: New,
) -> None:
    off = {"verification_at_founding": False}
    h1, h2 = new("h1", **off), new("h2", **off)

    async def story() -> None:
        async with running(h1, h2):
            await h2.join(h1)
            await until(lambda: alike(h1, h2))
            assert not h2.roster.verification
            for host in (h1, h2):
                served = host.daemon.belief.identities
                recorded = h1.roster.members[host.me]
                assert served.pool.identity.certificate == recorded.newest
                assert served.server.identity.certificate == recorded.server

    run(story())


def test_a_supporter_sends_joiners_to_its_coordinator(
    stock: Stock, new: New, tmp_path: Path
) -> None:
    h1, h2 = stock.pool(tmp_path, "h1", "h2")
    h3 = new("h3")

    async def story() -> None:
        async with running(h1, h2, h3):
            before = tree(h3)
            with pytest.raises(Reported) as sent_on:
                await h3.join(h2)
            assert sent_on.value.code == "HOST_IS_SLAVE"
            assert [h1.config.address] == sent_on.value.parameters()
            assert before == tree(h3)

    run(story())


def test_a_supporter_joins_no_other_pool(stock: Stock, new: New, tmp_path: Path) -> None:
    h1, h2 = stock.pool(tmp_path, "h1", "h2")
    h3 = new("h3")

    async def story() -> None:
        async with running(h1, h2, h3):
            with pytest.raises(Reported) as refused:
                await h2.join_with(await h3.code())
            assert refused.value.code == "OPERATION_NOT_ALLOWED"
            assert "already part of a pool" in str(refused.value)

    run(story())


def test_a_host_that_was_dismissed_joins_again_under_its_uuid_and_gets_the_records(
    stock: Stock, new: New, tmp_path: Path
) -> None:
    h1, h2 = stock.pool(tmp_path, "h1", "h2")
    h2_again = stock.host(tmp_path / "again", "h2")

    async def story() -> None:
        async with running(h1, h2, later=[h2_again]):
            await h1.daemon.accounts.set_password("olive", PASSWORD)
            await until(lambda: alike(h1, h2))
            member = h2.me
            await h2.stop()
            gone = HostDismissed(member, "its disk broke")
            await h1.daemon.scribe.append(gone, by="root", call="pool.eject")
            await h2_again.start()
            assert h2_again.me == gone.host
            await h2_again.join_with(await h1.code())
            await until(lambda: alike(h1, h2_again))
            assert h2_again.daemon.accounts.names() == ["olive", "root"]

    run(story())


def test_every_obstacle_is_told_at_once_and_neither_side_has_changed(
    stock: Stock, new: New, tmp_path: Path
) -> None:
    h1 = new("h1")
    other = {"port": stock.other_port, "verification_at_founding": False}
    h4, h5 = stock.pool(tmp_path, "h4", "h5", **other)

    async def story() -> None:
        async with running(h1, h4, h5):
            code = await h1.code()
            before = [tree(host) for host in (h1, h4, h5)]
            for join in (h4.join_with(code), h4.join(h1, f"{h1.config.address}:{stock.port}")):
                with pytest.raises(Reported) as refused:
                    await join
                assert refused.value.code == "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"
                for words in (
                    "Eject its other hosts first: xe pool-eject",
                    "it is off at the joining host h4. Enable it on h4: xe pool-enable-tls-ver",
                    f"The pool uses port {stock.port} and h4 uses port {stock.other_port}. "
                    f'Set "port = {stock.port}" under [host]',
                ):
                    assert words in str(refused.value)
            assert before == [tree(host) for host in (h1, h4, h5)]
            # The code was not touched by it: it still admits a host.
            assert h1.daemon.codes.good(code.id, datetime.now(UTC), h1.me, _serving(h1)) == code

    run(story())


def test_a_pool_whose_verification_is_off_is_named_as_the_side_that_is_off(new: New) -> None:
    h1, h2 = new("h1", verification_at_founding=False), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            before = tree(h1), tree(h2)
            for join in (h2.join_with(await h1.code()), h2.join(h1)):
                with pytest.raises(Reported) as refused:
                    await join
                assert refused.value.code == "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"
                assert (
                    "it is off at the pool of h1. Enable it on the pool's coordinator h1: "
                    "xe pool-enable-tls-verification"
                ) in str(refused.value)
            assert before == (tree(h1), tree(h2))

    run(story())


def test_a_host_does_not_join_itself(new: New) -> None:
    h1 = new("h1")

    async def story() -> None:
        async with running(h1):
            before = tree(h1)
            for join in (h1.join_with(await h1.code()), h1.join(h1)):
                with pytest.raises(Reported) as refused:
                    await join
                assert "Host cannot become slave of itself." in str(refused.value)
            assert before == tree(h1)

    run(story())


def test_a_joiner_that_nobody_answers_is_as_it_was(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            before = tree(h2)
            await h1.stop()
            for join in (h2.join_with(code), h2.join(h1)):
                with pytest.raises(Reported) as failed:
                    await join
                assert failed.value.code == "JOINING_HOST_CONNECTION_FAILED"
                assert "nothing listens there" in str(failed.value)
            assert before == tree(h2)

    run(story())


def test_a_code_with_several_addresses_is_good_if_one_of_them_answers(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            code = await h1.code()
            several = ("127.0.7.5", *code.addresses, "127.0.7.4")
            await h2.join_with(replace(code, addresses=several))
            await until(lambda: alike(h1, h2))

    run(story())


def _serving(host: Host) -> frozenset[Thumbprint]:
    return host.roster.expect(host.me).accepted
