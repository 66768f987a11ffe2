"""The fixtures of stories about whole pools; a folder's conftest.py imports those that it offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemons import Host, stock


@pytest.fixture
def pool(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`pool(3)`: that many hosts of one pool, which do not run, the first its coordinator."""

    def copied(count: int, **settings: Any) -> tuple[Host, ...]:
        names = [f"h{number}" for number in range(1, count + 1)]
        return stock(tmp_path_factory).pool(tmp_path, *names, **settings)

    return copied


@pytest.fixture
def new(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Host]:
    """`new("h1")`: a host that was just set up and does not run yet."""
    return lambda name="h1", **settings: stock(tmp_path_factory).host(tmp_path, name, **settings)
