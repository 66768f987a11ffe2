"""When a certificate ends, and when it is to be replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pooltrust.pki.expiry import Validity, days_left, validity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.terms import HostId

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
HOST = HostId("6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11")
YEAR = mint_pool_identity(HOST, NOW).certificate
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "at, expected",
    [
        (YEAR.not_before - SECOND, Validity.NOT_YET_VALID),
        (YEAR.not_before, Validity.VALID),
        (NOW, Validity.VALID),
        (YEAR.not_after, Validity.VALID),
        (YEAR.not_after + SECOND, Validity.EXPIRED),
    ],
)
def test_both_ends_of_the_period_are_valid(at: datetime, expected: Validity) -> None:
    assert validity(YEAR, at) is expected


def test_validity_is_said_in_plain_words() -> None:
    assert [str(each) for each in Validity] == ["valid", "expired", "not yet valid"]


def test_days_left_go_below_nothing() -> None:
    assert days_left(YEAR, NOW) == 365
    assert days_left(YEAR, NOW + timedelta(hours=12)) == 364.5
    assert days_left(YEAR, NOW + timedelta(days=366)) == -1
