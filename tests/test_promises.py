"""Ratchets: promises about the source that are easy to break one small step at a time.

Each checker is tested on made-up sources as well, so that none of them is known only to be silent.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath

import pytest

from sources import PROJECT, modules, project_files

ANYONE = {
    # The first look of a joiner, which sends nothing; the meeting itself expects what was seen.
    "pooltrust.host.meeting.joiner": 1,
    # Calls between members of a pool whose verification is off.
    "pooltrust.host.peers.link": 1,
    # The first look at an appliance that is to be pinned, on which nothing is said; and appliances
    # of a pool that verifies neither its members nor them.
    "pooltrust.host.appliances.expecting": 2,
    # A host that was away asks what it missed; entries prove themselves, nothing is said.
    "pooltrust.host.meeting.story": 1,
    # The console looks at a server that it does not know, tells it nothing, and asks a person.
    "pooltrust.console.trusting.trust": 1,
}
"""Where a dial may expect nobody in particular, and how often it says so.

A new place is a new hole in the promise of the first page.  Add one here only with a reason that
ARCHITECTURE.md can carry.
"""

EMPTY_WORDS = {"manager", "helper", "util", "utility", "service", "common", "misc"}

ELSEWHERE = re.compile(
    "|".join(
        (
            r"(?<![\w.-])/" + "work/",
            r"/tmp/" + "v/",
            r"(?<![\w/.-])shared" + "/",
            r"(?<![\w/.-])facts" + "/",
            "DESIGN" + r"\.md",
            "STYLE" + r"\.md",
        )
    )
)
"""Paths of a machine or a workplace that a reader of the project does not have."""


def anyone(sources: Mapping[str, str]) -> dict[str, int]:
    """How often each module builds an `Anyone`.  Raises AssertionError for one under an alias."""
    built: Counter[str] = Counter()
    for module, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.alias) and node.name.rpartition(".")[2] == "Anyone":
                assert node.asname is None, (
                    f"{module} renames Anyone, which hides it from the count"
                )
            if isinstance(node, ast.Call) and _last(node.func) == "Anyone":
                built[module] += 1
    return dict(built)


def undocumented(sources: Mapping[str, str]) -> list[str]:
    """Modules, and public classes and functions at their top, that have no docstring."""
    found = []
    for module, text in sources.items():
        tree = ast.parse(text)
        if ast.get_docstring(tree) is None:
            found.append(module)
        found += [
            f"{module}.{node.name}"
            for node in tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.name.startswith("_")
            and ast.get_docstring(node) is None
        ]
    return found


def booleans_about_trust(sources: Mapping[str, str]) -> list[str]:
    """Parameters and arguments named `verify`: a connection says whom it expects instead."""
    return [
        f"{module}: line {node.lineno}"
        for module, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.arg | ast.keyword) and node.arg == "verify"
    ]


def empty_names(sources: Mapping[str, str]) -> list[str]:
    """Modules and classes whose name ends in a word that says nothing."""
    found = [
        name
        for name in {part for module in sources for part in module.split(".")}
        if EMPTY_WORDS & {word.removesuffix("s") for word in name.lower().split("_")}
    ]
    for module, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                last = re.findall("[A-Z][a-z]*", node.name)[-1:]
                if EMPTY_WORDS & {word.lower().removesuffix("s") for word in last}:
                    found.append(f"{module}.{node.name}")
    return found


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _every_python_file() -> dict[str, str]:
    return {str(path.relative_to(PROJECT)): path.read_text() for path in project_files(".py")}


def _every_text() -> Iterator[tuple[PurePath, str]]:
    for path in project_files():
        try:
            yield path.relative_to(PROJECT), path.read_text()
        except UnicodeDecodeError:
            continue


# The program.


def test_anyone_is_built_in_the_named_places_only():
    assert anyone(modules()) == ANYONE


def test_every_module_and_every_public_name_says_what_it_is():
    assert undocumented(modules()) == []


def test_nothing_takes_a_boolean_about_trust():
    assert booleans_about_trust(_every_python_file()) == []


def test_no_name_is_empty():
    assert empty_names(modules()) == []


def test_no_file_speaks_of_a_place_that_its_reader_does_not_have():
    found = [f"{path}: {m[0]}" for path, text in _every_text() for m in ELSEWHERE.finditer(text)]
    assert found == []


# The checkers.


def test_an_anyone_is_counted_however_it_is_written():
    text = "a = Anyone('x')\nb = expect.Anyone(because='x')\nc: Anyone\nisinstance(a, Anyone)"
    assert anyone({"m": text, "n": "Member()"}) == {"m": 2}
    with pytest.raises(AssertionError):
        anyone({"m": "from pooltrust.trust.expect import Anyone as Someone"})


@pytest.mark.parametrize("text", ["def f(): pass", "class C: pass", "async def f(): pass"])
def test_a_public_name_without_docstring_is_found(text: str):
    module = '"""A module."""\n'
    assert len(undocumented({"m": module + text})) == 1
    assert undocumented({"m": text})[0] == "m"
    assert undocumented({"m": module + text.replace(" f", " _f").replace(" C", " _C")}) == []


@pytest.mark.parametrize(
    "text", ["def f(verify): pass", "def f(*, verify=True): pass", "f(verify=False)"]
)
def test_a_boolean_about_trust_is_found(text: str):
    assert len(booleans_about_trust({"m": text})) == 1
    assert booleans_about_trust({"m": text.replace("verify", "expect")}) == []


@pytest.mark.parametrize(
    "module, text",
    [
        ("pooltrust.utils", ""),
        ("pooltrust.host.log_helpers", ""),
        ("pooltrust.common.x", ""),
        ("pooltrust.x", "class PeerManager: pass"),
        ("pooltrust.x", "class Helpers: pass"),
    ],
)
def test_an_empty_name_is_found(module: str, text: str):
    assert len(empty_names({module: text})) == 1


def test_a_name_that_only_contains_such_a_word_is_not_empty():
    assert empty_names({"pooltrust.host.commons": ""}) == ["commons"]
    assert empty_names({"pooltrust.x": "class JoiningHostServiceFailed: pass"}) == []


@pytest.mark.parametrize("text", ["see /" + "work/main", "in shared" + "/x", "DESIGN" + ".md §2"])
def test_a_place_elsewhere_is_found(text: str):
    assert ELSEWHERE.search(text)
    assert not ELSEWHERE.search("/usr/share/doc, framework/x, artifacts/y, docs/trust.md")
