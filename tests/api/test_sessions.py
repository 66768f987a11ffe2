"""Sessions end: by idleness, by their caps, by logging out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from api.fake import H1, NOW, REMOTE
from pooltrust.api.sessions import (
    CAP_ORIGINATOR,
    CAP_POOL,
    CAP_ROOT,
    CAP_USER,
    IDLE,
    Origin,
    Principal,
    Session,
    Sessions,
)

NOTHING = timedelta(0)
ROOT = Principal("root", REMOTE, is_local_superuser=True)


def token(number: int) -> str:
    return str(UUID(int=number))


def filled(principal: Principal, count: int) -> tuple[Sessions, list[Session]]:
    sessions = Sessions()
    return sessions, [sessions.open(principal, token(n), H1, NOW, 0.0) for n in range(count)]


def used_after(sessions: Sessions, session: Session, later: timedelta = NOTHING) -> Session | None:
    """Use a session so long after the beginning, by clocks that go right."""
    return sessions.use(session.ref, NOW + later, later.total_seconds())


def test_a_session_lasts_a_day_after_its_last_call():
    sessions, (session,) = filled(ROOT, 1)

    assert used_after(sessions, session, IDLE)
    assert used_after(sessions, session, 2 * IDLE)
    assert used_after(sessions, session, 3 * IDLE + timedelta(seconds=1)) is None
    assert used_after(sessions, session) is None and len(sessions) == 0


@pytest.mark.parametrize("off", [timedelta(days=4000), -timedelta(days=4000)])
def test_a_clock_that_is_set_neither_ends_a_session_nor_keeps_it(off: timedelta):
    sessions, (session,) = filled(ROOT, 1)

    assert sessions.use(session.ref, NOW + off, 1.0)
    sessions.open(ROOT, token(9), H1, NOW + off, 2.0)
    assert sessions.use(session.ref, NOW, 3.0)
    assert sessions.use(session.ref, NOW + off, 4.0 + IDLE.total_seconds()) is None


def test_sessions_that_nobody_uses_are_forgotten_at_the_next_login():
    sessions, (idle, used, _) = filled(ROOT, 3)
    used_after(sessions, used, timedelta(hours=1))

    later = IDLE + timedelta(minutes=1)
    sessions.open(ROOT, token(9), H1, NOW + later, later.total_seconds())

    assert len(sessions) == 2
    assert used_after(sessions, idle, IDLE) is None and used_after(sessions, used, IDLE)


@pytest.mark.parametrize(
    ("principal", "cap"),
    [
        (ROOT, CAP_ROOT),
        (Principal("", REMOTE), CAP_ROOT),
        (Principal("member", REMOTE, pool=True), CAP_POOL),
        (Principal("somebody", REMOTE, frozenset(("read-only",))), CAP_USER),
    ],
)
def test_one_too_many_ends_the_least_recently_used(principal: Principal, cap: int):
    sessions, (first, second, *_) = filled(principal, cap)
    other = sessions.open(Principal("other", REMOTE), token(10**6), H1, NOW, 0.0)
    used_after(sessions, first)

    sessions.open(principal, token(cap), H1, NOW, 0.0)

    assert used_after(sessions, second) is None
    assert used_after(sessions, first)
    anonymous_like_other = not principal.user
    assert anonymous_like_other or used_after(sessions, other)


def test_one_originator_is_capped_over_all_its_users():
    sessions = Sessions()
    opened = [
        sessions.open(Principal(f"u{n}", REMOTE, originator="me"), token(n), H1, NOW, 0.0)
        for n in range(CAP_ORIGINATOR + 3)
    ]

    assert [used_after(sessions, session) for session in opened[:3]] == [None] * 3
    assert len(sessions) == CAP_ORIGINATOR


def test_nobody_logs_others_out_by_taking_their_originators_places():
    sessions = Sessions()
    root = replace(ROOT, originator="me")
    first = sessions.open(root, token(0), H1, NOW, 0.0)
    for n in range(1, 2 * CAP_ORIGINATOR):
        mallory = Principal("mallory", REMOTE, frozenset(("read-only",)), originator="me")
        sessions.open(mallory, token(n), H1, NOW, 0.0)

    assert used_after(sessions, first)
    assert len(sessions) == CAP_ORIGINATOR


def test_a_users_sessions_can_all_be_ended():
    sessions, _ = filled(ROOT, 3)
    other = sessions.open(Principal("other", REMOTE), token(9), H1, NOW, 0.0)

    assert sessions.close_all(lambda who: who.user == "root") == 3
    assert [other] == [session for session, _ in sessions]
    sessions.close(other.ref)
    sessions.close(other.ref)
    assert len(sessions) == 0


def test_the_uuid_does_not_tell_the_reference():
    _, (session,) = filled(ROOT, 1)

    assert session.ref == f"OpaqueRef:{token(0)}"
    assert session.uuid != token(0) and str(UUID(session.uuid)) == session.uuid


def test_a_principal_is_carried_whole_but_not_its_being_local():
    who = Principal("u", Origin("1.2.3.4", local=True), frozenset("ab"), True, True, "x", True)

    carried = Principal.from_carried(who.carried())

    assert carried.origin == Origin("1.2.3.4")
    assert carried.carried() == who.carried()


@pytest.mark.parametrize(
    "bad", [None, {}, {**ROOT.carried(), "roles": [1]}, {**ROOT.carried(), "pool": 1}]
)
def test_what_is_no_principal_is_refused(bad: object):
    with pytest.raises(ValueError, match="not a principal"):
        Principal.from_carried(bad)
