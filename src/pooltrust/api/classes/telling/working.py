"""Carrying out a call as a task: it is answered at once, and the task tells what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pooltrust.api.classes.fields.choices import TaskStatus
from pooltrust.api.classes.telling.task import new_task
from pooltrust.api.context import Context
from pooltrust.api.declare.values import Ref
from pooltrust.api.sessions import Caller
from pooltrust.api.wire.xmlrpc import encode
from pooltrust.errors import Failure
from pooltrust.errors.telling import TaskCancelled

Work = Callable[[Caller], Awaitable[Any]]
Defective = Callable[[Context, Exception], Failure]


def as_task(context: Context, caller: Caller, label: str, work: Work, defect: Defective) -> Ref:
    """Begin this work in the background; returns its task.

    `defect` makes a failure of an exception that no call declares.
    """
    task = new_task(context, caller, label)
    ref = context.tasks.open(task, caller.user, context.monotonic(), works=True)

    async def done() -> None:
        try:
            value = await work(caller._replace(task=ref))
            _end(context, ref, TaskStatus.SUCCESS, result=encode(value))
        except Failure as why:
            _failed(context, caller, ref, why)
        except Exception as why:  # noqa: BLE001 - nobody else is there to be told
            _failed(context, caller, ref, defect(context, why))

    context.spawn(done())
    return ref


def _failed(context: Context, caller: Caller, ref: Ref, why: Failure) -> None:
    given_up = isinstance(why, TaskCancelled)
    status = TaskStatus.CANCELLED if given_up else TaskStatus.FAILURE
    _end(context, ref, status, error_info=(why.code, *why.parameters()))
    context.sessions.failed(caller.session, why.code, str(why))


def _end(context: Context, ref: Ref, status: TaskStatus, **fields: Any) -> None:
    context.tasks.end(ref, status, context.now(), context.monotonic(), **fields)
