"""What the pages say of times, certificates and states: their own functions, run by node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pooltrust.console.web.serve import STATIC

pytestmark = pytest.mark.needs("node")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    shutil.copytree(STATIC / "js", folder / "js")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def said(scripts: Path, module: str, expression: str, zone: str = "UTC") -> Any:
    """What this expression is, with what the module exports as `m`."""
    page = "globalThis.location = {hash: ''}; globalThis.localStorage = {getItem: () => ''}"
    script = f"""{page}
        const m = await import('./js/{module}')
        console.log(JSON.stringify({expression}))"""
    run = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        cwd=scripts,
        env=os.environ | {"TZ": zone},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize(
    ("zone", "text", "words"),
    [
        ("UTC", "20261128T08:40:59Z", "2026-11-28 08:40 UTC"),
        ("Asia/Kolkata", "20261128T08:40:59Z", "2026-11-28 14:10 +05:30 (08:40 UTC)"),
        ("America/Los_Angeles", "2026-11-28T02:00:00Z", "2026-11-27 18:00 −08:00 (2026-11-28 02:00 UTC)"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25 02:30 +02:00 (00:30 UTC)"),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25 02:30 +01:00 (01:30 UTC)"),
        ("Europe/Berlin", "when it was", "unknown"),
    ],
)  # fmt: skip
def test_a_time_is_local_and_utc_and_is_one_moment_only(
    scripts: Path, zone: str, text: str, words: str
):
    assert said(scripts, "core/words.js", f"m.when({json.dumps(text)})", zone) == words


def test_what_ends_is_more_urgent_below_thirty_fourteen_and_seven_days(scripts: Path):
    ends = [-25, 1, 47, 7 * 24 - 1, 7 * 24, 14 * 24 - 1, 14 * 24, 30 * 24 - 1, 30 * 24]
    states = said(
        scripts,
        "core/words.js",
        f"""{ends}.map(hours => {{
          const until = new Date(Date.UTC(2026, 10, 28) + hours * 3600000).toISOString()
          const state = m.validityState('20260101T00:00:00Z', until, Date.UTC(2026, 10, 28))
          return [state.kind, state.tone, state.words]
        }})""",
    )
    assert states == [
        ["expired", "bad", "expired 2 days ago"],
        ["soon7", "bad", "1 hour left"],
        ["soon7", "bad", "47 hours left"],
        ["soon7", "bad", "6 days left"],
        ["soon14", "warn", "7 days left"],
        ["soon14", "warn", "13 days left"],
        ["soon30", "note", "14 days left"],
        ["soon30", "note", "29 days left"],
        ["good", "good", "30 days left"],
    ]


HOSTS = {
    "verified": {},
    "not heard": {"live": False},
    "not verified": {"pool": False},
    "verification off here": {"own": False},
    "expired": {"days": -1},
    "not yet valid": {"begins": 1},
    "3 d left": {"days": 3},
    "10 d left": {"days": 10},
    "20 d left": {"days": 20},
    "disabled": {"enabled": False},
}


def test_each_state_of_a_host_has_its_own_words_and_its_own_shape(scripts: Path):
    states = said(
        scripts,
        "core/facts.js",
        f"""Object.values({json.dumps(HOSTS)}).map(one => {{
          const at = days => new Date(Date.now() + (days + 0.5) * 86400000).toISOString()
          const host = {{ uuid: 'u', name_label: 'h', metrics: 'm', enabled: one.enabled ?? true,
            tls_verification_enabled: one.own ?? one.pool ?? true }}
          const certificate = {{ type: 'host', host: 'h', not_before: at(one.begins ?? -9), not_after: at(one.days ?? 99) }}
          const objects = {{
            pool: new Map([['p', {{ master: 'h', tls_verification_enabled: one.pool ?? true }}]]),
            host: new Map([['h', host]]),
            host_metrics: new Map([['m', {{ live: one.live ?? true }}]]),
            certificate: new Map([['c', certificate]]),
          }}
          const state = m.hostState({{ state: {{ standing: 'connected' }}, objects }}, 'h')
          return [state.words, state.kind]
        }})""",
    )
    assert [words for words, _ in states] == list(HOSTS)
    assert len({kind for _, kind in states}) == len(HOSTS)


def test_the_ends_of_certificates_are_a_calendar_that_others_can_read(scripts: Path):
    row = {
        "host": "h1, the first; of \\ many",
        "type": "Server identity certificate",
        "subject": "CN=" + "ü" * 100,
        "until": "20361125T08:39:00Z",
        "thumbprint": "AA:BB",
    }
    text = said(
        scripts,
        "actions/exports.js",
        f"m.calendar([{json.dumps(row)}], 'herons', new Date(Date.UTC(2026, 10, 28)))",
    )
    lines = text.split("\r\n")
    assert lines.pop() == "" and max(len(line.encode()) for line in lines) <= 75
    whole = text.replace("\r\n ", "").split("\r\n")
    assert "DTSTART:20361125T083900Z" in whole and "DTSTAMP:20261128T000000Z" in whole
    assert (
        "SUMMARY:h1\\, the first\\; of \\\\ many (herons): Server identity certificate ends"
        in whole
    )
    assert f"DESCRIPTION:SHA-256 AA:BB\\nCN={'ü' * 100}" in whole
    for begun in ("VCALENDAR", "VEVENT", "VALARM"):
        assert whole.count(f"BEGIN:{begun}") == whole.count(f"END:{begun}") > 0


def test_a_clock_is_wrong_only_beyond_what_its_seconds_and_the_way_leave_open(scripts: Path):
    told = said(
        scripts,
        "core/clocks.js",
        """[m.between(9000, 9400, 400), m.between(3609000, 9400, 400)].map(clock =>
          [Math.round(m.surely(clock) / 1000), m.clockTone(m.surely(clock))])""",
    )
    assert told == [[0, "good"], [3599, "bad"]]


def test_a_name_is_covered_by_itself_or_by_one_star_before_it(scripts: Path):
    names = ["h1.example.org", "*.pool.example.org", "192.0.2.1"]
    asked = ["H1.example.org.", "a.pool.example.org", "192.0.2.1", "fe80::1"]
    not_so = ["example.org", "h1", "a.b.pool.example.org", "pool.example.org", "192.0.2.11"]
    told = said(
        scripts,
        "core/facts.js",
        f"{json.dumps([*asked, *not_so])}.filter(one => m.covers({json.dumps(names)}, one))",
    )
    assert told == asked
