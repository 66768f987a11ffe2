"""A pool of one host, and an appliance behind nginx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliances.stage import Appliance
from pooled import pool

__all__ = ["appliance", "pool"]


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    """The stand-in; it shows a self-signed certificate of its own until it is told otherwise."""
    with Appliance.at(tmp_path / "appliance") as running:
        yield running
