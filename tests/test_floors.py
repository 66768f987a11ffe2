"""The floors: a module looks down, never up, and nothing forbidden is imported.

The table is in floors.py.  Its checker is tested on made-up sources: every rule is shown to bite.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from floors import BANS, FLOORS, Ban, crowded, violations
from sources import modules


def test_every_module_looks_down_only():
    assert violations(modules()) == []


def test_no_folder_is_crowded():
    assert crowded(modules()) == []


def test_the_rules_are_about_modules_that_exist():
    exempt = {name for ban in BANS for name in ban.but}
    assert exempt <= modules().keys()


@pytest.mark.parametrize("low, high", list(pairwise(FLOORS)))
def test_an_import_of_the_floor_above_is_found_on_every_floor(low: str, high: str):
    found = violations({f"pooltrust.{low}.x": f"import pooltrust.{high}.y"})
    assert any("looks down only" in words for words in found)


def test_the_highest_floor_may_import_all_but_the_package_may_import_none():
    text = "\n".join(f"from pooltrust.{floor} import x" for floor in FLOORS)
    assert violations({f"pooltrust.{FLOORS[-1]}.x": text, "pooltrust.__main__": text}) == []
    assert len(violations({"pooltrust.__init__": text})) == len(FLOORS)


@pytest.mark.parametrize(
    "text",
    [
        "import pooltrust.host.daemon",
        "from pooltrust.host import daemon",
        "from pooltrust import host",
        "from ..host import daemon",
        "from .. import host",
        "from pooltrust.host import *",
        "def later():\n    from pooltrust.host import daemon",
        "if TYPE_CHECKING:\n    from pooltrust.host.daemon import Daemon",
    ],
)
def test_no_way_to_write_an_upward_import_escapes(text: str):
    [found] = violations({"pooltrust.pki.certificate": text})
    assert "looks down only" in found


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.names[0])
def test_every_ban_bites_on_every_floor_of_it(ban: Ban):
    for floor in ban.floors:
        for name in ban.names:
            found = violations({f"pooltrust.{floor}.made_up": _use(ban, name)})
            assert any(ban.reason in words for words in found), (floor, name)


@pytest.mark.parametrize("ban", [ban for ban in BANS if ban.but], ids=lambda ban: ban.names[0])
def test_an_exemption_holds_for_its_module_alone(ban: Ban):
    text = _use(ban, ban.names[0])
    for module in ban.but:
        assert violations({module: text}) == []
        assert violations({module + "_2": text}) != []


def _use(ban: Ban, name: str) -> str:
    return f"x = {name}()" if ban.calls else f"import {name}"


def test_what_only_looks_like_a_breach_is_none():
    text = (
        "from datetime import datetime, timedelta\n"
        "from pathlib import PurePath\n"
        "from xml.parsers import expat\n"
        "import hmac, orjson\n"
        "def due(now: datetime) -> bool: return sessions.open(now)\n"
    )
    assert violations({"pooltrust.pool.alerts": text}) == []


def test_a_module_on_no_floor_is_found():
    assert len(violations({"pooltrust.extras.x": ""})) == 1
    assert len(violations({"pooltrust.extras": ""})) == 1


def test_a_tenth_module_in_a_folder_is_found():
    nine = {f"pooltrust.pki.m{n}": "" for n in range(9)} | {"pooltrust.pki.__init__": ""}
    assert crowded(nine) == []
    assert crowded(nine | {"pooltrust.pki.tenth": ""}) == ["pooltrust.pki has 10 modules"]
