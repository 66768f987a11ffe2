"""The transcripts in this folder, typed at the consoles of real hosts.

``h1$ xe …`` is typed at h1's console; what follows is what must be shown, ``! …`` on the standard
error, and a bare number at the end is the exit status, 0 without one.  ``<words>`` stands for
anything, ``<$name>`` too, which is ``$name`` from there on.  ``$h1`` is a host's UUID, ``$at1`` its
address, ``$pool`` the pool's UUID, ``$files`` the folder of the user's files; ``...`` is any lines.
``h1 stops`` and ``h1 starts`` are what they say; ``h1 settles`` waits until it answers again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from certificates.test_trust import CA, CRL, DATES, LEAF, OTHER
from daemons import PASSWORD, Host, run, running
from operations.stage import Pool
from pki.offered.stage import key_text, made, private
from pooltrust.api.cli import run as declares
from pooltrust.api.cli.command import COMMANDS

from .stage import Ran, console

assert declares, "every command"
TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))
NOBODY = "00000000-0000-4000-8000-000000000000"
BEGIN = re.compile(r"(h\d)(?:\$ xe (.+)| (stops|starts|settles))")
PARAMS = ("add", "clear", "get", "list", "remove", "set")
ELSEWHERE = {
    "host-certificate-request-install": "an authority answers first: test_files.py",
    "session-end": "somebody else is logged in at that moment: test_within.py",
    "operation-abandon": "a command has to stop half way: test_within.py",
    "operation-resume": "a command has to stop half way: test_within.py",
    **{
        name: "there is an appliance, or a server: tests/appliances"
        for name in COMMANDS
        if "-wlb" in name or name == "pool-send-test-post"
    },
    **{
        f"task-{verb}": "tasks are made by calls, not by commands: test_within.py"
        for verb in ("cancel", *(f"param-{one}" for one in PARAMS))
    },
}
"""Commands that can't succeed in a transcript, and where they do."""


@dataclass(frozen=True)
class Typed:
    """One command, and what must come of it; or what becomes of its host."""

    host: str
    words: str
    fate: str = ""
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    code: int = 0


def read(text: str) -> Iterator[Typed]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    begins = [at for at, line in enumerate(lines) if BEGIN.fullmatch(line)]
    for at, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        found = BEGIN.fullmatch(lines[at])
        assert found
        host, words, fate = found.groups()
        answer = lines[at + 1 : end]
        while answer and not answer[-1]:
            answer.pop()
        err = [line[2:] for line in answer if line.startswith("! ")]
        code = int(answer.pop()) if err and answer[-1].isdigit() else 0
        out = [line for line in answer if not line.startswith("! ")]
        while out and not out[-1]:
            out.pop()
        yield Typed(host, words or "", fate or "", out, err, code)


def named(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"(?<!<)\$([a-z]\w*)", lambda found: known[found[1]], text)


def same(expected: list[str], shown: str, known: dict[str, str]) -> bool:
    """Whether this was shown; what ``<$name>`` stands for is known from then on."""
    pattern = "".join(map(_pattern, (named(line, known) for line in expected)))
    lines = [f"{line.rstrip()}\n" for line in shown.rstrip().splitlines()]
    found = re.fullmatch(pattern, "".join(lines))
    known |= found.groupdict() if found else {}
    return bool(found)


def _pattern(line: str) -> str:
    if line == "...":
        return r"(?:.*\n)*"
    named = re.sub(r"<\\\$([a-z]\w*)>", r"(?P<\1>.+)", re.escape(line.rstrip()))
    return re.sub(r"(?<!\(\?P)<[a-z]+>", ".+", named) + "\n"


def check(typed: Typed, ran: Ran, known: dict[str, str]) -> None:
    shown = same(typed.out, ran.out, known), same(typed.err, ran.err, known)
    told = f"{typed.host}$ xe {typed.words}\n{ran.out}{ran.err}{ran.code}"
    assert (typed.code == ran.code, *shown) == (True, True, True), told


def write_files(folder: Path, address: str) -> None:
    """What a user has at hand: an authority, its revocation list, certificates, a key."""
    leaf = made("h1", private("rsa-2048"), names=["h1", address], dates=DATES)
    key = key_text("rsa-2048")
    texts = {"ca": CA, "crl": CRL, "other": OTHER, "pinned": LEAF, "leaf": leaf, "key": key}
    for name, text in texts.items():
        (folder / f"{name}.pem").write_text(text)


async def fate(host: Host, what: str) -> None:
    if what == "settles":
        while (await console(host, "host-status", "--minimal")).code:
            await asyncio.sleep(0.2)
        return
    await (host.stop if what == "stops" else host.start)()


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_a_transcript(pool: Pool, file: Path, tmp_path: Path) -> None:
    hosts = pool(2)
    write_files(tmp_path, hosts[0].config.address)
    at: dict[str, Host] = {host.config.name: host for host in hosts}

    async def story() -> None:
        async with running(*hosts):
            known = {host.config.name: str(host.me) for host in hosts}
            known |= {f"at{name[1:]}": host.config.address for name, host in at.items()}
            known |= {"nobody": NOBODY, "files": str(tmp_path), "password": PASSWORD}
            known["pool"] = (await console(hosts[0], "pool-list", "--minimal")).out.strip()
            for typed in read(file.read_text()):
                if typed.fate:
                    await fate(at[typed.host], typed.fate)
                    continue
                words = named(typed.words, known).split()
                check(typed, await console(at[typed.host], *words), known)

    assert len(list(read(file.read_text()))) > 10
    run(story(), 120)


def unseen(commands: set[str], texts: list[str], elsewhere: set[str]) -> set[str]:
    """The commands that succeed in none of these, nor elsewhere; those that need not be there."""
    every = [typed for text in texts for typed in read(text) if typed.words]
    good = {typed.words.split()[0] for typed in every if typed.code == 0}
    return (commands - good - elsewhere) | (elsewhere & good) | (elsewhere - commands)


def test_every_command_succeeds_in_a_transcript() -> None:
    texts = [file.read_text() for file in TRANSCRIPTS]
    assert unseen(set(COMMANDS), texts, set(ELSEWHERE)) == set()
    assert unseen({"a", "b"}, ["h1$ xe a\n! no\n1\nh1$ xe b\n"], set()) == {"a"}
    assert unseen({"a"}, ["h1$ xe a\n"], {"a", "c"}) == {"a", "c"}


def test_a_transcript_that_is_wrong_fails() -> None:
    (typed,) = read("h1$ xe host-list\nuuid: <uuid> <$b>\n! oh $a\n1\n")
    known = {"a": "no"}
    check(typed, Ran(1, "uuid: 7 9\n", "oh no\n"), known)
    assert known == {"a": "no", "b": "9"}
    wrong = ((0, "uuid: 7 9\n", "oh no\n"), (1, "uuid:\n", "oh no\n"), (1, "uuid: 7 9\n", "oh\n"))
    for code, out, err in wrong:
        with pytest.raises(AssertionError):
            check(typed, Ran(code, out, err), known)
