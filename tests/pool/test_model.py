"""Whatever happens between any two steps: every promise holds after every single change.

Ours keep every promise; planners that are wrong in one way each are caught, by the unmodified
machine within the same budget.  The machine takes the same chances in every run.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import soak

from .model.invariants import INVARIANTS, Broken, Invariant
from .model.machine import machine
from .model.wrong_planners import RIGHT, WRONG, Planners

STORIES = 200 if not soak.MINUTES else 5000

BELIEVES = "every_enforcing_host_believes_what_members_serve"
ENDS = "every_operation_ends_or_can_be_abandoned"
AGREES = "no_two_hosts_disagree_about_an_entry"
CAUGHT_BY = {
    "promote first": BELIEVES,
    "withdraw early": ENDS,
    "retire early": "nobody_serves_an_identity_whose_key_is_gone",
    "no barrier": BELIEVES,
    "probe early": ENDS,
    "one identity for all": BELIEVES,
    "any member will do": "one_member_is_never_believed_as_another",
    "wait for all": ENDS,
    "never mend": ENDS,
    "eject without telling": "no_non_member_is_believed",
    "take over unasked": AGREES,
    "enable without telling": "verification_is_never_off_without_a_word",
}
"""The invariant that each wrong planner is caught by first."""

ONLY_BY = ("no barrier", "retire early", "any member will do", "probe early")
"""Wrong planners that get through without the invariant that catches them."""


def broken(planners: Planners, invariants: tuple[Invariant, ...] = INVARIANTS) -> str:
    """The name of the invariant that these break within the budget; empty if they break none."""
    try:
        run_state_machine_as_test(
            machine(planners, invariants),
            settings=settings(
                max_examples=STORIES,
                stateful_step_count=40,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Broken as why:
        return why.invariant
    return ""


def test_our_planners_keep_every_promise() -> None:
    assert broken(RIGHT) == ""


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_a_wrong_planner_is_caught_by_a_promise_that_it_breaks(name: str) -> None:
    assert broken(WRONG[name]) == CAUGHT_BY[name]


@pytest.mark.parametrize("name", ONLY_BY)
def test_without_that_promise_it_gets_through(name: str) -> None:
    others = tuple(one for one in INVARIANTS if one.__name__ != CAUGHT_BY[name])
    assert broken(WRONG[name], others) == ""
