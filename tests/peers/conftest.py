"""A pool of members, copied for each story."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import daemons
from daemons import Host, Stock
from pooltrust.host import watch
from pooltrust.host.peers import greeting


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
def quick_hello(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds for a hello, in stories that wait for its end; no host dials by itself meanwhile."""
    monkeypatch.setattr(greeting, "HELLO_SECONDS", 0.3)
    monkeypatch.setattr(watch, "RETURNING_SECONDS", ())
    return 0.3
