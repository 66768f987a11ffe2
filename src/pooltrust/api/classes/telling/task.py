"""Tasks: calls that go on after they were answered, and what clients keep of their own work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.fields.choices import TaskOperation, TaskStatus
from pooltrust.api.classes.fields.refs import HostRef, SessionRef, TaskRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Where, call
from pooltrust.api.declare.record import EVERYTHING, record, ro
from pooltrust.api.declare.values import EPOCH, NULL, Ref, ref_of
from pooltrust.api.roles import VM_OPERATOR
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    HandleInvalid,
    MapDuplicateKey,
    OperationNotAllowed,
    RbacPermissionDenied,
)


class OfTheTable:
    """Tasks are kept by the host that works at them, not with the records of the pool."""

    runs = Where.HERE

    def rows(self, context: Context, cls: type) -> Mapping[Ref, Any]:
        """Every task of this host."""
        return context.tasks.rows

    async def change(
        self,
        context: Context,
        cls: type,
        ref: Ref,
        field: str,
        edit: Callable[[Any], Any],
        caller: Caller,
    ) -> None:
        """Never called: no field of a task has a setter of its own."""


_KEYS = dict.fromkeys(("applies_to", "XenCenterUUID", "XenCenterMeddlingActionTitle"), VM_OPERATOR)


@record("task", calls=EVERYTHING | {"get_by_name_label"}, source=OfTheTable())
class Task:
    """Work that goes on after its call was answered, or that a client does itself."""

    uuid: str = ro("Names the task")
    name_label: str = ro("What is done: the call's name, or what the client says", "")
    name_description: str = ro("What it is for", "")
    allowed_operations: tuple[TaskOperation, ...] = ro("What may be done with it now", ())
    current_operations: Mapping[str, TaskOperation] = ro("What is being done with it", {})
    created: datetime = ro("When it began")
    finished: datetime = ro("When it ended; 1970 while it has not")
    status: TaskStatus = ro("How far it is")
    session: SessionRef = ro("The session that began it", hidden=True)
    resident_on: HostRef = ro("The host that works at it")
    progress: float = ro("The part that is done, from 0 to 1")
    externalpid: int = ro("Not kept", hidden=True)
    stunnelpid: int = ro("Not kept", hidden=True)
    forwarded: bool = ro("Not kept", hidden=True)
    forwarded_to: HostRef = ro("Not kept", hidden=True)
    type: str = ro("Of what type the result is; not kept")
    result: str = ro("The call's value in XML-RPC, when it has succeeded")
    error_info: tuple[str, ...] = ro("The error's code and parameters, when it has failed")
    other_config: Mapping[str, str] = ro("Free keys and values for clients", {}, keys=_KEYS)
    subtask_of: TaskRef = ro("The task that this is a part of", NULL)
    subtasks: tuple[TaskRef, ...] = ro("The tasks that are parts of this")
    backtrace: str = ro("Not kept", "()")


def new_task(context: Context, caller: Caller, label: str, words: str = "") -> Task:
    """A task that begins now."""
    return Task(
        uuid=context.random_uuid(),
        name_label=label,
        name_description=words,
        created=context.now(),
        status=TaskStatus.PENDING,
        session=caller.session or NULL,
        resident_on=ref_of("host", context.this_host),
        type="<none/>",
    )


TheTask = Annotated[TaskRef, Doc("The task.")]
NOT_OWN = (HandleInvalid, RbacPermissionDenied)
NOT_THEIRS = (*NOT_OWN, OperationNotAllowed)


@call("task.create", role=roles.READ_ONLY, runs=Where.HERE)
async def create(
    context: Context,
    caller: Caller,
    label: Annotated[str, Doc("What is done.")],
    description: Annotated[str, Doc("What it is for.")],
) -> TaskRef:
    """Keep a task for work that the client does itself; it says how far it is and when it ends."""
    task = new_task(context, caller, label, description)
    return context.tasks.open(task, caller.user, context.monotonic(), works=False)


@call("task.destroy", role=roles.READ_ONLY, runs=Where.HERE, raises=NOT_OWN)
async def destroy(context: Context, caller: Caller, self: TheTask) -> None:
    """Forget a task: at once, or when its work is over.  Somebody else's takes a pool-operator."""
    _own(context, caller, self)
    context.tasks.destroy(self)


@call(
    "task.cancel",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=NOT_THEIRS,
    is_async=True,
)
async def cancel(context: Context, caller: Caller, task: TheTask) -> None:
    """Give up the work of a task, while it has not passed its point of no return."""
    _own(context, caller, task)
    if not context.tasks.cancel(task, context.monotonic()):
        raise OperationNotAllowed(
            f"{context.tasks.rows[task].name_label} can't be stopped any more: it goes on to its "
            "end."
        )


@call("task.set_status", role=roles.READ_ONLY, runs=Where.HERE, raises=NOT_THEIRS)
async def set_status(
    context: Context,
    caller: Caller,
    self: TheTask,
    value: Annotated[TaskStatus, Doc("How far it is.")],
) -> None:
    """Say how far a task is, of work that the client does itself."""
    over = value not in (TaskStatus.PENDING, TaskStatus.CANCELLING)
    _say(context, caller, self, status=value, finished=context.now() if over else EPOCH)


@call("task.set_progress", role=roles.READ_ONLY, runs=Where.HERE, raises=NOT_THEIRS)
async def set_progress(
    context: Context,
    caller: Caller,
    self: TheTask,
    value: Annotated[float, Doc("The part that is done, from 0 to 1.")],
) -> None:
    """Say which part of a task is done, of work that the client does itself."""
    _say(context, caller, self, progress=value)


@call("task.set_result", role=roles.READ_ONLY, runs=Where.HERE, raises=NOT_THEIRS)
async def set_result(
    context: Context, caller: Caller, self: TheTask, value: Annotated[str, Doc("Any text.")]
) -> None:
    """Say what has come of a task, of work that the client does itself."""
    _say(context, caller, self, result=value)


@call("task.set_error_info", role=roles.READ_ONLY, runs=Where.HERE, raises=NOT_THEIRS)
async def set_error_info(
    context: Context,
    caller: Caller,
    self: TheTask,
    value: Annotated[list[str], Doc("An error's code and its parameters.")],
) -> None:
    """Say why a task has failed, of work that the client does itself."""
    _say(context, caller, self, error_info=tuple(value))


Key = Annotated[str, Doc("The key.")]


@call("task.set_other_config", role=roles.READ_ONLY, runs=Where.HERE, raises=NOT_OWN, is_async=True)
async def set_other_config(
    context: Context,
    caller: Caller,
    self: TheTask,
    value: Annotated[dict[str, str], Doc("Free keys and values.")],
) -> None:
    """Set other_config of a task."""
    _edit(context, caller, self, other_config=value)


@call(
    "task.add_to_other_config",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(*NOT_OWN, MapDuplicateKey),
    is_async=True,
)
async def add_to_other_config(
    context: Context,
    caller: Caller,
    self: TheTask,
    key: Key,
    value: Annotated[str, Doc("Its value.")],
) -> None:
    """Add a key to other_config; it must not be there."""
    old = _own(context, caller, self).other_config
    if key in old:
        uuid = context.tasks.rows[self].uuid
        raise MapDuplicateKey(type="task", param_name="other_config", uuid=uuid, key=key)
    _edit(context, caller, self, other_config={**old, key: value})


@call(
    "task.remove_from_other_config",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=NOT_OWN,
    is_async=True,
)
async def remove_from_other_config(
    context: Context, caller: Caller, self: TheTask, key: Key
) -> None:
    """Remove a key from other_config, if it is there."""
    old = _own(context, caller, self).other_config
    _edit(context, caller, self, other_config={k: v for k, v in old.items() if k != key})


def _say(context: Context, caller: Caller, ref: Ref, **fields: Any) -> None:
    """What only the client knows, of its own work."""
    task = _own(context, caller, ref)
    if context.tasks.works(ref):
        raise OperationNotAllowed(f"This host is at {task.name_label} and says itself how far.")
    context.tasks.edit(ref, context.monotonic(), **fields)


def _edit(context: Context, caller: Caller, ref: Ref, **fields: Any) -> None:
    _own(context, caller, ref)
    context.tasks.edit(ref, context.monotonic(), **fields)


def _own(context: Context, caller: Caller, ref: Ref) -> Task:
    """A task that this caller may touch: one of its user, or any for whoever runs the pool."""
    task = context.tasks.rows.get(ref)
    if task is None:
        raise HandleInvalid(type="task", handle=ref)
    who = caller.principal
    assert who is not None
    above = roles.holders(roles.POOL_OPERATOR)
    whole = who.is_local_superuser or who.pool or not who.roles.isdisjoint(above)
    if not whole and context.tasks.user(ref) != caller.user:
        raise RbacPermissionDenied(
            permission=caller.call.lower(),
            message=f"{caller.user} may not touch the tasks of others."
            f" (Roles with this permission: {', '.join(above)})",
        )
    return task
