"""Operations as they are stored: read as they were written, and nothing else is read.

Whatever the bytes, it is an operation or BadPlan: they may be another host's, or half of a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooltrust.pool.plan.everyone import WANTED
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.order import Order
from pooltrust.pool.plan.plan import PLAN_LIMIT, BadPlan, Plan
from pooltrust.pool.plan.steps import Probe, Promote, Retire
from pooltrust.trust import canonical

from .planned import H1, H2, LOG, NEW, OLD, PLANS

STORED = Operation(PLANS["refresh"]).to_wire()
Record = dict[str, Any]


@pytest.mark.parametrize("kind", PLANS)
def test_an_operation_is_read_as_it_was_written(kind: str) -> None:
    plan = PLANS[kind]
    assert Plan.from_wire(plan.to_wire()) == plan
    for operation in (Operation(plan), Operation(plan).abandoned()):
        assert Operation.from_wire(operation.to_wire()) == operation
        assert Operation.from_wire(operation.to_wire()).to_wire() == operation.to_wire()


def test_every_kind_of_step_is_in_one_of_these_plans() -> None:
    phases = [phase for plan in PLANS.values() for phase in (*plan.phases, *plan.undo)]
    met = {step.kind for phase in phases for step in phase.steps}
    # Single handshakes are what the others become in a picture.
    assert met == WANTED.keys() - {"probe"}


def test_an_order_is_read_as_it_was_written_and_counts_at_its_own_head_only() -> None:
    for step in (Promote(H2, NEW), Retire(H2, OLD), Probe(H1, H2, NEW, 3)):
        order = Order.at(step, LOG.roster)
        assert Order.read(order.record()) == order
        assert order.in_time(LOG.roster)
        assert not order.in_time(LOG.roster_at(LOG.head_number - 1))


def phase(record: Record, number: int = 0) -> Record:
    found: Record = record["plan"]["phases"][number]
    return found


HOSTILE: dict[str, Callable[[Record], Any]] = {
    "an unknown field": lambda r: r.update(more=1),
    "a field is missing": lambda r: r["plan"].pop("undo"),
    "a flag is a number": lambda r: r.update(abandoning=1),
    "an unknown kind of operation": lambda r: r["plan"].update(kind="format"),
    "an unknown kind of step": lambda r: phase(r)["steps"][0].update(kind="run"),
    "a step without a kind": lambda r: phase(r)["steps"][0].pop("kind"),
    "a step that is a text": lambda r: phase(r).update(steps=["append"]),
    "an unknown demand": lambda r: phase(r).update(demand="all"),
    "no UUID": lambda r: r["plan"].update(id="../../operation"),
    "a UUID spelled otherwise": lambda r: r["plan"].update(id=r["plan"]["id"].upper() + " "),
    "a subject that is no host": lambda r: r["plan"].update(subject="h2"),
    "two phases of one name": lambda r: phase(r, 1).update(name=phase(r)["name"]),
    "a phase without a name": lambda r: phase(r).update(name=""),
    "too many phases": lambda r: r["plan"].update(
        phases=[phase(r) | {"name": str(n)} for n in range(17)]
    ),
    "too many steps": lambda r: phase(r).update(steps=phase(r, 1)["steps"] * 65),
    "too many words": lambda r: r["plan"].update(title="x" * 1001),
    "a number below zero": lambda r: r["plan"].update(after=-1),
    "a number that is none": lambda r: r["plan"].update(after=True),
    "a certificate that is no bytes": lambda r: phase(r)["steps"][0]["body"].update(
        certificate="%"
    ),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_what_no_plan_can_be_is_refused(how: str) -> None:
    record = json.loads(STORED)
    HOSTILE[how](record)
    with pytest.raises(BadPlan):
        Operation.from_wire(canonical.encode(record))


BYTES = {
    "nothing": b"",
    "a torn one": STORED[: len(STORED) // 2],
    "with white space": STORED + b"\n",
    "twice": STORED + STORED,
    "no UTF-8": STORED.replace(b"h2", b"\xff2"),
    "a field twice": b'{"abandoning":false,' + STORED[1:],
    "spelled otherwise": json.dumps(json.loads(STORED), indent=1).encode(),
    "NaN": b'{"abandoning":NaN}',
    "deep": b"[" * 100_000,
    "too large": b'{"abandoning":false,"plan":"' + b"x" * (PLAN_LIMIT + 2048) + b'"}',
}


@pytest.mark.parametrize("how", BYTES)
def test_bytes_that_are_no_operation_are_refused(how: str) -> None:
    with pytest.raises(BadPlan):
        Operation.from_wire(BYTES[how])


@given(st.integers(0, len(STORED) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_altered_bytes_are_another_operation_or_none_and_nothing_else_is_raised(
    place: int, put: bytes, taken: int
) -> None:
    altered = STORED[:place] + put + STORED[place + taken :]
    try:
        read = Operation.from_wire(altered)
    except BadPlan:
        return
    assert read.to_wire() == altered


@given(st.binary(max_size=64))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadPlan):
        Operation.from_wire(data)
