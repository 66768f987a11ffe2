"""Odd answers of a host: brought to the form that pages read, or refused in words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pooltrust.console.pools import hall as halls
from pooltrust.console.pools.hall import Hall, Listener
from pooltrust.console.pools.history import history
from pooltrust.console.speaking.shapes import SHAPES, Odd, shaped
from pooltrust.console.trusting.trust import Trust

NONSENSE = [
    3,
    True,
    1.5,
    "words",
    [],
    [3],
    [[]],
    {},
    {"a": {}},
    None,
    [None],
    '{"order": 3}',
    "[[]]",
]


@pytest.mark.parametrize("method", SHAPES)
def test_whatever_is_answered_has_its_form_or_is_refused(method: str):
    for answer in NONSENSE:
        try:
            told = shaped(method, answer)
        except Odd as why:
            assert "expected" in str(why)
        else:
            assert shaped(method, told) == told


@pytest.mark.parametrize(
    "plan",
    [
        "3",
        '{"order": 3}',
        '{"order": [3]}',
        '{"order": [{"steps": "all"}]}',
        '{"blockers": {"words": "w"}}',
        '{"later": 5}',
        '{"standing": ["a"]}',
        "{",
    ],
)
def test_a_plan_of_another_form_is_no_plan(plan: str):
    with pytest.raises(Odd):
        shaped("pooltrust.get_plan", plan)


def test_what_a_plan_leaves_out_is_empty_and_what_is_more_stays():
    told = json.loads(shaped("pooltrust.get_plan", '{"order": [{"steps": [1]}], "sides": 2}'))
    assert told["order"] == [{"name": "", "steps": ["1"], "final": False}]
    assert (told["blockers"], told["standing"], told["sides"]) == ([], "", 2)


def test_a_list_that_would_fill_a_page_for_ever_is_cut():
    plan = json.dumps({"order": [{"steps": ["s"] * 9000}] * 900})
    told = json.loads(shaped("pooltrust.get_plan", plan))
    assert len(told["order"]) == 200 and len(told["order"][0]["steps"]) == 500


def test_what_a_task_answers_is_a_text():
    assert shaped("Async.host.reset_server_certificate", "OpaqueRef:1") == "OpaqueRef:1"
    with pytest.raises(Odd):
        shaped("Async.host.reset_server_certificate", {"ref": 1})


@pytest.mark.parametrize("page", [3, "log", {}, [3], [{}] * 500, [{"number": "x"}] * 500])
def test_a_history_of_another_form_is_refused_in_words(page: Any):
    async def call(_: str, __: list[Any]) -> Any:
        return page

    with pytest.raises(ValueError, match="its log"):
        asyncio.run(history(call))


def test_entries_that_are_no_texts_are_unreadable_and_no_fault():
    async def call(_: str, __: list[Any]) -> Any:
        return [{"number": 1, "payload": None, "signature": [3], "at": {}}]

    told = asyncio.run(history(call))
    assert not told["verdict"]["holds"] and told["entries"][0]["words"] == "It can't be read."


def test_a_browser_that_falls_behind_is_cut_off_by_bytes_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(halls, "MOST_BYTES", 100)

    async def story() -> list[bytes | None]:
        one = Listener()
        assert one.tell(b"x" * 500)  # alone it may be of any size: it is on its way at once
        assert not one.tell(b"y")
        one.end()
        return [await one.next()]

    assert asyncio.run(story()) == [None]


def test_whoever_reads_on_is_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(halls, "MOST_BYTES", 100)

    async def story() -> None:
        hall = Hall(Trust(tmp_path / "known.json"))
        with hall.listening() as one:
            assert json.loads(await one.next() or b"") == {"kind": "begin"}
            for n in range(20):
                hall._tell({"kind": "said", "n": n, "words": "w" * 60})
                assert json.loads(await one.next() or b"")["n"] == n

    asyncio.run(story())
