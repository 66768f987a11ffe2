"""The program itself: what it imports, how it is installed, and how it behaves when things break."""

from __future__ import annotations

import asyncio
import os
import pty
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from daemons import Host, run, running
from operations.stage import Pool

from .stage import XE, console, remote, xe
from .test_known import loaded

SLOW = {
    "asyncio",
    "typing",
    "dataclasses",
    "json",
    "argparse",
    "http",
    "http.client",
    "re",
    "logging",
}


def imported(*words: str, environment: dict[str, str] | None = None) -> set[str]:
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(XE), *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment or {}, timeout=60)
    rows = (line.split("|") for line in ran.stderr.splitlines() if line.startswith("import time:"))
    return {row[2].strip() for row in rows if len(row) == 3}


def test_on_its_common_path_it_imports_almost_nothing(pool: Pool, tmp_path: Path) -> None:
    hosts = h1, _ = pool(2)

    async def story() -> None:
        async with running(*hosts):
            local = await asyncio.to_thread(
                imported, "--socket", str(h1.config.socket), "host-list"
            )
            assert "_socket" in local
            assert not local & (SLOW | {"ssl", "socket", "os", "enum"})
            environment = {"HOME": str(tmp_path)}
            words = remote(h1, "--no-warn-new-certificates", "host-list")
            assert (await xe(*words, environment=environment)).code == 0
            tls = await asyncio.to_thread(imported, *words, environment=environment)
            assert "ssl" in tls
            assert not tls & (SLOW - {"re"} | {"encodings.idna"})

    run(story())


def test_as_installed_it_starts_without_site_packages_and_environment(tmp_path: Path) -> None:
    installed = Path(sysconfig.get_path("scripts")) / "xe"
    assert installed.read_text() == XE.read_text(), "install it again: pip install -e ."
    flags = tmp_path / "xe"
    # The same first lines, before a program that tells how it was started.
    head = installed.read_text().partition('"""xe:')[0]
    told = "import sys\nprint(sys.flags.no_site, sys.flags.isolated, sys.argv[1:])\n"
    flags.write_text(head + told)
    flags.chmod(0o755)
    ran = subprocess.run([flags, "a b"], capture_output=True, text=True, timeout=20)
    assert ran.stdout == "1 1 ['a b']\n"


def test_it_runs_as_one_file_anywhere(tmp_path: Path) -> None:
    copied = tmp_path / "xe"
    copied.write_bytes(XE.read_bytes())
    copied.chmod(0o755)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    ran = subprocess.run([copied, "-version"], capture_output=True, env=environment, timeout=20)
    assert ran.stdout == b"ThinCLI protocol: 0.2\n"


def test_no_byte_waits_for_an_acknowledgement_and_a_dead_host_is_noticed() -> None:
    """Over TLS the request was held back for 40 ms, until the handshake's end was acknowledged."""
    with socket.create_server(("127.0.7.9", 0)) as server:
        dialled = loaded().dial(*server.getsockname())
        for level, option in (
            (socket.IPPROTO_TCP, socket.TCP_NODELAY),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        ):
            assert dialled.getsockopt(level, option)
        dialled.close()


@pytest.mark.parametrize("words", [[], ["-help"], ["host-list", "--help"]])
def test_its_own_help_is_on_stderr_and_no_failure(words: list[str]) -> None:
    async def story() -> None:
        ran = await xe(*words)
        assert (ran.code, ran.out) == (0, "")
        assert ran.err.startswith("Usage: xe")

    run(story())


def test_nobody_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    async def story() -> None:
        ran = await xe("--socket", str(tmp_path / "none"), "host-list")
        assert ran.code == 1 and "pooltrust host run" in ran.err
        ran = await xe("-s", "127.0.7.9", "-p", "1", "-u", "root", "-pw", "x", "host-list")
        assert ran.code == 1 and "127.0.7.9 does not answer" in ran.err

    run(story())


def test_a_server_that_vanishes_half_way_is_said() -> None:
    async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = b"XenSource thin CLI protocol" + bytes([0, 0, 0, 0, 2, 0, 0, 0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(hello + bytes([40, 0, 0, 0, 9]))
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(vanish, "127.0.7.9", 0)
        port = str(server.sockets[0].getsockname()[1])
        words = ("-s", "127.0.7.9", "-p", port, "--nossl", "-u", "root", "-pw", "x", "host-list")
        ran = await xe(*words)
        server.close()
        assert ran.code == 1 and "The connection was lost" in ran.err

    run(story())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 500 Internal error\r\n\r\n" + bytes(20), "no command line"),
        (b"SSH-2.0-OpenSSH" + bytes(40), "Another protocol"),
        (b"", "Nobody answers there as a pool's host does"),
    ],
)
def test_whoever_is_no_command_line_server_is_named(answer: bytes, words: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(serve, "127.0.7.9", 0)
        port = str(server.sockets[0].getsockname()[1])
        ran = await xe("-s", "127.0.7.9", "-p", port, "--nossl", "-u", "a", "-pw", "x", "host-list")
        server.close()
        assert ran.code == 1 and words in ran.err

    run(story())


def test_the_file_of_options_and_the_environment_are_read(pool: Pool, tmp_path: Path) -> None:
    hosts = h1, h2 = pool(2)
    (tmp_path / ".xe").write_text(f"socket={h1.config.socket}\nparams=uuid\n")
    environment = {"HOME": str(tmp_path), "XE_EXTRA_ARGS": "name-label=h2,--minimal"}

    async def story() -> None:
        async with running(*hosts):
            ran = await xe("host-list", environment=environment)
            assert ran.out == f"{h2.me}\n"

    run(story())


def test_at_a_terminal_a_host_is_trusted_when_somebody_says_yes(pool: Pool, tmp_path: Path) -> None:
    (h1,) = pool(1)

    def typing(answer: bytes) -> tuple[int, bytes]:
        child, terminal = pty.fork()
        if child == 0:
            os.environ.clear()
            os.environ["HOME"] = str(tmp_path)
            os.execv(
                sys.executable, [sys.executable, "-I", "-S", str(XE), *remote(h1, "pool-list")]
            )
        shown = b""
        while b"[yes/no]" not in shown:
            shown += os.read(terminal, 4096)
        os.write(terminal, answer)
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:
            pass  # the terminal's other end is gone: it has exited
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown

    async def story() -> None:
        async with running(h1):
            code, shown = await asyncio.to_thread(typing, b"no\n")
            assert code == 4 and b"Nothing was sent" in shown
            code, shown = await asyncio.to_thread(typing, b"yes\n")
            assert code == 0 and b"uuid ( RO)" in shown
            assert (
                await xe(*remote(h1, "pool-list"), environment={"HOME": str(tmp_path)})
            ).code == 0

    run(story(), 60)


def test_completion_gives_commands_parameters_and_values(pool: Pool, tmp_path: Path) -> None:
    hosts = h1, _ = pool(2)

    async def completed(host: Host, *words: str) -> list[str]:
        script = (
            f'xe() {{ {sys.executable} -I -S {XE} --socket {host.config.socket} "$@"; }}; '
            'eval "$(xe completion shell=bash)"; '
            f"COMP_WORDS=(xe {' '.join(words)}); COMP_CWORD={len(words)}; compopt() {{ :; }}; "
            'COMPREPLY=(); _xe; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return out.decode().split()

    async def story() -> None:
        async with running(*hosts):
            assert "pool-enable-tls-verification" in await completed(h1, "pool-en")
            assert await completed(h1, "pool-eject", "ho") == ["host-uuid="]
            assert await completed(h1, "host-refresh-server-certificate", "host=h") == [
                "host=h1",
                "host=h2",
            ]
            assert await completed(h1, "host-param-get", "param-name=tls") == [
                "param-name=tls-verification-enabled"
            ]
            file = f"filename={XE.parent}/__in"
            assert await completed(h1, "pool-crl-install", file) == [f"{file}it__.py"]
            uuids = [f"host-uuid={host.me}" for host in hosts]
            assert sorted(await completed(h1, "pool-eject", "host-uuid=")) == sorted(uuids)
            assert (await console(h1, "completion", "shell=fish")).code == 1

    run(story(), 60)
