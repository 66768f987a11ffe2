"""A pool of one host, and an appliance behind nginx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliances.stage import Appliance
from daemons import Host, stock


@pytest.fixture
def pool(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`pool(2)`: that many hosts of one pool, which do not run, the first its coordinator."""

    def copied(count: int, **settings: Any) -> tuple[Host, ...]:
        names = [f"h{number}" for number in range(1, count + 1)]
        return stock(tmp_path_factory).pool(tmp_path, *names, **settings)

    return copied


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    """The stand-in; it shows a self-signed certificate of its own until it is told otherwise."""
    with Appliance.at(tmp_path / "appliance") as running:
        yield running
