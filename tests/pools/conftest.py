"""The one demonstration that all stories share which only look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .demonstration import Demo, running_demo


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    with running_demo() as demo:
        yield demo
