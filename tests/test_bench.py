"""The harness of `make bench`: it measures what it says, and a wrong answer is no figure."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import pytest
from bench import hello, measure, reference_nginx, subject
from bench.calls import report
from bench.measure import Figures
from bench.scale import daemons, machines

import soak
from pooltrust.pki.mint import KeyKind, mint_pool_identity
from pooltrust.terms import EntryHash, HostId, PoolId
from pooltrust.trust.canonical import pae
from pooltrust.trust.heads import PAYLOAD_TYPE, Head, SignedHead, sign_head

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    started = subject.start_listener(tmp_path_factory.mktemp("bench") / "ours", KeyKind.P256)
    yield started
    started.server.stop()


@pytest.mark.needs("nginx")
def test_a_quick_run_prints_every_comparison() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--listener"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    tables = re.split(r"^(?=New|Keep-alive)", ran.stdout, flags=re.MULTILINE)[1:]
    assert len(tables) == 4
    new, keep_alive = tables[:3], tables[3]
    for table in new:
        assert len(re.findall(r"^(?:nginx|bare loop) .*CPU × \d+\.\d\d", table, re.M)) == 2
    assert re.search(r"^nginx .*rate × \d+\.\d\d", keep_alive, re.MULTILINE)
    assert re.search(r"listening [\d,]+ ms after its start, \d+ MB", ran.stdout)


@pytest.mark.skipif(not soak.MINUTES, reason="it starts a pool of 64 three times")
def test_calls_and_waiting_clients_are_measured_beside_the_bare_stack(tmp_path, capsys) -> None:
    report.report(tmp_path / "calls", 0.4, 1, calls=("host.get_record",), clients=20)
    printed = capsys.readouterr().out
    line = r"^host.get_record +[\d,]+ .*\n +bare stack .*rate × \d+\.\d\d"
    assert re.search(line, printed, re.M)
    [times] = re.findall(r"last, ms.*\n((?: +\d+){3} +-?\d+)", printed)
    first, median, last, _ = map(int, times.split())
    assert first <= median <= last


def test_every_answer_is_counted_and_its_cpu_too(ours) -> None:
    job = ours.client_job(ours.server, seconds=0.3, parallel=2)
    before = measure.cpu_seconds(ours.server.pid)
    done = measure.run(job)
    assert done.answered == len(done.times) + 2 * 5
    assert done.rate > 0
    assert measure.cpu_seconds(ours.server.pid) > before


def test_a_member_is_answered_under_the_pool_name(ours) -> None:
    done = measure.run(ours.member_job(ours.server, seconds=0.1, parallel=1))
    assert done.answered > 5


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"anchor": "pool"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"reply": "another"}, "WrongAnswer: HTTP/1.1 200"),
        ({"name": "pool"}, "CERTIFICATE_REQUIRED|CERTIFICATE_VERIFY_FAILED"),
    ],
    ids=str,
)
def test_a_wrong_certificate_or_reply_is_no_figure(ours, wrong, said) -> None:
    if "anchor" in wrong:
        wrong = {"anchor": str(ours.pool_identity)}
    job = replace(ours.client_job(ours.server, seconds=0.1, parallel=1), **wrong)
    with pytest.raises(RuntimeError, match=said):
        measure.run(job)


def test_the_greeting_is_answered_by_a_head_over_the_nonce_that_came(tmp_path: Path) -> None:
    me, pool = HostId("6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11"), PoolId("ab" * 32)
    identity = mint_pool_identity(me, datetime(2026, 3, 1, tzinfo=UTC))
    (tmp_path / "pool.pem").write_bytes(identity.pem())
    thumbprint = identity.certificate.thumbprint
    head = Head(pool, 3, EntryHash("cd" * 32), bytes(32), me, thumbprint, 7, "instance")
    payload = sign_head(head, identity).payload.decode()
    near, far = socket.socketpair()
    with near, far:
        far.settimeout(5)
        nonce = base64.b64encode(b"n" * 32).decode()
        hello._send(far, {"hello": 1, "nonce": nonce, "head": {"payload": payload}})
        greeting = hello.Greeting({"pool": pool, "host": me}, tmp_path / "pool.pem")
        greeting.greet(near)
        asked = hello._receive(far)
        assert (asked["pool"], asked["host"], asked["expect"]) == (pool, me, me)
        hello._send(far, {"entries": []})
        greeting.ask(near)  # the head goes out with the first question
        content = hello._receive(far)["head"]
        assert hello._receive(far) == {"call": "log", "after": 3}
    signed = SignedHead(content["payload"].encode(), base64.b64decode(content["signature"]))
    assert signed.head == replace(head, nonce=b"n" * 32)
    assert identity.certificate.verify(signed.signature, pae(PAYLOAD_TYPE, signed.payload))


def test_children_count_with_their_parent() -> None:
    child = [sys.executable, "-c", "while True: pass"]
    code = f"import subprocess, time; subprocess.Popen({child!r}); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        busy = 0.0
        while busy < 0.2:
            assert parent.poll() is None
            busy = measure.cpu_seconds(parent.pid)
        family = measure.family(parent.pid)
        assert family[0] == parent.pid
        assert len(family) == 2
    finally:
        os.killpg(parent.pid, 9)
        parent.wait()


def test_a_ratio_is_the_median_of_the_ratios_of_each_round() -> None:
    ours = [Figures(1, cpu, 1, 1) for cpu in (10, 40, 90)]
    theirs = [Figures(1, cpu, 1, 1) for cpu in (10, 20, 30)]
    assert measure.ratio(ours, theirs, "cpu") == 2
    assert measure.median(ours).cpu == 40


def test_a_pool_of_real_daemons_is_measured_and_nothing_of_it_is_left(monkeypatch, capsys) -> None:
    monkeypatch.setattr(daemons, "QUIET_SECONDS", 0.0)
    made = []
    monkeypatch.setattr(machines.tempfile, "mkdtemp", lambda **_: made.append(mkdtemp()) or made[0])
    daemons.measure(2, idle=0.1)
    told = capsys.readouterr().out
    for what in ("join", "enable", "refresh one", "refresh all"):
        assert re.search(rf"^\| {what} \| 2 \|( \d+\.\d\d \|){{3}} [\d,]+ \|$", told, re.M)
    assert re.search(r"resident \d+ .* \(PSS\) \d+", told)
    assert re.search(r"Idle .* a supporter \d+\.\d\d %", told)
    assert not Path(made[0]).exists()
    assert not [line for line in commands() if made[0] in line]


def commands() -> list[str]:
    """What runs now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def test_a_reply_that_nginx_would_change_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nginx would read"):
        reference_nginx.serve(tmp_path / "nginx", tmp_path / "none", "costs $5")
