"""The table of tasks: opened, moved on, ended, and after a while forgotten.

Pure: the moment and the random part of a reference are given.  Counted is by `tick` (monotonic
seconds), and `now` (UTC) is what people are shown.  The work itself is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pooltrust.api.classes.fields.choices import TaskOperation, TaskStatus
from pooltrust.api.classes.telling.task import Task
from pooltrust.api.declare.values import Ref, ref_of
from pooltrust.errors.telling import TooManyPendingTasks

KEPT_SECONDS = 65 * 60.0
"""How long a task is kept after its end."""

STILL_SECONDS = 24 * 3600.0
"""How long a task may stay as it is before its end."""

MOST_ENDED = 200
MOST_WORKING = 100
MOST = 1000

UNDER_WAY = (TaskStatus.PENDING, TaskStatus.CANCELLING)


@dataclass(slots=True)
class _Behind:
    """What is known of a task besides its record."""

    user: str
    moved: float
    works: bool
    stop: Callable[[], None] | None = None
    unwanted: bool = False


class Tasks:
    """The tasks of this host, oldest first.  `changed` is called after each change."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.changed = changed
        self._rows: dict[Ref, Task] = {}
        self._behind: dict[Ref, _Behind] = {}

    @property
    def rows(self) -> Mapping[Ref, Task]:
        """Every task, as of now: a change makes another mapping."""
        return self._rows

    def user(self, ref: Ref) -> str:
        """Who opened a task.  Raises KeyError."""
        return self._behind[ref].user

    def works(self, ref: Ref) -> bool:
        """Whether this host is at it, not a client.  Raises KeyError."""
        return self._behind[ref].works

    def open(self, task: Task, user: str, tick: float, *, works: bool) -> Ref:
        """Begin a task.  `works`: this host is at it, and will end it.

        Raises TooManyPendingTasks.
        """
        self.sweep(tick)
        working = (one for one, behind in self._behind.items() if behind.works)
        if works and sum(map(self._is_under_way, working)) >= MOST_WORKING:
            raise TooManyPendingTasks
        ref = ref_of("task", task.uuid)
        self._rows = {**self._rows, ref: task}
        self._behind[ref] = _Behind(user, tick, works)
        self.changed()
        return ref

    def edit(self, ref: Ref, tick: float, **fields: Any) -> None:
        """Set fields of a task, if it is still there."""
        if ref in self._rows:
            self._rows = {**self._rows, ref: replace(self._rows[ref], **fields)}
            self._behind[ref].moved = tick
            self.changed()

    def end(self, ref: Ref, status: TaskStatus, now: datetime, tick: float, **fields: Any) -> None:
        """Its work is over: it can't be stopped any more, and goes if nobody wants it."""
        self.may_stop(ref, None, tick)
        self.edit(
            ref, tick, status=status, progress=1.0, finished=now, current_operations={}, **fields
        )
        if ref in self._behind and self._behind[ref].unwanted:
            self._remove(ref)

    def may_stop(self, ref: Ref, stop: Callable[[], None] | None, tick: float) -> None:
        """From now on `stop` gives its work up; None: it has passed its point of no return."""
        if ref in self._behind and self._behind[ref].stop is not stop:
            self._behind[ref].stop = stop
            self.edit(ref, tick, allowed_operations=(TaskOperation.CANCEL,) if stop else ())

    def cancel(self, ref: Ref, tick: float) -> bool:
        """Give its work up, and say whether that can still be done.  Twice is once."""
        behind = self._behind[ref]
        if behind.stop is None:
            return self._rows[ref].status is not TaskStatus.PENDING
        if self._rows[ref].status is TaskStatus.PENDING:
            doing = {ref: TaskOperation.CANCEL}
            self.edit(ref, tick, status=TaskStatus.CANCELLING, current_operations=doing)
            behind.stop()
        return True

    def destroy(self, ref: Ref) -> None:
        """Forget a task: at once, or when its work is over."""
        if self._behind[ref].works and self._is_under_way(ref):
            self._behind[ref].unwanted = True
        else:
            self._remove(ref)

    def sweep(self, tick: float) -> None:
        """Forget what ended or stood still too long ago, and the oldest of too many."""
        old = [ref for ref, behind in self._behind.items() if self._is_old(ref, behind, tick)]
        ended = [ref for ref in self._rows if not self._is_under_way(ref)]
        few = ended[: max(0, len(ended) - MOST_ENDED)]
        theirs = [ref for ref, behind in self._behind.items() if not behind.works]
        many = theirs[: max(0, len(self._rows) - MOST)]
        for ref in {*old, *few, *many}:
            self._remove(ref)

    def _is_old(self, ref: Ref, behind: _Behind, tick: float) -> bool:
        longest = STILL_SECONDS if self._is_under_way(ref) else KEPT_SECONDS
        return tick - behind.moved > longest

    def _is_under_way(self, ref: Ref) -> bool:
        return self._rows[ref].status in UNDER_WAY

    def _remove(self, ref: Ref) -> None:
        self._rows = {one: task for one, task in self._rows.items() if one != ref}
        del self._behind[ref]
        self.changed()
