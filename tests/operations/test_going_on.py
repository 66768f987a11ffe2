"""What was begun goes on: without whoever ordered it, under another coordinator, without its record."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

import pytest

from daemons import Host, run, running, until
from pooltrust.command.client import Client, NoDaemon, Reported
from pooltrust.host.operations.driver import Run
from pooltrust.pool.plan.steps import Append, Promote
from pooltrust.terms import HostId

from .moments import lost_before, once_before
from .peace import keys, peace
from .stage import Pool, operations, ref, refresh, served


async def half_done(h1: Host, h2: Host) -> str:
    """Refresh h2, which goes away before it serves its new identity; the operation's id."""
    with pytest.raises(Reported) as why:
        await h1.ask("host.refresh_server_certificate", await ref(h1, h2))
    assert why.value.code == "OPERATION_SUSPENDED"
    return str(why.value.parameters()[0])


def test_members_that_are_heard_all_the_time_make_nobody_try_without_rest(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = pool(2)
    runs: list[Run] = []
    to_its_end = Run.to_its_end

    async def counted(one: Run) -> Any:
        runs.append(one)
        return await to_its_end(one)

    monkeypatch.setattr(Run, "to_its_end", counted)
    once_before(monkeypatch, Promote, h2.stop)

    async def story() -> None:
        async with running(h1, h2):
            await half_done(h1, h2)
            runs.clear()
            for _ in range(300):
                h1.daemon.upkeep.heard()
                await asyncio.sleep(0.01)
            assert 0 < len(runs) < 6
            await h2.start()
            await peace(h1, h2)

    run(story(), 60)


def test_whoever_hangs_up_stops_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = h1, h2, _ = pool(3)
    clients: list[Client] = []

    async def hang_up() -> None:
        (client,) = clients
        client._http.sock.close()

    once_before(monkeypatch, Append, hang_up)

    def order(named: str) -> None:
        with suppress(NoDaemon, OSError), Client(h1.config.socket) as client:
            clients.append(client)
            client.call("host.refresh_server_certificate", named)

    async def story() -> None:
        async with running(*hosts):
            old = served(h2)
            await asyncio.to_thread(order, await ref(h1, h2))
            await peace(*hosts)
            await until(lambda: served(h2) != old)
            assert [one["state"] for one in await operations(h1)] == ["done"]

    run(story(), 60)


def test_an_ejection_overtakes_the_suspended_refresh_of_a_lost_host(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)
    once_before(monkeypatch, Promote, h3.stop)

    async def story() -> None:
        async with running(h1, h2, h3):
            named, lost = await ref(h1, h3), h3.me
            await half_done(h1, h3)
            await h1.ask("pool.eject", named)
            await peace(h1, h2)
            assert lost not in h1.roster.members
            ends = {one["kind"]: (one["state"], one["words"]) for one in await operations(h2)}
            assert ends["eject"][0] == ends["cert_refresh"][0] == "done"
            words = "The refresh of h3 is over: the host is no member any more."
            assert ends["cert_refresh"][1] == words
            await h3.start()
            await until(lambda: h3.lines("own-pool-founded"), 60)
            await peace(h3)

    run(story(), 120)


CODES = {
    "cert_refresh": "OTHER_OPERATION_IN_PROGRESS",
    "tls_verification_enable": "TLS_VERIFICATION_ENABLE_IN_PROGRESS",
    "designate_new_master": "DESIGNATE_NEW_MASTER_IN_PROGRESS",
}


@pytest.mark.parametrize("kind", CODES)
def test_a_second_operation_is_told_of_the_first(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    hosts = h1, h2, _ = pool(3, verification_at_founding=False)

    async def second() -> None:
        (first,) = await operations(h1)
        for call, arguments in (
            ("host.refresh_server_certificate", (await ref(h1, h2),)),
            ("pool.eject", (await ref(h1, h2),)),
            ("pool.enable_tls_verification", ()),
            ("pooltrust.refresh_pool", ()),
        ):
            with pytest.raises(Reported) as why:
                await h1.ask(call, *arguments)
            assert why.value.code == CODES[kind]
            if why.value.code == "OTHER_OPERATION_IN_PROGRESS":
                assert why.value.parameters()[2:] == [kind, first["id"]]
            assert first["id"] in str(why.value) or kind != "cert_refresh"

    once_before(monkeypatch, Append, second)

    async def story() -> None:
        async with running(*hosts):
            match kind:
                case "cert_refresh":
                    await refresh(h1, h2)
                case "tls_verification_enable":
                    await h1.ask("pool.enable_tls_verification")
                case _:
                    await h1.ask("pool.designate_new_master", await ref(h1, h2))
            await peace(*hosts)

    run(story(), 60)


def test_a_new_coordinator_goes_on_with_what_the_lost_one_had_begun(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2, h3 = pool(3)
    lost = lost_before(monkeypatch, Promote, h1)

    async def story() -> None:
        async with running(h1, h2, h3):
            old = served(h2)
            with suppress(Reported, NoDaemon, OSError):
                await refresh(h1, h2)
            await lost.gone()
            (begun,) = h3.daemon.desk.all()
            await h3.ask("pool.emergency_transition_to_master")
            await peace(h2, h3)
            assert served(h2) != old
            ends = {one["id"]: one["state"] for one in await operations(h3)}
            assert ends[begun.id] == "done"
            await h1.start()
            await peace(h1, h2, h3)

    run(story(), 120)


@pytest.mark.parametrize("key", ["kept", "lost"])
def test_a_refresh_whose_record_was_lost_is_finished_or_without_its_key_undone(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    hosts = h1, h2, _ = pool(3)
    once_before(monkeypatch, Promote, h2.stop)

    async def story() -> None:
        async with running(*hosts):
            old, subject = served(h2), h2.me
            begun = await half_done(h1, h2)
            new = next(iter(h1.roster.expect(subject).accepted - {old}))
            await h1.stop()
            with sqlite3.connect(h1.folder.database) as records:
                records.execute("DELETE FROM record WHERE sort = 'operation'")
            if key == "lost":
                h2.folder.identity("pool", new).unlink()
            await h1.start()
            await h2.start()
            await peace(*hosts)
            assert served(h2) == (new if key == "kept" else old)
            (mended,) = await operations(h1)
            assert mended["id"] != begun
            assert (mended["by"], mended["kind"]) == ("automatic", "cert_refresh")
            assert mended["state"] == ("done" if key == "kept" else "abandoned")

    run(story(), 120)


@pytest.mark.parametrize("by", ["restart", "takeover"])
def test_a_round_of_the_pool_goes_on_after_a_restart_and_under_a_new_coordinator(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    hosts = h1, h2, _ = pool(3)
    lost = lost_before(monkeypatch, Promote, h1)

    async def story() -> None:
        async with running(*hosts):
            old: dict[HostId, Any] = {host.me: served(host) for host in hosts}
            with suppress(Reported, NoDaemon, OSError):
                await h1.ask("pooltrust.refresh_pool")
            await lost.gone()
            if by == "takeover":
                await h2.ask("pool.emergency_transition_to_master")
            await h1.start()
            await until(lambda: all(served(host) != old[host.me] for host in hosts), 90)
            leads = h1 if by == "restart" else h2
            await until(lambda: leads.daemon.shelf.round is None, 60)
            await peace(*hosts)
            assert all(keys(host) == {served(host)} for host in hosts)

    run(story(), 200)
