"""Whatever happens between any two steps: every promise holds after every single change."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .model.machine import machine

SOAK = int(os.environ.get("POOLTRUST_SOAK", "1"))
"""How many times the usual budget."""


def test_our_planners_keep_every_promise():
    run_state_machine_as_test(
        machine(),
        settings=settings(
            max_examples=200 * SOAK,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
