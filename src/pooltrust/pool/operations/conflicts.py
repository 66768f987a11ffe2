"""One operation at a time: what a second one is told, and which ones need not wait."""

from __future__ import annotations

from pooltrust.errors import (
    Failure,
    OtherOperationInProgress,
    Refused,
    TlsVerificationEnableInProgress,
    failure,
)
from pooltrust.pool.plan.plan import Kind, Plan

OVERTAKING = frozenset({Kind.EJECT, Kind.EMERGENCY_TRANSITION, Kind.RECOVER})
"""May begin while another operation is suspended: that one may be waiting for a lost host."""


@failure("DESIGNATE_NEW_MASTER_IN_PROGRESS", cure="Wait until it has ended.")
class DesignateNewMasterInProgress(Refused):
    """Another host is being made the coordinator right now."""


def conflict(running: Plan, wanted: Kind, *, suspended: bool, pool: str) -> Failure | None:
    """Why `wanted` can't begin while `running` has not ended; None if it can.

    `pool` is the pool's reference on the wire.  The published codes of XenAPI.
    """
    if wanted is Kind.EMERGENCY_TRANSITION or (suspended and wanted in OVERTAKING):
        return None
    if running.kind is Kind.TLS_VERIFICATION_ENABLE:
        return TlsVerificationEnableInProgress()
    if running.kind is Kind.DESIGNATE_NEW_MASTER:
        return DesignateNewMasterInProgress()
    return OtherOperationInProgress("pool", pool, str(running.kind), running.id)
