"""One world for all of it: a pool of three, and hosts beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .stage import World, world_of_hosts


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    with world_of_hosts() as world:
        yield world
