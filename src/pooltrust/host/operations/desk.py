"""The desk where operations on the pool are ordered, resumed and abandoned: one at a time.

A plan is stored before its first step, and an operation runs on although whoever ordered it has
hung up.  What is planned is decided by the planners, what is done next by the operation itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from pooltrust.errors import (
    Failure,
    NoSuchOperation,
    OperationAbandoned,
    OperationSuspended,
    TooLateToAbandon,
)
from pooltrust.host.belief import Belief
from pooltrust.host.operations.driver import Ending, Run, Unwanted
from pooltrust.host.operations.hands import Hands
from pooltrust.host.operations.order import Moment, Order
from pooltrust.host.operations.shelf import Shelf, State, Stored, ended
from pooltrust.host.surely import Surely, seen_by_somebody
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.join import all_at_once
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.conflicts import conflict
from pooltrust.pool.plan import operation as plan_operation
from pooltrust.pool.plan.operation import Done, Operation
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Kind
from pooltrust.pool.plan.preview import Preview, preview
from pooltrust.trust.takeover import taker

FREE_SECONDS = 8.0
"""How long a joiner is kept waiting for an operation that is under way."""

OTHERS_SECONDS = 5.0
"""How long the end of an operation waits for a new coordinator to write it down."""


class Desk:
    """This host's operations.  `now`: UTC; `ready` raises while the pool's can't be changed here.

    `busy` gives what else is under way that is no operation, if anything.
    """

    def __init__(
        self,
        belief: Belief,
        hands: Hands,
        shelf: Shelf,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._hands = hands
        self._shelf = shelf
        self._journal = journal
        self._now = now
        self._ordering = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[Stored]] = {}
        self._surely = Surely()
        self._phases: dict[str, str] = {}
        self._told: dict[str, Callable[[Moment], None]] = {}
        self._unwanted: set[str] = set()
        self.ready: Callable[[], None] = lambda: None
        self.busy: Callable[[], Failure | None] = lambda: None
        self.left: Callable[[], None] = lambda: None
        """Called when something that was ordered has stopped and is not over."""
        self.finishing: Callable[[Kind], Awaitable[None]] = _nothing_more
        """Awaited before an operation of this kind has ended well, perhaps more than once."""

    async def order(self, order: Order) -> Stored | None:
        """Carry out what is ordered, to its end; None if there is nothing to do.

        Raises what stands against it, with everything as it was; OperationSuspended.
        """
        # Whoever hangs up while it is written down does not leave it there with nobody to drive it.
        begun = await self._surely(self._ordered(order))
        return await asyncio.shield(begun) if begun else None

    def give_up(self, id: str) -> None:
        """Take this operation back before its next step, if it has not passed its point of no
        return by then."""
        self._unwanted.add(id)

    async def carry_on(self, operation: Operation) -> Stored:
        """Carry out an operation that was planned from the log: see `mend`.  Raises as `order`."""
        async with self._ordering:
            begun = await self._begin(operation)
        return await asyncio.shield(begun)

    async def preview(self, order: Order) -> Preview | None:
        """What would be done; nothing is changed.  Raises what stands against it."""
        self._may_begin(order.kind)
        picture = await self.seen()
        plan = await order.prepare(picture, Asked(str(uuid4()), order.by, order.call))
        return preview(plan, picture) if plan else None

    async def seen(self) -> Picture:
        """The pool as it is now, by what every member says."""
        view = self._hands.view()
        await self._hands.look(view)
        return view.picture()

    async def resume(self, id: str) -> Stored:
        """Go on with an operation.  Raises NoSuchOperation, OperationSuspended."""
        return await asyncio.shield(self._drive(self._find(id)))

    async def abandon(self, id: str) -> Stored:
        """Take an operation back.  Raises NoSuchOperation, TooLateToAbandon, OperationSuspended."""
        async with self._turn:
            stored = self._find(id)
            if not stored.operation.abandoning:
                view = self._hands.view()
                if not stored.operation.may_abandon(view.picture()):
                    raise TooLateToAbandon(id)
                undoing = replace(stored, operation=stored.operation.abandoned())
                await self._shelf.put(replace(undoing, state=State.RUNNING))
        return await asyncio.shield(self._drive(self._find(id)))

    def all(self) -> list[Stored]:
        """Every operation that is known here, ended ones too, oldest first."""
        return [self._shown(one) for one in self._known()]

    def pending(self) -> list[Stored]:
        """Those that have not ended, oldest first."""
        return [one for one in self.all() if not one.is_over]

    def running(self, id: str) -> bool:
        """Whether it is being carried out at this moment."""
        return id in self._tasks

    @property
    def mark(self) -> object:
        """Another value than before if an operation is another, or begins or stops to run."""
        return self._shelf.pool_operations(), self._shelf.takeover, *self._tasks

    def current(self) -> Mapping[str, Kind]:
        """The kind of each operation that has not ended, by its id."""
        return {one.id: one.operation.plan.kind for one in self.pending()}

    def conflict(self, kind: Kind) -> Failure | None:
        """The operation that keeps this from beginning now."""
        for one in self._known():
            if one.is_over:
                continue
            # As it is stored: one that is tried again just now may be so for ever.
            plan, suspended = one.operation.plan, one.state is State.SUSPENDED
            if why := conflict(plan, kind, suspended=suspended, pool=self._belief.roster.pool):
                return why
        return None

    def allowed(self) -> frozenset[Kind]:
        """The kinds that could begin now."""
        needless = {Kind.TLS_VERIFICATION_ENABLE} if self._belief.roster.verification else set()
        return frozenset(kind for kind in set(Kind) - needless if self.conflict(kind) is None)

    async def free(self) -> None:
        """Wait a little for what is under way.  Raises it as a failure if it goes on."""
        until = asyncio.get_running_loop().time() + FREE_SECONDS
        while (why := self.conflict(Kind.CERT_REFRESH)) is not None:
            left = until - asyncio.get_running_loop().time()
            running = list(self._tasks.values())
            if not running or left <= 0:
                raise why
            await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Stop; what is under way goes on at the next start."""
        while tasks := [*self._surely.under_way, *self._tasks.values()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0)  # they are forgotten by then

    def _may_begin(self, kind: Kind) -> None:
        if why := self.conflict(kind) or self.busy():
            raise why
        if kind is not Kind.EMERGENCY_TRANSITION:
            self.ready()

    async def _ordered(self, order: Order) -> asyncio.Task[Stored] | None:
        async with self._ordering:
            self._may_begin(order.kind)
            asked = Asked(str(uuid4()), order.by, order.call)
            plan = await order.prepare(await self.seen(), asked)
            if plan is None:
                return None
            self._told[plan.id] = order.told
            try:
                return await self._begin(Operation(plan))
            except BaseException:
                self._told.pop(plan.id, None)  # it never runs, so nobody is told of it
                raise

    async def _begin(self, operation: Operation) -> asyncio.Task[Stored]:
        plan = operation.plan
        self._may_begin(plan.kind)  # what was true before it was planned may not be any more
        stored = Stored(operation, State.RUNNING, self._now())
        await self._shelf.put(stored)
        self._journal.event("operation-begun", id=plan.id, words=plan.title, by=plan.by)
        task = self._drive(stored)
        task.add_done_callback(lambda _: self._leave(stored.id))
        return task

    def _leave(self, id: str) -> None:
        if any(one.id == id for one in self.pending()):
            self.left()

    def _drive(self, stored: Stored) -> asyncio.Task[Stored]:
        task = self._tasks.get(stored.id)
        if task is None:
            task = asyncio.create_task(self._run(stored.id), name=f"operation-{stored.id}")
            self._tasks[stored.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(stored.id, None))
            task.add_done_callback(seen_by_somebody)  # it is told in the journal
        return task

    async def _run(self, id: str) -> Stored:
        async with self._turn:
            stored = self._find(id)
            try:
                run = self._run_of(stored)
                ending = await run.to_its_end()
                if isinstance(ending, Unwanted):
                    undoing = replace(stored, operation=stored.operation.abandoned())
                    stored = replace(undoing, state=State.RUNNING)
                    await self._shelf.put(stored)
                    run = self._run_of(stored)
                    ending = await run.to_its_end()
                return await self._concluded(stored, run, ending)
            finally:
                self._phases.pop(id, None)
                self._told.pop(id, None)
                self._unwanted.discard(id)

    def _run_of(self, stored: Stored) -> Run:
        return Run(
            self._hands,
            stored.operation,
            lambda phase: self._entered(stored, phase),
            lambda: stored.id in self._unwanted,
        )

    async def _concluded(self, stored: Stored, run: Run, ending: Ending) -> Stored:
        assert not isinstance(ending, Unwanted), "what is taken back is not taken back again"
        if isinstance(ending, Done):
            state = State.ABANDONED if stored.operation.abandoning else State.DONE
            if state is State.DONE:
                await self.finishing(stored.operation.plan.kind)
            return await self._end(stored, state, ending.words)
        why = _why(stored, run, ending)
        if ending.may_abandon and run.wrote_nothing() and not self._is_bound(stored):
            # First written down: where that fails it goes on later, and needs its key.
            await self._end(stored, State.ABANDONED, f"Nothing was changed.  {why}")
            await run.tidy()
            raise why
        stopped = replace(
            stored,
            state=State.SUSPENDED,
            phase=ending.phase,
            words=ending.words,
            may_abandon=ending.may_abandon,
        )
        if stopped != stored:
            await self._put(stopped)
        self._journal.damped(
            "operation-suspended", peer=stored.id, reason=ending.phase, words=ending.words
        )
        raise OperationSuspended(stored.id, ending.words)

    async def _end(self, stored: Stored, state: State, words: str) -> Stored:
        over = ended(stored, state, words, self._now())
        await self._put(over)  # first: what is not written down as over goes on at the next start
        if stored.is_local:
            await self._shelf.end_takeover()
        self._journal.event("operation-ended", id=stored.id, state=str(state), words=words)
        return over

    async def _put(self, stored: Stored) -> None:
        """Store it, unless the records are another host's by now, which does so itself."""
        if stored.is_local:
            if self._shelf.takeover is not None:  # this host may have left its pool meanwhile
                await self._shelf.put(stored)
            return
        try:
            self.ready()
        except Failure:
            if stored.is_over and self._belief.is_coordinator:
                raise  # they are this host's, which can't write them yet
            await self._shelf.seen_over(stored.id, OTHERS_SECONDS)
            return
        await self._shelf.put(stored)

    def _is_bound(self, stored: Stored) -> bool:
        """Whether this host has signed the takeover, so that others may have voted for it."""
        given = self._belief.candidate
        mine = given is not None and taker(given) == self._belief.me
        return stored.is_local and self._belief.bound and mine

    def _known(self) -> list[Stored]:
        takeover = self._shelf.takeover
        return [*self._shelf.pool_operations(), *([takeover] if takeover else [])]

    def _find(self, id: str) -> Stored:
        for one in self.pending():
            if one.id == id:
                return one
        raise NoSuchOperation(id)

    def _entered(self, stored: Stored, phase: str) -> None:
        if self._phases.get(stored.id) != phase:
            self._phases[stored.id] = phase
            self._journal.event("operation-phase", id=stored.id, phase=phase)
            if told := self._told.get(stored.id):
                told(Moment.of(stored.operation, phase))

    def _shown(self, stored: Stored) -> Stored:
        if self.running(stored.id) and not stored.is_over:
            phase = self._phases.get(stored.id, stored.phase)
            return replace(stored, state=State.RUNNING, phase=phase)
        return stored


async def _nothing_more(_kind: Kind) -> None:
    pass


def _why(stored: Stored, run: Run, ending: plan_operation.Suspended) -> Failure:
    """Everything that stands against an operation that has changed nothing."""
    reasons = run.view.against(frozenset(reason.host for reason in ending.reasons))
    return all_at_once(reasons) if reasons else OperationAbandoned(stored.id, ending.words)
