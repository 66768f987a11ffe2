"""A refresh that no stored operation knows of, and what a host does about its own keys."""

from __future__ import annotations

import pytest

from pooltrust.pool.operations.eject import OwnPool, own_pool
from pooltrust.pool.operations.mending import mend, own_steps, withdrawn
from pooltrust.pool.operations.refresh import REFRESHED
from pooltrust.pool.plan.operation import Do, Operation
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.steps import Promote, Retire
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import CertificateWithdrawn, HostDismissed

from .planned import ASKED, H1, H2, LOG, NEW, OLD, PLANS, THERE, UNVERIFIED, request, with_entries

ACCEPTED = with_entries(LOG, request())
WITHDRAWN = with_entries(ACCEPTED, CertificateWithdrawn(H2, OLD, REFRESHED))
LOST = Picture.whole(ACCEPTED, H1)
KEYS = frozenset({OLD, NEW})


def test_a_refresh_whose_plan_was_lost_is_finished_by_the_same_plan() -> None:
    mended = mend(LOST, ASKED)
    assert mended == Operation(PLANS["refresh"])
    assert isinstance(mended.next(LOST.seen(H2, serves=OLD)), Do)


def test_one_whose_new_key_is_lost_is_taken_back() -> None:
    mended = mend(LOST.seen(H2, keys=frozenset({OLD})), ASKED)
    assert mended == Operation(PLANS["refresh"]).abandoned()


UNMENDED = {
    "nothing is open": THERE,
    "it is over": Picture.whole(WITHDRAWN, H1),
    "the host is away": LOST.seen(H2, reachable=False),
    "the host never said what keys it has": LOST.seen(H2, keys=None),
}


@pytest.mark.parametrize("case", UNMENDED)
def test_nothing_else_is_mended(case: str) -> None:
    assert mend(UNMENDED[case], ASKED) is None


Steps = tuple[Promote | Retire, ...]
OWN: dict[str, tuple[Steps, Steps]] = {
    # What follows, and by which log, keys, served identity and settled entry.
    "nothing to do": (own_steps(LOG, H2, {OLD}, OLD, settled=3), ()),
    "a staged key stays": (own_steps(LOG, H2, KEYS, OLD, settled=3), ()),
    "two are accepted, one is served": (own_steps(ACCEPTED, H2, KEYS, OLD, settled=4), ()),
    "the new one is served": (own_steps(ACCEPTED, H2, KEYS, NEW, settled=4), ()),
    "neither is served": (own_steps(ACCEPTED, H2, KEYS, None, settled=4), (Promote(H2, OLD),)),
    "the older one's key is lost": (
        own_steps(ACCEPTED, H2, {NEW}, OLD, settled=4),
        (Promote(H2, NEW),),
    ),
    "the served one was withdrawn": (
        own_steps(WITHDRAWN, H2, KEYS, OLD, settled=4),
        (Promote(H2, NEW),),
    ),
    "and that is settled": (
        own_steps(WITHDRAWN, H2, KEYS, OLD, settled=5),
        (Promote(H2, NEW), Retire(H2, OLD)),
    ),
    "what is served is kept": (own_steps(WITHDRAWN, H2, {OLD}, OLD, settled=5), ()),
    "it is no member": (
        own_steps(with_entries(LOG, HostDismissed(H2, "")), H2, {OLD}, OLD, settled=4),
        (),
    ),
}


@pytest.mark.parametrize("case", OWN)
def test_a_host_serves_what_is_accepted_and_deletes_what_is_settled_to_be_gone(case: str) -> None:
    steps, expected = OWN[case]
    assert steps == expected


def test_only_withdrawals_up_to_the_settled_entry_count() -> None:
    none: frozenset[Thumbprint] = frozenset()
    assert [none, {OLD}] == [withdrawn(WITHDRAWN, H2, until) for until in (4, 5)]
    assert withdrawn(WITHDRAWN, H1, 5) == none


def test_an_ejected_host_keeps_the_port_the_verification_and_only_what_its_user_installed() -> None:
    assert own_pool(LOG.roster, installed=False) == OwnPool(443, True, False)
    assert own_pool(UNVERIFIED.roster, installed=True) == OwnPool(443, False, True)
