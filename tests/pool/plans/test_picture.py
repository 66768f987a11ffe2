"""What is committed, as far as one host can know."""

from __future__ import annotations

from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.handover import hand_over
from pooltrust.pool.plan.operation import Do, Operation, Suspended
from pooltrust.pool.plan.picture import Known, Picture
from pooltrust.terms import HostId
from pooltrust.trust.entries import Body, CoordinatorChanged, HostDismissed
from pooltrust.trust.log import Log

from ..fakes import minted
from ..fakes.minted import HOSTS

H1, H2, H3, H4, H5 = HOSTS
ASKED = Asked("00000000-0000-4000-8000-000000000001", "root", "test")


def with_entries(log: Log, *bodies: Body) -> Log:
    for body in bodies:
        key = log.roster.members[log.roster.coordinator].newest.thumbprint
        log = minted.grown(log, minted.signed(log, body, key))
    return log


def seen_by(me: HostId, log: Log, settled: int, *others: HostId) -> Picture:
    """What a host knows that has the log, and whose others have it and are there as well."""
    known = Known(True, log.head_number)
    return Picture(me, log, dict.fromkeys(others, known), settled=settled)


FOUNDED = minted.founded(5)
SHRUNK = with_entries(FOUNDED, *(HostDismissed(host, "ejected") for host in (H3, H4, H5)))
HANDED_OVER = with_entries(SHRUNK, CoordinatorChanged(H2))


def test_a_host_that_was_away_while_the_pool_shrank_can_lead_it_afterwards() -> None:
    h2 = seen_by(H2, HANDED_OVER, FOUNDED.head_number, H1)
    assert h2.committed(HANDED_OVER.head_number)
    assert h2.enough({H1, H2}, HANDED_OVER.head_number)


def test_but_nothing_counts_as_settled_by_another_host_s_word() -> None:
    h2 = seen_by(H2, HANDED_OVER, FOUNDED.head_number, H1)
    assert h2.settles == FOUNDED.head_number
    assert not seen_by(H2, SHRUNK, FOUNDED.head_number, H1).committed(SHRUNK.head_number)


def test_the_pool_is_not_handed_over_before_all_of_its_log_is_committed() -> None:
    knows = seen_by(H1, SHRUNK, SHRUNK.head_number, H2)
    plan = hand_over(knows, H2, ASKED)
    assert plan is not None
    assert isinstance(Operation(plan).next(knows), Do)
    stopped = Operation(plan).next(seen_by(H1, SHRUNK, FOUNDED.head_number, H2))
    assert isinstance(stopped, Suspended) and stopped.phase == "gather"
