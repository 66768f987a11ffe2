"""What every test may ask for: programs, free ports, and to be an ordinary user.

`@pytest.mark.needs("nginx")` names a program that the test runs.  Where it is missing the test is
skipped, by name and counted at the end; in continuous integration (CI is set) it fails instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

import soak
from machine import OrdinaryUser, find_free_port, ordinary_user, package

LACKS = "lacks"
_lacking: dict[str, list[str]] = {}
"""The tests that each missing program stopped."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): the programs that this test runs")
    # Servers are to be found by an ordinary user too.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = {name for marker in item.iter_markers("needs") for name in marker.args}
    missing = sorted(name for name in needed if shutil.which(name) is None)
    for name in missing:
        item.user_properties.append((LACKS, name))
    if missing:
        words = f"needs {', '.join(missing)}: apt-get install {' '.join(map(package, missing))}"
        if os.environ.get("CI"):
            pytest.fail(words, pytrace=False)
        pytest.skip(words)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Heard by the process that prints the summary, whichever process ran the test."""
    if report.when == "setup":
        for what, name in report.user_properties:
            if what == LACKS:
                _lacking.setdefault(str(name), []).append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, tests in sorted(_lacking.items()):
        done = "failed" if os.environ.get("CI") else "skipped"
        terminalreporter.write_line(
            f"{name} is missing (apt-get install {package(name)}): {len(tests)} {done}", yellow=True
        )
        for test in tests:
            terminalreporter.write_line(f"  {test}", yellow=True)


def pytest_report_header() -> str:
    return f"seed {soak.SEED}: repeat this run's chances with POOLTRUST_SEED={soak.SEED}"


@pytest.fixture
def free_port() -> Callable[..., int]:
    """`free_port("127.0.0.1", "127.0.0.2")`: a TCP port that is free on all of these."""
    return find_free_port


@pytest.fixture
def ordinary_uid() -> Iterator[OrdinaryUser]:
    """Somebody who is not root: `.uid`, `.folder`, and `.run(function, *arguments)`."""
    with ordinary_user() as somebody:
        yield somebody
