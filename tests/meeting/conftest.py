"""Hosts for first meetings, and a doubt that is short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import daemons
from daemons import Host, Stock
from pooltrust.host.meeting import joining


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return daemons.stock(tmp_path_factory)


@pytest.fixture
def new(stock: Stock, tmp_path: Path) -> Callable[..., Host]:
    """`new("h1")`: a host that was just set up and does not run yet."""
    return lambda name="h1", **settings: stock.host(tmp_path, name, **settings)


@pytest.fixture(autouse=True)
def quick_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(joining, "SURE_SECONDS", 0.3)
