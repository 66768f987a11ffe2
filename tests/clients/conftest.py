"""The one demonstration that these clients talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pools.demonstration import Demo, running_demo


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    with running_demo() as demo:
        yield demo
