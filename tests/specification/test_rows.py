"""Every sentence has its row, and every row its test."""

from __future__ import annotations

import importlib
from pathlib import Path

from .rows import PROVEN, SENTENCES, proves

for module in sorted(Path(__file__).parent.glob("test_*.py")):
    importlib.import_module(f"{__package__}.{module.stem}")


def test_every_sentence_has_a_test_and_every_test_a_sentence() -> None:
    assert list(SENTENCES) == list(range(1, 67))
    assert sorted(SENTENCES.keys() - PROVEN.keys()) == []
    assert sorted(PROVEN.keys() - SENTENCES.keys()) == []


def test_a_row_without_a_test_is_found() -> None:
    def test_nothing() -> None: ...

    assert "test_rows.test_nothing" not in str(PROVEN)
    proves(99)(test_nothing)
    assert PROVEN.pop(99) == [f"{__name__}.test_nothing"]
