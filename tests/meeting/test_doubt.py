"""Once admission was asked for only the pool knows: the joiner keeps what it has, and asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemons import Host, Stock, alike, run, running, tree, until
from pooltrust.command.client import Reported
from pooltrust.errors import CannotStore
from pooltrust.host.meeting import joining, staging
from pooltrust.host.serving.web import Web
from pooltrust.trust.entries import HostDismissed

from .stage import BETWEEN, Middle, Wire

New = Callable[..., Host]

ADMIT_IS_UP_TO = 9
"""TLS records from the joiner of a code, the request for admission being the last."""


def in_doubt(host: Host) -> bool:
    return (host.config.folder / "joining").exists()


async def doubt(h1: Host, h2: Host, wire: Wire) -> None:
    """Have h2 ask for admission and never hear the answer."""
    code = replace(await h1.code(), addresses=(BETWEEN,))
    with pytest.raises(Reported) as why:
        await h2.join_with(code)
    assert why.value.code == "JOIN_IN_DOUBT"
    assert "Nothing needs to be done" in str(why.value)
    await until(lambda: h2_is_in(h1))
    assert wire.barred and in_doubt(h2)


async def close_soon(web: Web) -> None:
    """Give running requests less time than a daemon does."""
    await web._server.shutdown(0.1)


def h2_is_in(h1: Host) -> bool:
    return len(h1.roster.members) == 2


def test_a_doubt_outlasts_cut_lines_and_impostors_for_as_long_as_they_last(
    new: New, tmp_path: Path
) -> None:
    """Only the coordinator itself can say that it has not admitted this host."""
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        async with running(h1, h2):
            wire = Wire(h1, ("up", ADMIT_IS_UP_TO))
            long = 2 * joining.SURE_SECONDS
            async with wire.open():
                await doubt(h1, h2, wire)
                await asyncio.sleep(long)
            async with Middle(tmp_path, h1).open() as middle:
                await asyncio.sleep(long)
                assert middle.heard == []
            # The handshake gets through, the answer does not.
            async with Wire(h1, ("up", 2), again=True).open():
                await asyncio.sleep(long)
            assert in_doubt(h2)
            assert h2.roster.coordinator == h2.me
            async with Wire(h1).open():
                await until(lambda: alike(h1, h2))
            await until(lambda: not in_doubt(h2))

    run(story())


def test_a_host_in_doubt_begins_no_other_join(new: New) -> None:
    h1, h2, h3 = new("h1"), new("h2"), new("h3")

    async def story() -> None:
        wire = Wire(h1, ("up", ADMIT_IS_UP_TO))
        async with running(h1, h2, h3), wire.open():
            await doubt(h1, h2, wire)
            with pytest.raises(Reported) as why:
                await h2.join(h3)
            assert why.value.code == "JOIN_IN_DOUBT"
            assert in_doubt(h2)

    run(story())


def test_a_host_that_was_dismissed_while_it_was_in_doubt_is_free_again(new: New) -> None:
    h1, h2 = new("h1"), new("h2")

    async def story() -> None:
        wire = Wire(h1, ("up", ADMIT_IS_UP_TO))
        async with running(h1, h2), wire.open():
            before = tree(h2)
            await doubt(h1, h2, wire)
            body = HostDismissed(h2.me, "a ghost")
            await h1.daemon.scribe.append(body, by="root", call="pool.eject")
            wire.barred = False
            await until(lambda: not in_doubt(h2))
            (line,) = h2.lines("join-not-admitted")
            assert "it refused our certificate" in line.facts["words"]
            assert before == tree(h2)
            await h2.join(h1)

    run(story())


def test_stopping_a_host_that_waits_for_its_admission_loses_nothing(
    new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    h1, h2 = new("h1"), new("h2")

    monkeypatch.setattr(Web, "close", close_soon)

    async def story() -> None:
        async with running(h1, h2):
            append, asked, go = h1.daemon.scribe.append, asyncio.Event(), asyncio.Event()

            async def slowly(*arguments: Any, **named: Any) -> Any:
                asked.set()
                await go.wait()
                return await append(*arguments, **named)

            monkeypatch.setattr(h1.daemon.scribe, "append", slowly)
            joining = asyncio.ensure_future(h2.join_with(await h1.code()))
            await asked.wait()
            await h2.stop()
            await asyncio.gather(joining, return_exceptions=True)
            go.set()
            await until(lambda: h2_is_in(h1))
            await h2.start()
            await until(lambda: alike(h1, h2))

    run(story())


def test_a_host_that_stopped_right_after_its_admission_is_a_member_when_it_starts(
    new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if nobody answers then; and nothing of its old life is left."""
    h1, h2 = new("h1"), new("h2")
    monkeypatch.setattr(Web, "close", close_soon)

    async def story() -> None:
        async with running(h1, h2):
            admitted, never = asyncio.Event(), asyncio.Event()

            async def become(_: joining.Joining, _staged: Any) -> None:
                admitted.set()
                await never.wait()

            with monkeypatch.context() as patch:
                patch.setattr(joining.Joining, "_become", become)
                join = asyncio.ensure_future(h2.join_with(await h1.code()))
                await admitted.wait()
                await h2.stop()
                await asyncio.gather(join, return_exceptions=True)
            await h1.stop()
            await h2.start()
            assert len(h2.roster.members) == 2
            assert h2.roster.coordinator != h2.me
            assert h2.daemon.accounts.names() == []
            assert not in_doubt(h2)
            assert len(h2.folder.identity_files("pool")) == 1
            await h1.start()
            await h2.daemon.peers.look(h1.me)
            await until(lambda: alike(h1, h2))

    run(story())


def test_an_admission_that_is_not_committed_is_in_doubt_until_the_pool_lets_the_host_in(
    stock: Stock, new: New, tmp_path: Path
) -> None:
    h1, h2, h3 = stock.pool(tmp_path, "h1", "h2", "h3")
    h4 = new("h4")

    async def story() -> None:
        async with running(h1, h2, h3, h4):
            await h1.daemon.peers.look_around()
            await h1.daemon.scribe.become_fit()
            await h2.stop()
            await h3.stop()
            with pytest.raises(Reported) as why:
                await h4.join_with(await h1.code())
            assert why.value.code == "JOIN_IN_DOUBT"
            await until(lambda: h4.roster.coordinator == h1.me)
            await h2.start()
            await until(lambda: alike(h1, h2) and alike(h1, h4))

    run(story())


def test_a_coordinator_that_may_have_missed_something_admits_nobody_and_takes_no_code(
    stock: Stock, new: New, tmp_path: Path
) -> None:
    h1, h2, _ = stock.pool(tmp_path, "h1", "h2", "h3")
    h4 = new("h4")

    async def story() -> None:
        async with running(h1, h4, later=[h2]):
            code = await h1.code()
            before = tree(h1), tree(h4)
            with pytest.raises(Reported) as why:
                await h4.join_with(code)
            assert why.value.code == "LOG_BEHIND"
            assert "h2, h3 did not answer" in str(why.value)
            assert before == (tree(h1), tree(h4))
            await h2.start()
            await h4.join_with(code)

    run(story())


WRITES = (
    (staging, "write_identity"),
    (staging, "_write_log"),
    (staging, "replace_file"),
    (staging, "delete_identity"),
    (joining, "open_log"),
)


@pytest.mark.parametrize("restart", [False, True], ids=["", "restarts"])
def test_a_disk_that_fails_at_any_write_leaves_no_half_join(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    ends = []
    for number in range(1, 20):
        h1, h2 = (stock.host(tmp_path / str(number), name) for name in ("h1", "h2"))
        with monkeypatch.context() as patch:
            disk = FailingDisk(patch, number)
            ends.append(run(join_with_failing_disk(disk, h1, h2, restart)))
        if not disk.failed:
            break
    # Three writes before admission is asked for, at least as many after it.
    assert ends[:3] == ["as before"] * 3
    assert ends.count("joined after all") >= 3
    assert ends[-1] == "joined"


class FailingDisk:
    """Fails at the n-th write of a join, and from then on until it is `repaired`."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.failed = self.repaired = False
        self._left = number
        for module, name in WRITES:
            patch.setattr(module, name, self._failing(getattr(module, name)))

    def _failing(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*arguments: Any) -> Any:
            self._left -= 1
            if self._left <= 0 and not self.repaired:
                self.failed = True
                raise CannotStore(str(arguments[0]), "no space left on device")
            return write(*arguments)

        return attempt


async def join_with_failing_disk(disk: FailingDisk, h1: Host, h2: Host, restart: bool) -> str:
    async with running(h1, h2):
        before = tree(h1), tree(h2)
        try:
            await h2.join_with(await h1.code())
        except Reported as why:
            if why.code == "DATABASE_WRITE_FAILED":
                assert before == (tree(h1), tree(h2))
                return "as before"
            assert why.code == "JOIN_IN_DOUBT"
        else:
            return "joined"
        assert h2_is_in(h1)
        if restart:
            await h2.stop()
        disk.repaired = True
        if restart:
            await h2.start()
        await until(lambda: alike(h1, h2))
        await until(lambda: not in_doubt(h2))
        assert len(h2.folder.identity_files("pool")) == 1
        assert h2.daemon.accounts.names() == ["root"]
        assert await h1.daemon.store.dump() == await h2.daemon.store.dump()
        return "joined after all"
