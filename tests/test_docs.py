"""The documentation is a test: what it shows exists, links lead somewhere, examples are accepted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from sources import PROJECT, SRC, project_files

DECISIONS = PROJECT / "docs" / "decisions"
PAGES = list(project_files(".md"))
COMMAND = SRC / "pooltrust" / "command" / "main.py"

a_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))


def links(text: str) -> list[str]:
    """What a page links to or shows, but for the web and for addresses in code."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"`[^`\n]*`", "code", prose)
    found = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [link for link in found if not re.match(r"(https?|mailto):", link)]


def anchors(text: str) -> set[str]:
    """What a link may name behind `#`: the headings, spelled as code hosts spell them."""
    headings = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shell_lines(text: str) -> Iterator[str]:
    """The lines that a reader may type, from code blocks marked as shell; continued lines joined."""
    for block in re.findall(r"^```(?:sh|shell|bash|console)\n(.*?)^```", text, re.DOTALL | re.M):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.removeprefix("$ ").strip()


def arguments(line: str) -> list[str] | None:
    """The arguments of `pooltrust` if this line calls it, up to a pipe or a redirection."""
    words = shlex.split(line, comments=True)
    if words[:1] == ["sudo"]:
        words = words[1:]
    if not words or Path(words[0]).name != "pooltrust":
        return None
    ends = [n for n, word in enumerate(words) if re.match(r"\d?[<>]|[|&;]", word)]
    return words[1 : min(ends, default=len(words))]


def dead_links(page: Path) -> list[str]:
    """The links of this page that lead nowhere."""
    dead = []
    for link in links(page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / unquote(path)).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            dead.append(link)
    return dead


def faults(decision: str) -> list[str]:
    """What a decision record lacks."""
    wanted = ("# ", "## Context", "## Decision", "## Consequences", "* Good, because ")
    lines = decision.splitlines()
    lacking = [start for start in wanted if not any(line.startswith(start) for line in lines)]
    if not any(line.startswith("* Bad, because ") for line in lines):
        lacking.append("* Bad, because … (every decision costs something)")
    return lacking


# The pages.


@a_page
def test_every_link_leads_somewhere(page: Path):
    assert dead_links(page) == []


@a_page
def test_every_make_word_that_a_page_names_is_a_target(page: Path):
    targets = set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = {w for line in shell_lines(page.read_text()) for w in re.findall(r"^make (\w+)", line)}
    named |= set(re.findall(r"`make (\w+)`", page.read_text()))
    assert named - targets == set()


@a_page
@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not there yet")
def test_every_pooltrust_line_is_one_that_the_program_accepts(page: Path):
    from pooltrust.command.main import parser

    for line in shell_lines(page.read_text()):
        words = arguments(line)
        if words:
            try:
                parser().parse_args(words)
            except SystemExit as why:
                assert why.code == 0, line


def test_the_readme_opens_with_a_picture_and_the_two_commands():
    beginning = "\n".join((PROJECT / "README.md").read_text().splitlines()[:40])
    assert "](docs/pool.svg)" in beginning
    lines = [line.partition("#")[0].strip() for line in shell_lines(beginning)]
    assert {"make run", "make test"} <= set(lines)


def test_the_changelog_says_what_is_not_released_yet():
    assert "## [Unreleased]" in (PROJECT / "CHANGELOG.md").read_text().splitlines()


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted(DECISIONS.iterdir())]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("decision", sorted(DECISIONS.glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_says_what_was_decided_why_and_what_it_costs(decision: Path):
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", decision.name)
    assert faults(decision.read_text()) == []


# The readers of pages.


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path):
    page = tmp_path / "page.md"
    (tmp_path / "there.md").write_text("# A Heading, `here`\n")
    page.write_text(
        "[a](there.md) ![b](gone.svg) [c](there.md#a-heading-here) [d](there.md#gone)\n"
        "[e](https://example.org/x) `[f](code.md)`\n```\n[g](block.md)\n```\n[h](#gone)\n"
    )
    assert dead_links(page) == ["gone.svg", "there.md#gone", "#gone"]


def test_shell_lines_are_read_as_a_shell_reads_them():
    text = "```sh\n$ pooltrust log \\\n  show  # all\n```\n```python\npooltrust\n```\n"
    [line] = shell_lines(text)
    assert arguments(line) == ["log", "show"]
    assert arguments(".venv/bin/pooltrust host status | head") == ["host", "status"]
    assert arguments("sudo pooltrust host run > log") == ["host", "run"]
    assert arguments("echo pooltrust") is None


def test_a_decision_that_costs_nothing_is_not_believed():
    record = "# 1. X\n## Context\n## Decision\n## Consequences\n* Good, because it is.\n"
    assert faults(record) == ["* Bad, because … (every decision costs something)"]
    assert faults("") != []
