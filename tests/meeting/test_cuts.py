"""The connection is cut after each single TLS record of a first meeting, in either direction.

Either both sides are as they were, or the joiner says that it is in doubt and finds out by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from daemons import Host, Stock, alike, run, running, tree, until
from pooltrust.command.client import Reported

from .stage import BETWEEN, Wire

Join = Callable[[Host, Host], Awaitable[None]]

MOST = 40
"""Records in one direction, at most."""


async def by_code(h1: Host, h2: Host) -> None:
    await h2.join_with(replace(await h1.code(), addresses=(BETWEEN,)))


async def by_password(h1: Host, h2: Host) -> None:
    await h2.join(h1, BETWEEN)


def files(host: Host) -> dict[str, bytes]:
    """Its files but the one that counts its starts."""
    return {name: data for name, data in tree(host).items() if name != "starts"}


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("join", [by_code, by_password])
@pytest.mark.parametrize("restart", [False, True], ids=["", "restarts"])
def test_a_cut_leaves_both_sides_as_they_were_or_a_doubt_that_ends_by_itself(
    stock: Stock, tmp_path: Path, direction: str, join: Join, restart: bool
) -> None:
    ends = []
    for number in range(1, MOST):
        h1, h2 = (stock.host(tmp_path / str(number), name) for name in ("h1", "h2"))
        ends.append(run(cut_after(Wire(h1, (direction, number)), join, h1, h2, restart)))
        if ends[-1] == "joined":
            break
    # Clean as long as it was not asked for, then in doubt, then done: in this order.
    assert ends == sorted(ends, key=["as before", "not admitted", "admitted", "joined"].index)
    assert ends.count("as before") >= 5
    # Cut on its way up the request for admission arrives, cut on the way down before it does not.
    assert ("admitted" if direction == "up" else "not admitted") in ends
    assert ends[-1] == "joined"


async def cut_after(wire: Wire, join: Join, h1: Host, h2: Host, restart: bool) -> str:
    """One join over this wire, until both sides know how it ended."""
    async with running(h1, h2), wire.open():
        before = files(h1), files(h2)
        try:
            await join(h1, h2)
        except Reported as why:
            if why.code != "JOIN_IN_DOUBT":
                assert why.code in ("JOINING_HOST_CONNECTION_FAILED", "SSL_VERIFY_ERROR")
                assert before == (files(h1), files(h2))
                return "as before"
        else:
            await until(lambda: alike(h1, h2))
            return "joined"
        if restart:
            await h2.stop()
            await h1.restart()
            await h2.start()
        wire.barred = False
        await until(lambda: not (h2.config.folder / "joining").exists())
        if len(h1.roster.members) == 1:
            assert before == (files(h1), files(h2))
            await h2.join(h1)  # it is free to
            return "not admitted"
        await until(lambda: alike(h1, h2))
        assert h2.daemon.accounts.names() == ["root"]
        assert await h1.daemon.store.dump() == await h2.daemon.store.dump()
        assert len(h2.folder.identity_files("pool")) == 1
        return "admitted"
