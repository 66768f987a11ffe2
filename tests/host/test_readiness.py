"""The service manager is told, if there is one; without one, or with a deaf one, nothing happens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pooltrust.host.configuration.readiness import READY, tell_manager


@pytest.fixture(params=["a file", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    name = str(tmp_path / "notify") if request.param == "a file" else f"@pooltrust-{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(5)
        yield name, listening


def test_the_manager_hears_it_with_one_line_of_status(manager: tuple[str, socket.socket]):
    name, listening = manager
    assert tell_manager(READY, {"NOTIFY_SOCKET": name}, status="h1\nEVIL=1 answers")
    assert listening.recv(1000) == b"READY=1\nSTATUS=h1 EVIL=1 answers"


def test_without_one_nothing_is_told(tmp_path: Path):
    assert not tell_manager(READY, {})
    assert not tell_manager(READY, {"NOTIFY_SOCKET": "vsock:2:1234"})
    assert not tell_manager(READY, {"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert not tell_manager(READY, {"NOTIFY_SOCKET": "/" + "x" * 200})
