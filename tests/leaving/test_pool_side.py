"""The pool lets go of a host that it ejected: connections, attempts, and members that were away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemons import Host, alike, run, running, until
from peers.stage import Puppet, ask
from pooltrust.errors import CannotVerify, Failure, Unreachable
from pooltrust.host.peers import server
from pooltrust.host.peers.server import Request

from .stage import Pool, dismiss


def hanging(host: Host) -> asyncio.Event:
    """Have this host take as long as it is told for the request "hang"; set when it is asked."""
    asked = asyncio.Event()

    async def handle(*_: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    table = host.daemon.server._requests
    host.daemon.server._requests = {**table, "hang": Request(handle, always=True)}
    return asked


def test_its_open_connections_end_on_every_member(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h3):
            await until(lambda: alike(h1, h3))
            puppet = await Puppet.of(h2)
            async with puppet.greeted(h1) as one, puppet.greeted(h3) as other:
                assert "entries" in await ask(one, "log", after=0)
                assert "entries" in await ask(other, "log", after=0)
                await dismiss(h1, puppet.me)
                for frames in (one, other):
                    with pytest.raises(Unreachable):
                        await frames.receive(5)
                for host in (h1, h3):
                    assert puppet.me not in {one.peer for one in host.daemon.server._open}

    run(story())


def test_a_connection_that_is_busy_ends_when_the_request_has_had_its_last_seconds(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LAST_SECONDS", 0.2)
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h3):
            asked = hanging(h1)
            puppet = await Puppet.of(h2)
            async with puppet.greeted(h1) as frames:
                await frames.send({"call": "hang"})
                await asked.wait()
                await dismiss(h1, puppet.me)
                with pytest.raises(Unreachable):
                    await frames.receive(5)

    run(story())


def test_a_link_that_was_dialled_to_it_is_cut(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h2, h3):
            asked = hanging(h2)
            calling = asyncio.ensure_future(h3.daemon.peers.call(h2.me, "hang"))
            await asked.wait()
            await dismiss(h1, h2.me)
            with pytest.raises(Unreachable):
                await asyncio.wait_for(calling, 5)
            assert h3.daemon.peers._open_links == set()

    run(story())


def test_its_next_attempt_is_refused_everywhere_and_nobody_dials_it(pool: Pool) -> None:
    h1, h2, h3 = pool(3)

    async def story() -> None:
        async with running(h1, h3):
            puppet = await Puppet.of(h2)
            await dismiss(h1, puppet.me)
            await until(lambda: alike(h1, h3))
            for host in (h1, h3):
                with pytest.raises(Failure) as refused:
                    async with puppet.greeted(host) as frames:
                        await frames.receive(5)
                assert isinstance(refused.value, CannotVerify | Unreachable)
                await until(lambda host=host: host.lines("connection-refused"))
                with pytest.raises(Unreachable, match="no member"):
                    await host.daemon.peers.call(puppet.me, "log", after=0)

    run(story())


def test_a_member_that_was_away_learns_of_it_before_it_talks(pool: Pool) -> None:
    """Until it is current it answers the ejected host with heads and log, and nothing else."""
    h1, h2, h3, h4 = pool(4)

    async def story() -> None:
        async with running(h1, h4, later=[h3]):
            puppet = await Puppet.of(h2)
            await dismiss(h1, puppet.me)
            await until(lambda: alike(h1, h4))
            await h1.stop()
            await h4.stop()
            await h3.start()
            async with puppet.greeted(h3) as frames:
                said = await ask(frames, "api", name="pool.get_all", arguments=[], principal={})
                assert said["refused"]["code"] == "CANNOT_CONTACT_HOST"
                assert "does not know whether it has missed" in said["refused"]["words"]
                await h1.start()
                await until(lambda: puppet.me not in h3.roster.members)
                with pytest.raises(Unreachable):
                    await frames.receive(5)

    run(story())
