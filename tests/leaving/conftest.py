"""Pools and single hosts, copied for each story."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import daemons
from daemons import Host, Stock


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return daemons.stock(tmp_path_factory)


@pytest.fixture
def pool(stock: Stock, tmp_path: Path) -> Callable[..., tuple[Host, ...]]:
    """`pool(3)`: hosts h1 (the coordinator), h2 and h3, which do not run yet."""

    def copied(size: int, **settings: object) -> tuple[Host, ...]:
        names = [f"h{number + 1}" for number in range(size)]
        return stock.pool(tmp_path, *names, **settings)

    return copied


@pytest.fixture
def new(stock: Stock, tmp_path: Path) -> Callable[..., Host]:
    """`new("h1")`: a host that was just set up and does not run yet."""
    return lambda name="h1", **settings: stock.host(tmp_path, name, **settings)
