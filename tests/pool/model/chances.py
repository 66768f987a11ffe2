"""The chances that the model takes: the same in every run, whatever else was imported.

Hypothesis' own numbers are drawn from the constants in our sources as well, so a number that is
changed anywhere would tell other stories.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, ClassVar, Literal

from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.internal.conjecture.providers import PrimitiveProvider, with_register_backend

SEED = 20261128


class Chances(PrimitiveProvider):
    """Every number is as likely as any other one."""

    lifetime: ClassVar[Literal["test_function", "test_case"]] = "test_function"

    def __init__(self, data: ConjectureData | None) -> None:
        super().__init__(data)
        self.random = Random(SEED)

    def draw_boolean(self, p: float = 0.5) -> bool:
        return self.random.random() < p

    def draw_integer(
        self, min_value: int | None = None, max_value: int | None = None, **_: Any
    ) -> int:
        assert min_value is not None and max_value is not None
        return self.random.randint(min_value, max_value)

    def draw_float(self, **_: Any) -> float:
        return self.random.random()

    def draw_string(self, *_: Any, **__: Any) -> str:
        raise NotImplementedError("no story needs it")

    def draw_bytes(self, *_: Any, **__: Any) -> bytes:
        raise NotImplementedError("no story needs it")


@contextmanager
def chances() -> Iterator[str]:
    """The name by which `settings(backend=…)` knows them meanwhile."""
    with with_register_backend("chances", Chances):
        yield "chances"
