"""One operation at a time: what each is told by each that has not ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pooltrust.pool.operations.conflicts import conflict
from pooltrust.pool.plan.plan import Kind

from .planned import ID, PLANS

REFRESH, EJECT, ENABLE = Kind.CERT_REFRESH, Kind.EJECT, Kind.TLS_VERIFICATION_ENABLE
HAND_OVER, TAKE_OVER = Kind.DESIGNATE_NEW_MASTER, Kind.EMERGENCY_TRANSITION
OVERTAKES = {EJECT, TAKE_OVER, Kind.RECOVER}
CODES = {
    ENABLE: ("TLS_VERIFICATION_ENABLE_IN_PROGRESS", []),
    HAND_OVER: ("DESIGNATE_NEW_MASTER_IN_PROGRESS", []),
}


def told(running: Kind, wanted: Kind, *, suspended: bool) -> tuple[str, list[str]] | None:
    plan = replace(PLANS["refresh"], kind=running)
    why = conflict(plan, wanted, suspended=suspended, pool="OpaqueRef:pool")
    return why and (why.code, why.parameters())


@pytest.mark.parametrize("wanted", Kind)
@pytest.mark.parametrize("running", Kind)
def test_whoever_comes_second_is_told_by_the_published_code_what_is_running(
    running: Kind, wanted: Kind
) -> None:
    code = "OTHER_OPERATION_IN_PROGRESS", ["pool", "OpaqueRef:pool", str(running), ID]
    expected = CODES.get(running, code)
    assert told(running, wanted, suspended=False) == (None if wanted is TAKE_OVER else expected)
    assert told(running, wanted, suspended=True) == (None if wanted in OVERTAKES else expected)
