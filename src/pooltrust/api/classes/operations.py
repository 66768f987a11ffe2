"""What is ours alone about operations: their plans, how far they are, resuming and abandoning."""

from __future__ import annotations

import json
from typing import Annotated

from pooltrust.api import roles
from pooltrust.api.classes.fields.refs import HostRef
from pooltrust.api.classes.pool import OPERATION_ERRORS, Address, named_host
from pooltrust.api.context import Context, OperationSeen
from pooltrust.api.declare.call import Doc, Where, call
from pooltrust.api.declare.values import compact, ref_of
from pooltrust.api.sessions import Caller
from pooltrust.errors import (
    InvalidValue,
    JoiningHostConnectionFailed,
    NoSuchOperation,
    OperationNotAllowed,
    OperationSuspended,
    TooLateToAbandon,
)

Text = dict[str, str]
NO_HOST = HostRef("")
Id = Annotated[str, Doc("The operation's id, as pooltrust.get_operations gives it.")]


@call("pooltrust.get_operations", role=roles.READ_ONLY)
async def get_operations(context: Context) -> list[Text]:
    """Every operation that is under way, suspended, or ended a short while ago, oldest first.

    One map for each: id, kind, subject (a host's reference, or empty), title, state (running,
    suspended, done or abandoned), phase, words (why it stopped, or how it ended), may_abandon,
    progress (from 0 to 1), by, call, began, ended.
    """
    return [_shown(one) for one in context.operations()]


@call("pooltrust.get_own_operations", role=roles.READ_ONLY, runs=Where.HERE, emergency=True)
async def get_own_operations(context: Context) -> list[Text]:
    """The same by the host that is asked, whose takeover no coordinator knows of."""
    return [_shown(one) for one in context.operations()]


def _shown(one: OperationSeen) -> Text:
    plan = one.operation.plan
    return {
        "id": one.id,
        "kind": str(plan.kind),
        "subject": ref_of("host", plan.subject) if plan.subject else "",
        "title": plan.title,
        "state": str(one.state),
        "phase": one.phase,
        "words": one.words,
        "may_abandon": "true" if one.may_abandon else "false",
        "progress": f"{one.operation.progress(one.phase) if one.ended is None else 1.0:.2f}",
        "by": plan.by,
        "call": plan.call,
        "began": compact(one.began),
        "ended": compact(one.ended) if one.ended else "",
    }


@call(
    "pooltrust.resume_operation",
    role=roles.POOL_OPERATOR,
    raises=(NoSuchOperation, OperationSuspended),
    cli="operation-resume",
)
async def resume_operation(context: Context, id: Id) -> str:
    """Go on with a suspended operation; returns how it ended, in words."""
    return await context.resume_operation(id)


@call(
    "pooltrust.abandon_operation",
    role=roles.POOL_OPERATOR,
    raises=(NoSuchOperation, OperationSuspended, TooLateToAbandon),
    cli="operation-abandon",
)
async def abandon_operation(context: Context, id: Id) -> str:
    """Take an operation back before its point of no return; returns how it ended, in words."""
    return await context.abandon_operation(id)


@call(
    "pooltrust.abandon_takeover",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=(NoSuchOperation, OperationSuspended, TooLateToAbandon),
    emergency=True,
)
async def abandon_takeover(context: Context, id: Id) -> str:
    """Give up the takeover that was ordered on this host and that too few endorsed."""
    return await context.abandon_operation(id)


@call(
    "pooltrust.refresh_pool",
    role=roles.POOL_ADMIN,
    raises=OPERATION_ERRORS,
    is_async=True,
    cli="pool-refresh-certificates",
)
async def refresh_pool(context: Context, caller: Caller) -> list[HostRef]:
    """Give every host a new pool identity, one after another, the coordinator last.

    Returns those whose turn comes later, because they are away or their refresh failed: it goes on
    by itself when they are back.
    """
    return [ref_of("host", host) for host in sorted(await context.refresh_pool(caller))]


@call(
    "pooltrust.take_over_alone",
    role=roles.POOL_OPERATOR,
    runs=Where.HERE,
    raises=OPERATION_ERRORS,
    emergency=True,
    cli="pool-take-over-alone",
)
async def take_over_alone(context: Context, caller: Caller) -> None:
    """Make this host the coordinator although too few members are left to endorse it.

    What the lost coordinator did last may be lost.  No other host follows by itself: order each to,
    with pool.emergency_reset_master.
    """
    await context.take_over(True, caller)


@call("pooltrust.get_plan", role=roles.READ_ONLY, raises=(*OPERATION_ERRORS, InvalidValue))
async def get_plan(
    context: Context,
    caller: Caller,
    method: Annotated[str, Doc("The call to be shown, such as pool.eject.")],
    host: Annotated[HostRef, Doc("Its host, if it has one; otherwise empty.")] = NO_HOST,
) -> str:
    """What a call would do to the pool, before it does it, as a JSON object in text.

    operation, title, hosts (touched), order (phases with their steps, and whether one is final),
    drops (the connections that it closes), blockers (host, words, cure), later (hosts that are away
    and do their part when they return), undo, standing.  Empty if there is nothing to do.
    """
    named = named_host(context, host) if host else None
    return json.dumps(await context.plan(method, named, caller))


@call(
    "pooltrust.get_takeover_plan",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=OPERATION_ERRORS,
    emergency=True,
)
async def get_takeover_plan(
    context: Context,
    caller: Caller,
    alone: Annotated[bool, Doc("Although too few members are left to endorse it.")] = False,
) -> str:
    """What it would do to make this host the coordinator, in the words of pooltrust.get_plan."""
    call = "pooltrust.take_over_alone" if alone else "pool.emergency_transition_to_master"
    return json.dumps(await context.plan(call, None, caller))


@call(
    "pooltrust.get_join_plan",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(JoiningHostConnectionFailed, OperationNotAllowed, InvalidValue),
)
async def get_join_plan(context: Context, master_address: Address) -> str:
    """What a join of this host to another pool would do, in the words of pooltrust.get_plan.

    Whoever answers there is looked at, and told nothing; its thumbprint is among the steps.
    """
    return json.dumps(await context.join_plan(master_address))
