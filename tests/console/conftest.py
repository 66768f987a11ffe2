"""The one stage that the stories play on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .stage import Stage, stage


@pytest.fixture(scope="module")
def told() -> Iterator[Stage]:
    with stage() as ready:
        yield ready
