"""A single host as an administrator sets it up, and what is said when something is not right."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import sys
import traceback
import xmlrpc.client
from collections.abc import Iterator
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from machine import OrdinaryUser, find_free_port
from pooltrust.command.main import main

from .stage import (
    START_SECONDS,
    STOP_SECONDS,
    Host,
    contents,
    listens,
    pooltrust,
    short_folder,
    within,
)

PROGRAM = (
    "encodings.idna",
    "pooltrust.command.host",
    "pooltrust.command.status",
    "pooltrust.host.daemon",
)
"""What the commands below import when they begin."""


@pytest.fixture
def host() -> Iterator[Host]:
    """A host that is not set up yet."""
    with short_folder() as folder:
        host = Host("h1", "127.0.0.1", find_free_port("127.0.0.1"), folder / "h1")
        yield host
        host.stop()


def complaint(*arguments: object) -> str:
    """What a command that fails says: nothing but that, and exit status 1."""
    done = pooltrust(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_new_host_founds_a_pool_of_one_with_verification_on(host: Host):
    status = host.init().run().status()
    assert (status["role"], status["verification"], status["current"]) == (
        "coordinator",
        "on",
        "yes",
    )
    assert list(host.members()) == ["h1"]
    assert host.probe()["h1"]["verified"] == "true"


def test_it_may_found_one_without(host: Host):
    host.init(verification=False).run()
    assert host.status()["verification"] == "off"
    [pool] = host.call("pool.get_all_records").values()
    assert pool["tls_verification_enabled"] is False


def test_an_upgraded_host_does_not_verify_until_that_is_enabled(host: Host):
    host.init("--upgraded-from", "7.6").run()
    assert host.status()["verification"] == "off"
    host.call("pool.enable_tls_verification")
    assert host.status()["verification"] == "on"
    host.kill()
    assert host.run().status()["verification"] == "on"


def test_an_ordinary_user_sets_a_host_up_and_runs_it_on_a_high_port(ordinary_uid: OrdinaryUser):
    port = find_free_port("127.0.0.1")
    home = ordinary_uid.folder
    init = ("host", "init", "--name", "h1", "--address", "127.0.0.1", "--port", str(port))
    printed = commanded(ordinary_uid, *init)
    told = dict(re.findall(r"^  (\S.*\S)  +(\S.*)$", printed, re.MULTILINE))
    assert told["configuration"] == str(home / ".config/pooltrust/pooltrust.toml")
    assert told["state folder"] == str(home / ".local/state/pooltrust")

    daemon = command(ordinary_uid, "daemon.log", "host", "run")
    try:
        within(30, lambda: listens("127.0.0.1", port))
        met = ssl.get_server_certificate(("127.0.0.1", port))
        assert thumbprint(met) == told["server thumbprint"]
        assert logs_in(met, port, told["user"], told["password"])
        status = commanded(ordinary_uid, "host", "status")
        assert f"h1 ({told['host']})" in status
        assert told["pool thumbprint"] in status
    finally:
        daemon.terminate()
        daemon.join(STOP_SECONDS)
    assert daemon.exitcode == 0
    assert {path.stat().st_uid for path in home.rglob("*")} == {ordinary_uid.uid}


def test_an_ordinary_user_s_port_is_8443_unless_told_otherwise(ordinary_uid: OrdinaryUser):
    init = ("host", "init", "--name", "h1", "--address", "127.0.0.1")
    assert "127.0.0.1 port 8443" in commanded(ordinary_uid, *init)


def commanded(somebody: OrdinaryUser, *arguments: str) -> str:
    """Run a command as this user to its end; what it printed."""
    process = command(somebody, "printed", *arguments)
    process.join(60)
    printed = (somebody.folder / "printed").read_text()
    assert process.exitcode == 0, printed
    return printed


def command(somebody: OrdinaryUser, output: str, *arguments: str) -> ForkProcess:
    """Start a command as this user, its output going to this file of its home.

    Forked, not executed: the interpreter and the program may be where only root can read them.
    """
    for module in PROGRAM:
        import_module(module)
    process = get_context("fork").Process(target=_act, args=(somebody, output, arguments))
    process.start()
    return process


def _act(somebody: OrdinaryUser, output: str, arguments: tuple[str, ...]) -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(somebody.uid)
        os.setuid(somebody.uid)
    os.environ["HOME"] = str(somebody.folder)
    os.environ.pop("POOLTRUST_CONFIG", None)
    os.chdir(somebody.folder)
    with open(output, "w") as sys.stdout:
        sys.stderr = sys.stdout
        try:
            code = main(arguments)
        except BaseException:
            traceback.print_exc()
            raise
    os._exit(code)


def thumbprint(pem: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest().hex(":").upper()


def logs_in(trusted: str, port: int, user: str, password: str) -> bool:
    trust = ssl.create_default_context(cadata=trusted)
    with xmlrpc.client.ServerProxy(f"https://127.0.0.1:{port}", context=trust) as proxy:
        answer = proxy.session.login_with_password(user, password)
    return bool(answer["Status"] == "Success")


def test_setting_up_twice_is_refused_and_changes_nothing(host: Host):
    host.init()
    before = contents(host.folder)
    told = complaint("host", "init", "--config", host.config)
    assert f"{host.state} holds a host already; nothing was changed" in told
    assert "pooltrust host run" in told
    assert contents(host.folder) == before


def test_a_folder_that_a_daemon_has_names_its_process(host: Host):
    process = host.init().run().process
    assert process is not None
    for verb in ("run", "init"):
        told = complaint("host", verb, "--config", host.config)
        assert f"The state folder {host.state} is in use by process {process.pid}." in told
    assert host.status()["current"] == "yes"


@pytest.mark.parametrize("number", [2, 15], ids=["SIGINT", "SIGTERM"])
def test_it_stops_when_told_and_leaves_no_socket_and_no_lock(host: Host, number: int):
    host.init().run()
    assert host.stop(number) == 0
    assert not host.socket.exists()
    assert not (host.state / "lock").exists()


def test_the_service_manager_hears_when_it_answers_and_when_it_stops(host: Host, tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(START_SECONDS)
        host.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        host.init().start()
        assert manager.recv(1000).startswith(b"READY=1\nSTATUS=h1 answers on port ")
        assert host.status()["current"] == "yes"
        assert host.stop() == 0
        assert manager.recv(1000) == b"STOPPING=1"


def test_a_port_that_is_taken_is_said(host: Host):
    host.init()
    with socket.create_server((host.address, host.port)):
        done = pooltrust("host", "run", "--config", host.config)
    assert done.returncode == 1
    assert f"can't listen on 127.0.0.1 port {host.port}: the port is taken" in done.stderr
    assert not (host.state / "lock").exists()


def test_what_is_not_there_is_said_with_the_command_that_makes_it(host: Host):
    assert "pooltrust host init" in complaint("host", "run", "--config", host.config)
    host.init()
    told = complaint("host", "status", "--config", host.config)
    assert f"No daemon answers at {host.socket}" in told
    assert "pooltrust host run" in told


def test_every_problem_of_a_configuration_is_said_at_once(host: Host):
    host.folder.mkdir()
    host.config.write_text(
        '[host]\nname = "not a name"\nport = 70000\nprot = 1\n[verification]\nat_founding = "no"\n'
    )
    told = complaint("host", "init", "--config", host.config)
    for words in (
        "[host] name: met 'not a name'",
        "[host] address: met nothing",
        "[host] port: met 70000; allowed is a whole number from 1 to 65535",
        "[host] prot: met an unknown key",
        "[verification] at_founding: met 'no'; allowed is true or false, without quotes",
    ):
        assert words in told
    assert [path.name for path in host.folder.iterdir()] == ["pooltrust.toml"]
