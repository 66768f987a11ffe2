"""A pool of members, copied for each story."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import daemons
from daemons import Host, Stock
from pooltrust.host.accounts.local import Accounts

from .stage import FEW


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


@pytest.fixture(autouse=True)
def quick_verifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Accounts.__init__.__kwdefaults__, "iterations", FEW)
