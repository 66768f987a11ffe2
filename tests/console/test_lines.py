"""The line of `xe` after each action: one that its command takes, with no secret in it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from functools import cache
from typing import Any

import pytest

from api.samples import PLAIN, arguments_of, stocked
from pooltrust.api.cli import run, typed
from pooltrust.api.cli.command import COMMANDS
from pooltrust.api.cli.wire.words import STANDARD, read
from pooltrust.api.declare.call import CALLS
from pooltrust.console.web.serve import STATIC

pytestmark = pytest.mark.needs("node")
assert run, "which declares every command"

SCRIPT = """
globalThis.location = { hash: '' }
globalThis.localStorage = { getItem: () => '' }
const { LINES, SECRETS } = await import(process.argv[1])
const given = Array.from({ length: 6 }, (_, n) => `p${n}.pem`)
const lines = Object.entries(LINES).map(([call, words]) => [call, words('UUID', given)])
console.log(JSON.stringify({ lines: Object.fromEntries(lines), secrets: SECRETS }))
"""


@cache
def known() -> dict[str, Any]:
    """The table of the page, for pools that can't say a line."""
    file = (STATIC / "js/actions/xe.js").as_uri()
    words = ["node", "--input-type=module", "-e", SCRIPT, file]
    told = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    return dict(json.loads(told.stdout))


def actions() -> set[str]:
    """The calls that the pages make as actions: those that change something."""
    text = "".join(one.read_text() for one in STATIC.rglob("*.js") if one.name != "xe.js")
    named = set(re.findall(r"method: '([\w.]+)'", text))
    named |= set(re.findall(r"'((?:pool|pooltrust)\.(?:un)?install_\w+|pool\.crl_\w+)'", text))
    return named & CALLS.keys() - {"pool.crl_list"}


@pytest.fixture(autouse=True)
def plain_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLAIN, "string", "it.pem")


def line_of(name: str) -> str:
    """What the pool itself says."""
    call, context = CALLS[name], stocked()
    pairs = zip(call.parameters, arguments_of(call, context), strict=False)
    return typed.command_line(call, [one.type.read(given) for one, given in pairs], lambda _: {})


def test_every_action_has_a_line() -> None:
    assert len(actions()) > 15
    assert [name for name in actions() if not line_of(name)] == []


def test_the_table_of_the_page_has_lines_that_the_real_parser_takes() -> None:
    for call, line in known()["lines"].items():
        assert call in CALLS, call
        words = read("\n".join(line))
        command = COMMANDS[words.command]
        given = {name for name, _ in words.parameters}
        maps = {one.rstrip(":") for one in command.optional}
        assert set(command.required) <= given, line
        if not command.selects:
            assert given <= {*command.required, *maps, *STANDARD}, line


def test_the_page_and_the_pool_name_the_same_command() -> None:
    for call, line in known()["lines"].items():
        assert shlex.split(line_of(call))[1:2] == line[:1], call


def test_the_page_tells_no_secret_to_ask_for_a_line() -> None:
    told = {name: set(places) for name, places in known()["secrets"].items()}
    for name in {*actions(), "session.change_password", "pool.join"}:
        secret = {n for n, one in enumerate(CALLS[name].parameters) if one.secret}
        assert secret == told.get(name, set()), name
