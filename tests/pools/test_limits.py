"""What a daemon takes of its machine: memory after its start and under logins, CPU while idle.

One demonstration of its own, and the stories in the order in which they are told: what follows
the start, some silence, then twenty logins at once.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import soak

from .demonstration import Demo, running_demo
from .stage import Host

SETTLED_SECONDS = 3.0
IDLE_SECONDS = 60.0 if soak.MINUTES else 30.0


@pytest.fixture(scope="module")
def fresh() -> Iterator[Demo]:
    with running_demo() as demo:
        yield demo


def memory(pid: int, what: str) -> float:
    """VmRSS (now) or VmHWM (at the peak) of a process, in MiB."""
    [line] = [x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if what in x]
    return int(line.split()[1]) / 1024


def cpu(pid: int) -> float:
    """Seconds of a processor that the threads of this process have taken so far."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def told(what: str, measured: dict[str, float]) -> None:
    print(what, ", ".join(f"{name} {value:.2f}" for name, value in measured.items()))


def measured(demo: Demo, measure: Callable[[int], float]) -> dict[str, float]:
    return {name: measure(host.pid) for name, host in demo.hosts.items()}


def test_after_its_start_a_daemon_has_at_most_72_mib(fresh: Demo):
    taken = measured(fresh, lambda pid: memory(pid, "VmRSS"))
    told("MiB after the start:", taken)
    assert max(taken.values()) <= 72  # aiohttp alone has 12 of it


def test_an_idle_daemon_takes_at_most_50_ms_of_cpu_in_a_minute(fresh: Demo):
    """The heartbeats of the pool are in it: at least one of each supporter."""
    time.sleep(SETTLED_SECONDS)
    before = measured(fresh, cpu)
    time.sleep(IDLE_SECONDS)
    after = measured(fresh, cpu)
    taken = {name: (after[name] - spent) * 1000 for name, spent in before.items()}
    told(f"ms in {IDLE_SECONDS:g} idle seconds:", taken)
    assert max(taken.values()) <= 50 * IDLE_SECONDS / 60


def test_twenty_logins_at_once_are_all_answered_rightly_and_nobody_waits_for_them(fresh: Demo):
    """Half of them wrong, each from an address of its own, since wrong ones make theirs wait."""
    host = fresh.hosts["h1"]
    given = [fresh.password if number % 2 else "wrong" for number in range(20)]
    expected = ["opened" if password != "wrong" else "refused" for password in given]
    with (
        closing(Line(host)) as line,
        Bystander(line, fresh.password) as bystander,
        ThreadPoolExecutor(20) as threads,
    ):
        answers = list(threads.map(lambda n: login(host, n, given[n]), range(20)))
    print(f"{len(bystander.waits)} calls meanwhile, the slowest {max(bystander.waits):.3f} s")
    assert answers == expected
    assert len(bystander.waits) > 20
    assert max(bystander.waits) < 1
    peaks = measured(fresh, lambda pid: memory(pid, "VmHWM"))
    told("MiB at the peak:", peaks)
    assert max(peaks.values()) <= 96


def login(host: Host, number: int, password: str) -> str:
    with closing(Line(host, f"127.0.1.{number + 1}")) as line:
        answer = line.call("session.login_with_password", "root", password)
    if "error" in answer:
        assert answer["error"]["message"] == "SESSION_AUTHENTICATION_FAILED"
        assert answer["error"]["data"][1] == "The credentials given by the user are incorrect"
        return "refused"
    assert answer["result"].startswith("OpaqueRef:")
    return "opened"


class Line:
    """A keep-alive connection of a client to this host, from an address of its own."""

    def __init__(self, host: Host, source: str = "127.0.0.1") -> None:
        trust = ssl.create_default_context(cafile=host.folder / "server.pem")
        self._http = http.client.HTTPSConnection(
            host.address, host.port, context=trust, timeout=60, source_address=(source, 0)
        )

    def call(self, method: str, *parameters: object) -> dict[str, Any]:
        request = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1}
        self._http.request("POST", "/jsonrpc", json.dumps(request))
        return dict(json.loads(self._http.getresponse().read()))

    def close(self) -> None:
        self._http.close()


class Bystander:
    """Somebody who has logged in before and goes on calling; `waits` are the seconds of each."""

    def __init__(self, line: Line, password: str) -> None:
        self.waits: list[float] = []
        self._line = line
        self._session = line.call("session.login_with_password", "root", password)["result"]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            answer = self._line.call("host.get_all", self._session)
            self.waits.append(time.monotonic() - began)
            assert len(answer["result"]) == 3
            time.sleep(0.02)
