"""A pool of three hosts, joined once for all tests here and copied for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons import found, run, running
from machine import find_free_port

from .listening import ListeningHost
from .scenes import Stage

HOSTS = {"h1": "127.0.0.1", "h2": "127.0.0.2", "h3": "127.0.0.3"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[ListeningHost]:
    """The pool that every stage is a copy of."""
    folder = tmp_path_factory.mktemp("pool")
    port = find_free_port(*HOSTS.values())
    hosts = [found(folder / name, name, at, port) for name, at in HOSTS.items()]

    async def join() -> None:
        async with running(*hosts):
            for host in hosts[1:]:
                await host.join_with(await hosts[0].code())

    run(join())
    return [ListeningHost(host.config) for host in hosts]


@pytest.fixture
def stage(made: list[ListeningHost], tmp_path: Path) -> Stage:
    """A pool of this row's own."""
    copies = [host.copied(tmp_path / host.config.name) for host in made]
    return Stage(*copies, tmp_path)  # type: ignore[arg-type]
