"""The one driver: asks the operation what to do, has it done, and looks again, until it says stop.

It keeps no place in a plan: what is next follows from the picture, so going on after a crash is the
same as going on.  Nothing is stored here; see shelf.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from pooltrust.errors import Suspended, failure
from pooltrust.host.obeying.orders import SEVERAL
from pooltrust.host.operations.hands import Hands
from pooltrust.host.operations.view import View
from pooltrust.pool.plan import operation as plan_operation
from pooltrust.pool.plan.operation import Do, Done, Operation
from pooltrust.pool.plan.steps import Append, Probe, Retire, Step
from pooltrust.terms import HostId

AT_ONCE = 16
"""So many steps, or handshakes of so many hosts, are under way at once."""
PATIENCE = 3
"""How often a step may be done without being seen to hold."""
MOST_TIMES = 20
"""How often it may be done at all: a host could say one thing now and another one then."""


@failure("STEP_WITHOUT_EFFECT", cure="It is tried again by itself.")
class WithoutEffect(Suspended):
    """A step was carried out and is not seen to hold: {step}."""

    step: str


@dataclass(frozen=True, slots=True)
class Unwanted:
    """It stopped because it is to be taken back."""


Ending = Done | plan_operation.Suspended | Unwanted


class Run:
    """One run of one operation, until it ends or can't go on."""

    def __init__(
        self,
        hands: Hands,
        operation: Operation,
        told: Callable[[str], None],
        unwanted: Callable[[], bool],
    ) -> None:
        self._hands = hands
        self._operation = operation
        self._told = told
        self._unwanted = unwanted
        self.view: View = hands.view()
        """What it has seen, and what went wrong in it."""
        self._times: Counter[Step] = Counter()
        self._in_vain: Counter[Step] = Counter()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def to_its_end(self) -> Ending:
        """Carry it out.  `told` hears the name of each phase as it begins.

        When it is `unwanted` it stops, unless it has passed its point of no return.
        """
        try:
            await self._hands.look(self.view)
            while True:
                picture = self.view.picture()
                if self._unwanted() and self._operation.may_abandon(picture):
                    return Unwanted()
                match self._operation.next(picture):
                    case Do(phase=phase, steps=steps):
                        self._told(phase)
                        await asyncio.gather(*self._doing(steps))
                        if any(isinstance(step, Append) for step in steps):
                            # Whoever has come back by now must take it in like the others.
                            await self._hands.look_again(self.view)
                        self._doubt(steps)
                    case ending:
                        return ending
        finally:
            await self._hands.close()

    def wrote_nothing(self) -> bool:
        """Whether the log has no entry of it."""
        plan, picture = self._operation.plan, self.view.picture()
        entries = (entry for phase in (*plan.phases, *plan.undo) for entry in phase.entries)
        return all(picture.written(entry) is None for entry in entries)

    async def tidy(self) -> None:
        """Delete the key that was made for an operation which has changed nothing else."""
        plan = self._operation.plan
        steps = (step for phase in plan.undo for step in phase.steps if isinstance(step, Retire))
        for step in steps:
            if step.needs() <= self.view.picture().reachable():
                await self._hands.do(step, plan, self.view)

    def _doing(self, steps: Sequence[Step]) -> Iterator[Awaitable[None]]:
        """Every step by itself, but the handshakes of one other host together."""
        probes: defaultdict[HostId, list[Probe]] = defaultdict(list)
        for step in steps:
            if isinstance(step, Probe) and step.observer != self._hands.me:
                probes[step.observer].append(step)
            else:
                yield self._in_turn(self._hands.do, step, self._operation.plan, self.view)
        for observer, wanted in probes.items():
            for begin in range(0, len(wanted), SEVERAL):
                some = wanted[begin : begin + SEVERAL]
                yield self._in_turn(self._hands.probe, observer, some, self.view)

    async def _in_turn(self, work: Callable[..., Awaitable[None]], *of: object) -> None:
        async with self._turns:
            await work(*of)

    def _doubt(self, steps: Sequence[Step]) -> None:
        """Stop what is done again and again: the world is not as the step says."""
        picture = self.view.picture()
        for step in steps:
            self._times[step] += 1
            if step in picture.failed:
                continue
            self._in_vain[step] += not step.holds(picture)
            patient = self._in_vain[step] < PATIENCE and self._times[step] < MOST_TIMES
            if not patient and step.needs() <= picture.reachable():
                self.view.refused(step, WithoutEffect(step.words(picture.roster)))
