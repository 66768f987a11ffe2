"""The transcripts in this folder, typed at the consoles of real hosts.

``h1$ xe …`` is typed at h1's console; what follows is what must be shown, ``! …`` on the standard
error, and a bare number at the end is the exit status, 0 without one.  ``$h1`` is a host's UUID,
``$pool`` the pool's; ``<words>`` stands for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemons import Host, run, running
from operations.stage import Pool

from .stage import Ran, console

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Typed:
    """One command, and what must come of it."""

    host: str
    words: list[str]
    out: list[str]
    err: list[str]
    code: int


def read(text: str) -> Iterator[Typed]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    begins = [at for at, line in enumerate(lines) if re.match(r"h\d\$ xe ", line)]
    for at, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        host, _, words = lines[at].partition("$ xe ")
        answer = lines[at + 1 : end]
        while answer and not answer[-1]:
            answer.pop()
        code = int(answer.pop()) if answer and answer[-1].isdigit() else 0
        err = [line[2:] for line in answer if line.startswith("! ")]
        out = [line for line in answer if not line.startswith("! ")]
        yield Typed(host, words.split(), out, err, code)


def same(expected: list[str], shown: str) -> bool:
    lines = [line.rstrip() for line in shown.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    patterns = [re.sub(r"\\?<[a-z]+\\?>", ".+", re.escape(line.rstrip())) for line in expected]
    matches = [re.fullmatch(*pair) for pair in zip(patterns, lines, strict=False)]
    return len(patterns) == len(lines) and all(matches)


def check(typed: Typed, ran: Ran) -> None:
    good = (typed.code == ran.code, same(typed.out, ran.out), same(typed.err, ran.err))
    told = f"{typed.host}$ xe {' '.join(typed.words)}\n{ran.out}{ran.err}{ran.code}"
    assert all(good), told


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_a_transcript(pool: Pool, file: Path) -> None:
    hosts = pool(2)

    async def story() -> None:
        async with running(*hosts):
            known = {host.config.name: host.me for host in hosts}
            known["nobody"] = NOBODY
            known["pool"] = (await console(hosts[0], "pool-list", "--minimal")).out.strip()
            text = re.sub(r"\$([a-z]\w*)", lambda found: known[found[1]], file.read_text())
            at: dict[str, Host] = {host.config.name: host for host in hosts}
            for typed in read(text):
                check(typed, await console(at[typed.host], *typed.words))

    assert len(list(read(file.read_text()))) > 15
    run(story(), 120)


def test_a_transcript_that_is_wrong_fails() -> None:
    (typed,) = read("h1$ xe host-list\nuuid: <uuid>\n! oh\n1\n")
    check(typed, Ran(1, "uuid: 7\n", "oh\n"))
    for wrong in (Ran(0, "uuid: 7\n", "oh\n"), Ran(1, "uuid:\n", "oh\n"), Ran(1, "uuid: 7\n", "")):
        with pytest.raises(AssertionError):
            check(typed, wrong)
