"""After five wrong passwords an origin waits, longer every time, up to a minute."""

from __future__ import annotations

import pytest

from pooltrust.host.accounts import origins as module
from pooltrust.host.accounts.origins import FORGOTTEN_AFTER, Origins


def failed(origin: str | None, times: int, *, username: str = "root", now: float = 0.0) -> Origins:
    origins = Origins()
    for _ in range(times):
        origins.failed(origin, username, now)
    return origins


@pytest.mark.parametrize(
    ("failures", "wait"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 32), (11, 60), (500, 60)],
)
def test_the_wait_doubles_up_to_a_minute(failures: int, wait: float):
    origins = failed("192.0.2.1", failures)
    assert wait == origins.wait("192.0.2.1", 0.0)
    assert origins.wait("192.0.2.1", wait) == 0
    assert max(0, wait - 0.5) == origins.wait("192.0.2.1", 0.5)


def test_others_do_not_wait():
    assert failed("192.0.2.1", 9).wait("192.0.2.2", 0.0) == 0


def test_the_unix_socket_is_no_origin():
    origins = failed(None, 100)
    assert (origins.wait(None, 0.0), origins.failures(None, 0.0)) == (0, 0)


def test_one_machine_does_not_get_a_try_for_each_of_its_addresses():
    origins = Origins()
    for number in range(9):
        origins.failed(f"2001:db8::{number:x}", "root", 0.0)
    assert origins.wait("2001:db8::ffff", 0.0) == 16
    assert origins.wait("2001:db8:0:1::1", 0.0) == 0


def test_an_ipv4_address_is_one_origin_in_both_spellings():
    assert failed("192.0.2.1", 5).wait("::ffff:192.0.2.1", 0.0) == 1


def test_a_right_password_forgets_the_wrong_ones():
    origins = failed("192.0.2.1", 9)
    origins.succeeded("192.0.2.1", "root")
    assert origins.failures("192.0.2.1", 0.0) == 0


def test_time_forgets_them_too():
    origins = failed("192.0.2.1", 9)
    assert origins.failures("192.0.2.1", FORGOTTEN_AFTER) == 9
    origins.failed("192.0.2.1", "root", FORGOTTEN_AFTER + 1)
    assert origins.failures("192.0.2.1", FORGOTTEN_AFTER + 1) == 1


def test_many_origins_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST", 3)
    origins = failed("192.0.2.1", 5)
    for number in range(2, 5):
        origins.failed("192.0.2.1", "root", 0.0)
        origins.failed(f"192.0.2.{number}", "root", 0.0)
    assert origins.failures("192.0.2.1", 0.0) == 8
    assert origins.failures("192.0.2.2", 0.0) == 0


def test_who_has_an_account_does_not_guess_at_anothers_between_his_own_logins():
    origins = failed("192.0.2.1", 4)
    origins.succeeded("192.0.2.1", "mallory")
    origins.failed("192.0.2.1", "root", 0.0)

    assert origins.wait("192.0.2.1", 0.0) == 1
    origins.succeeded("192.0.2.1", "root")
    assert origins.failures("192.0.2.1", 0.0) == 0


def test_a_right_password_makes_good_what_was_typed_wrong_for_that_user_only():
    origins = failed("192.0.2.1", 3)
    for _ in range(3):
        origins.failed("192.0.2.1", "alice", 0.0)

    origins.succeeded("192.0.2.1", "alice")

    assert origins.failures("192.0.2.1", 0.0) == 3


def test_many_and_long_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_USERS", 3)
    origins = Origins()
    for number in range(50):
        origins.failed("192.0.2.1", f"{number}" * 100_000, 0.0)
    origins.succeeded("192.0.2.1", "")

    (record,) = origins._records.values()
    assert len(record.failures) == 4 and max(len(name or "") for name in record.failures) <= 64
    # Those beyond the third name are nobody's to make good, not even by that empty name.
    assert origins.failures("192.0.2.1", 0.0) == 50
