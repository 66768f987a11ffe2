"""Odd terminals, and hosts that want more than they were given: errors, never a traceback.

The host is a script of frames behind a Unix socket; it shares no code with the daemon's.
"""

from __future__ import annotations

import asyncio
import os
import pty
import shlex
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemons import run

from .stage import XE, Ran

HELLO = b"XenSource thin CLI protocol\x00\x00\x00\x00\x02\x00\x00\x00"
PASSWORD = "hush-hush-hush"


def text(words: str) -> bytes:
    return struct.pack("<i", len(words.encode())) + words.encode()


def frame(tag: int, *parts: bytes) -> bytes:
    payload = struct.pack("<ii", 9, tag) + b"".join(parts)
    return struct.pack("<i", len(payload)) + payload


def printed(words: str) -> bytes:
    return frame(0, text(words))


EXIT = frame(4, struct.pack("<i", 0))


class Script:
    """A host that says this, and keeps what it was sent; a GET is answered with `page`."""

    def __init__(self, *said: bytes, page: bytes = b"") -> None:
        self.said = b"".join(said)
        self.page = page
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET "):
                writer.write(self.page)
            else:
                writer.write(HELLO + self.said)
                self.heard += head + await reader.read()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    @asynccontextmanager
    async def at(self, path: Path) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self.serve, str(path))
        try:
            yield
        finally:
            server.close()


async def shell(line: str, folder: Path, *, python: Sequence[str] = (), **environment: str) -> Ran:
    """Run a line of bash, in which ``xe`` is our client at the script's socket."""
    program = shlex.join([sys.executable, "-I", "-S", *python, str(XE), "--socket", "socket"])
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f'xe() {{ {program} "$@"; }}\n{line}',
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    shown = err.decode("utf-8", "replace")
    assert "Traceback" not in shown and "Exception ignored" not in shown, shown
    assert PASSWORD not in shown
    return Ran(process.returncode or 0, out.decode("utf-8", "replace"), shown)


def told(
    script: Script, line: str, folder: Path, python: Sequence[str] = (), **environment: str
) -> Ran:
    async def story() -> Ran:
        async with script.at(folder / "socket"):
            return await shell(line, folder, python=python, **environment)

    ran: Ran = run(story(), 60)
    return ran


MANY = [printed(f"line {number}") for number in range(20_000)]


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("xe list | head -1; echo ${PIPESTATUS[0]}", Ran(0, "line 0\n1\n", "")),
        ("xe list >/dev/full", Ran(1, "", "No space left on device\n")),
        ("xe list >/dev/full 2>/dev/full", Ran(1, "", "")),
        ("xe list >&-", Ran(0, "", "")),
        ("xe list <&- | tail -1", Ran(0, "line 19999\n", "")),
        ("xe list 2>&- | tail -1", Ran(0, "line 19999\n", "")),
        ("xe list --debug -pw hush-hush-hush -u root | tail -1", Ran(0, "line 19999\n", "")),
    ],
)
def test_whoever_reads_may_go_or_be_full(line: str, ending: Ran, tmp_path: Path) -> None:
    assert told(Script(*MANY, EXIT), line, tmp_path) == ending


@pytest.mark.parametrize(
    ("python", "locale", "shown"),
    [
        ((), "C.UTF-8", "größe ✓\n"),
        ((), "C", "größe ✓\n"),
        (("-X", "utf8=0"), "C", "gr\\xf6\\xdfe \\u2713\n"),
    ],
)
def test_what_a_locale_can_t_write_is_shown_as_its_code(
    python: Sequence[str], locale: str, shown: str, tmp_path: Path
) -> None:
    script = Script(printed("größe ✓"), EXIT)
    line = "xe host-list name-label=größe"
    assert told(script, line, tmp_path, python, LC_ALL=locale) == Ran(0, shown, "")
    assert "name-label=größe".encode() in script.heard


def shown_until_exit(child: int, terminal: int) -> bytes:
    """All that this child shows at its terminal; it exits with 0."""
    shown = b""
    try:
        while piece := os.read(terminal, 4096):
            shown += piece
    except OSError:
        pass  # it has exited
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return shown


def at_a_terminal(folder: Path, *words: str) -> bytes:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execv(
            sys.executable, [sys.executable, "-I", "-S", str(XE), "--socket", "socket", *words]
        )
    return shown_until_exit(child, terminal)


def test_what_would_command_a_terminal_is_shown_at_one_and_left_alone_in_a_pipe(
    tmp_path: Path,
) -> None:
    nasty = "a\x1b]0;title\x07\tb\u009b2J\rc\u202ed"
    said = (printed(nasty), frame(16, text("\x1b[2J\n")), EXIT)
    assert told(Script(*said), "xe host-list", tmp_path) == Ran(0, f"{nasty}\n", "\x1b[2J\n")

    async def story() -> bytes:
        (tmp_path / "socket").unlink(missing_ok=True)
        async with Script(*said).at(tmp_path / "socket"):
            return await asyncio.to_thread(at_a_terminal, tmp_path, "host-list")

    shown = run(story())
    assert b"\x1b" not in shown and b"\x07" not in shown and b"\xc2\x9b" not in shown
    assert b"a\\u001b]0;title\\u0007\tb\\u009b2J\\u000dc\\u202ed" in shown


def load(path: str) -> bytes:
    return frame(1, text(path))


def download(path: str) -> bytes:
    return frame(12, text(path), text("/cli/x"))


PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.mark.parametrize(
    "said",
    [
        load("/etc/passwd"),
        load(""),
        load("./named"),
        load("uuid"),
        download("other"),
        download("named"),
        download("/etc/passwd"),
        frame(13, text("/etc/passwd"), text("/x")),
        frame(17, text("/console")),
        frame(12, text("out"), text("https://192.0.2.1/x")),
        struct.pack("<i", 2**31 - 1),
        struct.pack("<i", -5),
        struct.pack("<iii", 8, 10, 5),
    ],
)
def test_a_host_gets_and_gives_the_files_that_were_named_and_nothing_else(
    said: bytes, tmp_path: Path
) -> None:
    (tmp_path / "named").write_text("content")
    script = Script(said, page=PAGE)
    ran = told(script, "xe x certificate=named filename=out", tmp_path)
    assert ran.code == 1 and ran.out == "" and ran.err
    assert b"root:" not in script.heard and b"content" not in script.heard.split(b"filename=out")[1]
    assert sorted(path.name for path in tmp_path.iterdir()) in (["named"], ["named", "socket"])
    assert (tmp_path / "named").read_text() == "content"


@pytest.mark.parametrize(
    ("line", "page", "left", "words"),
    [
        ("xe x filename=out", PAGE, b"hello", ""),
        ("echo mine >out; xe x filename=out", PAGE, b"mine\n", "out: File exists\n"),
        ("xe x filename=no/out", PAGE, None, "no/out: No such file or directory\n"),
        ("ulimit -f 1; xe x filename=out", PAGE.replace(b" 5", b" 9000") + b"x" * 8995, None,
         "out: File too large\n"),
        ("xe x filename=out", PAGE.replace(b" 5", b" 50"), None, ""),
        ("xe x filename=out", PAGE.replace(b"200 OK", b"404 No"), None, ""),
    ],
)  # fmt: skip
def test_a_download_is_whole_in_a_new_file_or_not_there(
    line: str, page: bytes, left: bytes | None, words: str, tmp_path: Path
) -> None:
    path = "no/out" if "no/" in line else "out"
    script = Script(download(path), EXIT, page=page)
    ran = told(script, line, tmp_path)
    assert (ran.code, ran.err) == (0, words)
    done = left == b"hello"
    assert script.heard.endswith(struct.pack("<iii", 8, 10, 5 if done else 6))
    file = tmp_path / "out"
    assert (file.read_bytes() if file.exists() else None) == left
    if done:
        assert file.stat().st_mode & 0o777 == 0o600


Broken = Callable[[Path], object]


def a_folder(home: Path) -> None:
    (home / ".xe").mkdir()


def no_text(home: Path) -> None:
    (home / ".xe").write_bytes(b"server=\xff\n")


@pytest.mark.parametrize("broken", [a_folder, no_text])
def test_options_that_can_t_be_read_are_no_reason_to_ask_another_host(
    broken: Broken, tmp_path: Path
) -> None:
    broken(tmp_path)
    script = Script(EXIT)
    ran = told(script, "xe pool-eject host-uuid=x", tmp_path, HOME=str(tmp_path))
    assert ran.code == 1 and f"{tmp_path}/.xe can't be read" in ran.err
    assert script.heard == b""


def test_a_home_is_not_needed(tmp_path: Path) -> None:
    assert told(Script(printed("a"), EXIT), "xe host-list", tmp_path) == Ran(0, "a\n", "")


@pytest.mark.parametrize(
    "word", ["name-label=a\nhost=another", "--force\r", "-pw\nx", "password=a\nb"]
)
def test_no_word_becomes_two(word: str, tmp_path: Path) -> None:
    script = Script(EXIT)
    ran = told(script, f"xe host-list {shlex.quote(word)}", tmp_path)
    assert ran == Ran(1, "", "No word of a command can have a line break in it.\n")
    assert script.heard == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-s '' -pw x", "Nobody knows the host ''"),
        ("-s " + "x" * 300 + " -pw x", "Nobody knows the host"),
        ("-s 127.0.7.9 -p ² -pw x", "² is no port"),
        ("-s", "-s needs a value"),
        ("-pwf /nowhere", "/nowhere can't be read"),
        ("-s 127.0.7.9 -p 1 --thumbprint AA -pw x", "does not answer"),
    ],
)
def test_what_is_typed_wrong_is_said(words: str, said: str, tmp_path: Path) -> None:
    ran = told(Script(EXIT), f"xe host-list {words}", tmp_path)
    assert ran.code == 1 and said in ran.err


def test_a_question_is_answered_by_what_was_typed_byte_for_byte(tmp_path: Path) -> None:
    script = Script(frame(3), EXIT)
    assert told(script, r"printf 'gr\xf6\n' | xe pool-eject", tmp_path, LC_ALL="C").code == 0
    line = b"gr\xf6\n"
    chunk = struct.pack("<iiii", 12, 11, 7, len(line)) + line + struct.pack("<iii", 8, 11, 8)
    assert script.heard.endswith(chunk)


def test_a_secret_is_not_shown_as_it_is_typed(tmp_path: Path) -> None:
    ask = frame(15, text("pooltrust: the next answer is a secret")) + frame(3)
    script = Script(ask, EXIT)

    def typing() -> bytes:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(tmp_path)
            words = [sys.executable, "-I", "-S", str(XE), "--socket", "socket", "user-create"]
            os.execv(words[0], words)
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(terminal, PASSWORD.encode() + b"\n")
        return shown_until_exit(child, terminal)

    async def story() -> bytes:
        async with script.at(tmp_path / "socket"):
            return await asyncio.to_thread(typing)

    assert PASSWORD.encode() not in run(story())
    assert PASSWORD.encode() + b"\n" in script.heard
