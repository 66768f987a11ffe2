"""Whatever happens between any two steps: every promise holds after every single change.

Ours keep every promise; planners that are wrong in one way each are caught, by the unmodified
machine and within less than half of the budget.  The machine takes the same chances in every run.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import soak

from .fakes.planners import RIGHT, Planners
from .model.chances import chances
from .model.invariants import INVARIANTS, Broken, Invariant
from .model.machine import machine
from .model.wrong_planners import WRONG

STORIES = 30
OUR_STORIES = 60 if not soak.MINUTES else 5000

BELIEVES = "every_enforcing_host_believes_what_members_serve"
ENDS = "every_operation_ends_or_can_be_abandoned"
AGREES = "no_two_hosts_disagree_about_an_entry"
MEMBERS = "no_non_member_is_believed"
OWN_KEY = "nobody_serves_an_identity_whose_key_is_gone"
CAUGHT_BY = {
    "promote first": BELIEVES,
    "withdraw early": ENDS,
    "retire early": OWN_KEY,
    "promote in memory": OWN_KEY,
    "no barrier": BELIEVES,
    "probe early": ENDS,
    "one identity for all": BELIEVES,
    "any member will do": "one_member_is_never_believed_as_another",
    "wait for all": ENDS,
    "never mend": ENDS,
    "eject without telling": MEMBERS,
    "add only": MEMBERS,
    "take over unasked": AGREES,
    "enable without telling": "verification_is_never_off_without_a_word",
}
"""The invariant that each wrong planner is caught by first."""

ONLY_BY = (
    "no barrier",
    "promote in memory",
    "add only",
    "any member will do",
    "take over unasked",
    "probe early",
    "enable without telling",
)
"""For each promise one that gets through without it, in the order of `INVARIANTS`."""


def broken(
    planners: Planners, invariants: tuple[Invariant, ...] = INVARIANTS, stories: int = STORIES
) -> str:
    """The name of the invariant that these break within the budget; empty if they break none."""
    with chances() as backend:
        how = settings(
            max_examples=stories,
            stateful_step_count=40,
            deadline=None,
            database=None,
            derandomize=True,
            backend=backend,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(machine(planners, invariants), settings=how)
        except Broken as why:
            return why.invariant
    return ""


def test_our_planners_keep_every_promise() -> None:
    assert broken(RIGHT, stories=OUR_STORIES) == ""


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_a_wrong_planner_is_caught_by_a_promise_that_it_breaks(name: str) -> None:
    assert broken(WRONG[name]) == CAUGHT_BY[name]


def test_there_is_one_for_each_promise() -> None:
    assert [CAUGHT_BY[name] for name in ONLY_BY] == [one.__name__ for one in INVARIANTS]
    assert CAUGHT_BY.keys() == WRONG.keys()


@pytest.mark.parametrize("name", ONLY_BY)
def test_without_that_promise_it_gets_through(name: str) -> None:
    others = tuple(one for one in INVARIANTS if one.__name__ != CAUGHT_BY[name])
    assert broken(WRONG[name], others) == ""
