"""Events: what has changed since a client last asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.absent.reader import absent_classes
from pooltrust.api.classes.fields.choices import EventOperation
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, Where, call
from pooltrust.api.declare.record import CLASSES, record, static
from pooltrust.api.declare.values import Int32, Ref, Type
from pooltrust.api.events.subscription import Subscription
from pooltrust.api.sessions import Caller
from pooltrust.errors import HandleInvalid, HostIsSlave, SessionInvalid
from pooltrust.errors.telling import (
    EventFromTokenParseFailure,
    EventsLost,
    EventSubscriptionParseFailure,
    SessionNotRegistered,
)


@record("event", calls=frozenset(), getters=False, evented=False)
class Event:
    """One change of one object.  On the wire there is its record too, as `snapshot`."""

    id: int = static("Counts the changes")
    timestamp: datetime = static("When it was told, in seconds since 1970; 0.0 in event.from")
    class_: str = static("The object's class, in lower case")
    operation: EventOperation = static("What has happened to the object")
    ref: str = static("The object's reference")
    obj_uuid: str = static("The object's UUID; not sent")


# As published, both answer a set of event records.  On the wire an event has a snapshot besides,
# and event.from answers a struct that has them as `events`.
ON_THE_WIRE = Type(f"{CLASSES['event'].record.name} set", [], lambda raw: raw)
_NONE = {name.lower(): Int32(0) for name in absent_classes()}
_UNTOLD = ("secret", "session", "user")
"""Classes that are counted, although no event tells of their objects."""

Classes = Annotated[list[str], Doc("Classes; * for all, class/reference for one object.")]
NO_EVENTS = (EventSubscriptionParseFailure, EventsLost, SessionInvalid, HostIsSlave)


@call(
    "event.from",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(*NO_EVENTS, EventFromTokenParseFailure),
)
async def from_(
    context: Context,
    caller: Caller,
    classes: Classes,
    token: Annotated[str, Doc("The token of the answer before; empty for everything there is.")],
    timeout_: Annotated[float, Doc("For how many seconds to wait if nothing has changed.")],
) -> Annotated[Mapping[str, Any], ON_THE_WIRE]:
    """What has changed since a token: a struct of `events`, `valid_ref_counts` and `token`.

    Each object is told of once, as it is now.  If nothing has changed it waits, and after the
    timeout there are no events.  `valid_ref_counts` says how many objects of each class there are.
    A token that this host did not give since its start, or that is too old, answers EVENTS_LOST.
    """
    assert caller.session is not None
    events, after = await context.events.since(
        Subscription.parse(classes), token, timeout_, caller.session, _gate(context, caller)
    )
    untold = {name: Int32(len(CLASSES[name].rows(context))) for name in _UNTOLD}
    counts = {**_NONE, **context.events.sizes, **untold}
    return {"events": events, "valid_ref_counts": counts, "token": after}


@call(
    "event.register",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(EventSubscriptionParseFailure,),
    is_async=True,
)
async def register(context: Context, caller: Caller, classes: Classes) -> None:
    """Remember for this session what changes from now on, for event.next."""
    assert caller.session is not None
    context.events.register(caller.session, Subscription.parse(classes))


@call(
    "event.unregister",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(EventSubscriptionParseFailure,),
    is_async=True,
)
async def unregister(context: Context, caller: Caller, classes: Classes) -> None:
    """Do not remember these any more."""
    assert caller.session is not None
    context.events.unregister(caller.session, Subscription.parse(classes))


@call(
    "event.next",
    role=roles.READ_ONLY,
    runs=Where.HERE,
    raises=(*NO_EVENTS, SessionNotRegistered),
)
async def next_(
    context: Context, caller: Caller
) -> Annotated[list[Mapping[str, Any]], ON_THE_WIRE]:
    """What has changed since this session last asked; waits until something has.

    After half a minute in which nothing has, the pool is told of.  event.from is better: its
    caller says itself what it has heard.
    """
    assert caller.session is not None
    events = await context.events.next(caller.session, _gate(context, caller))
    now = f"{context.now().timestamp():.6f}"
    return [{**event, "timestamp": now} for event in events]


@call("event.get_current_id", role=roles.READ_ONLY, runs=Where.HERE)
async def get_current_id(context: Context) -> int:
    """The number of the last change; the next one has a greater number."""
    return context.events.count


@call("event.inject", role=roles.READ_ONLY, runs=Where.HERE, raises=(HandleInvalid,))
async def inject(
    context: Context,
    class_: Annotated[str, Doc("The object's class.")],
    ref: Annotated[str, Doc("Its reference.")],
) -> str:
    """Tell of an object as if it had changed; returns the token of that.

    Whoever hears of it by event.from gets a greater token, and has then heard of everything that
    was before.
    """
    return context.events.inject(class_, Ref(ref))


def _gate(context: Context, caller: Caller) -> Callable[[], None]:
    """The checks of a call again, for one that has waited."""

    def gate() -> None:
        assert caller.session is not None
        if caller.session not in context.sessions:
            raise SessionInvalid(session=caller.session)
        served = caller.principal and (caller.principal.pool or caller.principal.origin.local)
        if not context.is_coordinator and not served:
            raise HostIsSlave(address=context.coordinator_address)

    return gate
