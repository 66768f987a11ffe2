"""The tests' own equipment: what is missing is named, and a permission binds."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import machine

pytest_plugins = ["pytester"]

TWO_TESTS = """
import pytest

import machine

@pytest.mark.needs("frobnicate")
def test_that_lacks(): raise AssertionError("it ran")

@pytest.mark.needs("sh")
def test_that_has(): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    (pytester.path / "packages.debian").write_text("# a list\nfrob-light frobnicate -\n")
    folder = pytester.mkdir("tests")
    for name in ("conftest.py", "machine.py", "soak.py"):
        (folder / name).write_text(Path(__file__).with_name(name).read_text())
    (folder / "test_two.py").write_text(TWO_TESTS)
    return pytester


def test_a_missing_program_skips_by_name_with_a_count(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CI", raising=False)
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "frobnicate is missing (apt-get install frob-light): 1 skipped",
            "*test_two.py::test_that_lacks",
        ]
    )


def test_it_is_counted_whichever_process_ran_the_test(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CI", raising=False)
    result = project.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["frobnicate is missing (apt-get install frob-light): 1 skipped"])


def test_a_missing_program_fails_in_continuous_integration(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CI", "true")
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["needs frobnicate: apt-get install frob-light"])


def test_a_program_that_no_package_brings_is_refused():
    with pytest.raises(LookupError):
        machine.package("frobnicate")


def test_a_free_port_is_free_on_every_address(free_port: Callable[..., int]):
    port = free_port("127.0.0.1", "127.0.0.2", "127.0.0.3")
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        socket.create_server((address, port)).close()


def test_a_taken_port_is_not_free():
    with socket.create_server(("127.0.0.2", 0)) as taken:
        assert not machine.is_free("127.0.0.2", taken.getsockname()[1])


def test_permissions_bind_an_ordinary_user(ordinary_uid: machine.OrdinaryUser):
    secret = ordinary_uid.folder / "secret"
    secret.write_text("x")
    secret.chmod(0)
    with pytest.raises(PermissionError):
        ordinary_uid.run(secret.read_text)
    assert ordinary_uid.run(os.getuid) == ordinary_uid.uid != 0
    assert ordinary_uid.run(sum, [1, 2]) == 3


def test_an_ordinary_user_has_a_folder(ordinary_uid: machine.OrdinaryUser):
    ordinary_uid.run((ordinary_uid.folder / "mine").write_text, "x")
    assert (ordinary_uid.folder / "mine").read_text() == "x"
