"""Failed logins become one alert an hour, which repeats nothing that may be a password."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pooltrust.pool import logins as module
from pooltrust.pool.alerts import About
from pooltrust.pool.logins import FailedLogins
from pooltrust.terms import PoolId

NOON = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
POOL = PoolId("ab" * 32)


def failed(*times: tuple[str | None, str]) -> FailedLogins:
    failures = FailedLogins()
    for number, (username, origin) in enumerate(times):
        failures = failures.with_one(username, origin, NOON + timedelta(seconds=number))
    return failures


def test_nothing_failed_is_no_alert():
    assert list(FailedLogins().alerts(POOL)) == []


def test_the_alert_counts_by_account_and_origin_the_most_first():
    (alert,) = failed(
        ("alice", "192.0.2.1"), ("root", "192.0.2.2"), ("root", "192.0.2.2"), (None, "192.0.2.3")
    ).alerts(POOL)

    assert (alert.name, alert.about, alert.object, alert.priority) == (
        "FAILED_LOGIN_ATTEMPTS",
        About.POOL,
        POOL,
        3,
    )
    assert alert.words == (
        "4 logins failed in the last hour: 2 as root from 192.0.2.2, 1 as alice from 192.0.2.1."
    )
    assert alert.date == NOON + timedelta(seconds=2)
    assert alert.body == (
        "<body><total>4</total>"
        "<known><username>root</username><ip>192.0.2.2</ip><number>2</number>"
        "<date>20240601T12:00:02Z</date></known>"
        "<known><username>alice</username><ip>192.0.2.1</ip><number>1</number>"
        "<date>20240601T12:00:00Z</date></known>"
        "<unknown>1</unknown></body>"
    )


def test_accounts_that_do_not_exist_are_counted_without_a_name():
    (alert,) = failed((None, "192.0.2.3"), (None, "192.0.2.4")).alerts(POOL)

    assert alert.words == "2 logins failed in the last hour."
    assert alert.body == "<body><total>2</total><unknown>2</unknown></body>"


def test_many_origins_do_not_make_a_long_alert(monkeypatch):
    monkeypatch.setattr(module, "MOST_TOLD", 3)

    failures = failed(*(("root", f"192.0.2.{n}") for n in range(50)), ("root", "192.0.2.0"))

    assert (len(failures.known), failures.unknown, failures.total) == (3, 48 - 1, 51)


def test_what_an_origin_is_called_does_not_break_the_body():
    (alert,) = failed(("a&b", "<x>")).alerts(POOL)

    assert "<username>a&amp;b</username><ip>&lt;x&gt;</ip>" in alert.body
