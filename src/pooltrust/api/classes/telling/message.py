"""Messages: what an administrator should know, kept until somebody removes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pooltrust.api import roles
from pooltrust.api.classes.certificate import Certificate
from pooltrust.api.classes.fields.choices import MessageClass
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.classes.fields.refs import MessageRef
from pooltrust.api.context import Context
from pooltrust.api.declare.call import Doc, call
from pooltrust.api.declare.record import EVERYTHING, record, ro
from pooltrust.api.declare.values import read_date
from pooltrust.api.sessions import Caller
from pooltrust.errors import HandleInvalid, InvalidValue, UuidInvalid


@record("message", calls=EVERYTHING - {"get_all_where"}, getters=False)
class Message:
    """Something that an administrator should know, about one object."""

    uuid: str = ro("Names the message")
    name: str = ro("What has happened, as a word for programs")
    priority: int = ro("1 is the most urgent, 5 the least")
    cls: MessageClass = ro("The class of the object that it is about")
    obj_uuid: str = ro("The UUID of that object")
    timestamp: datetime = ro("When it was made")
    body: str = ro("What has happened, in detail: text, or XML of its own")


MOST = 1000
"""Messages; the oldest make room."""

LONGEST_BODY = 16 * 1024
"""Characters.  Messages are shipped to every member with the other records."""

Name = Annotated[str, Doc("What has happened, as a word for programs.")]
Priority = Annotated[int, Doc("1 is the most urgent, 5 the least.")]
About = Annotated[MessageClass, Doc("The class of the object that it is about.")]
ObjectUuid = Annotated[str, Doc("The UUID of that object.")]
Body = Annotated[str, Doc("What has happened, in detail.")]
Since = Annotated[datetime, Doc("From this moment on.")]
Found = dict[MessageRef, Message]


@call("message.create", role=roles.POOL_OPERATOR, raises=(UuidInvalid, InvalidValue))
async def create(
    context: Context,
    caller: Caller,
    name: Name,
    priority: Priority,
    cls: About,
    obj_uuid: ObjectUuid,
    body: Body,
) -> MessageRef:
    """Keep a message about an object, for whoever looks after the pool."""
    if len(body) > LONGEST_BODY:
        raise InvalidValue(field="body", value=f"{body[:64]}…")
    known = _OBJECTS.get(cls)
    if known is None or all(one.uuid != obj_uuid for one in context.records(known).values()):
        raise UuidInvalid(type=cls, uuid=obj_uuid)
    values = {
        "name": name,
        "priority": priority,
        "cls": cls,
        "obj_uuid": obj_uuid,
        "timestamp": context.now(),
        "body": body,
    }
    made = await context.create(Message, values, caller)
    kept = sorted(context.records(Message).items(), key=lambda item: item[1].timestamp)
    oldest = [ref for ref, _ in kept[: max(0, len(kept) - MOST)] if ref != made]
    await context.destroy(Message, oldest, caller)
    return made


_OBJECTS: dict[str, type[Any]] = {"Host": Host, "Pool": Pool, "Certificate": Certificate}


@call("message.destroy", role=roles.POOL_OPERATOR, raises=(HandleInvalid,))
async def destroy(
    context: Context, caller: Caller, self: Annotated[MessageRef, Doc("The message.")]
) -> None:
    """Remove a message."""
    await _remove(context, [self], caller)


@call("message.destroy_many", role=roles.POOL_OPERATOR, raises=(HandleInvalid,), is_async=True)
async def destroy_many(
    context: Context, caller: Caller, messages: Annotated[list[MessageRef], Doc("The messages.")]
) -> None:
    """Remove messages: all of them, or none if one of them is not there."""
    await _remove(context, messages, caller)


@call("message.destroy_all", role=roles.POOL_OPERATOR, raises=(InvalidValue,), is_async=True)
async def destroy_all(
    context: Context,
    caller: Caller,
    filters: Annotated[
        dict[str, str], Doc("Which: any of before, after (dates) and priority; all if empty.")
    ],
) -> None:
    """Remove the messages that fit every filter."""
    fits = {key: _filter(key, value) for key, value in filters.items()}
    chosen = [
        ref
        for ref, message in context.records(Message).items()
        if all(fit(message) for fit in fits.values())
    ]
    await _remove(context, chosen, caller)


def _filter(key: str, value: str) -> Any:
    match key:
        case "before":
            before = read_date(value)
            return lambda message: message.timestamp < before
        case "after":
            after = read_date(value)
            return lambda message: message.timestamp > after
        case "priority" if value.isascii() and value.isdigit():
            return lambda message: str(message.priority) == value
    raise InvalidValue(field=key, value=value)


async def _remove(context: Context, refs: list[MessageRef], caller: Caller) -> None:
    there = context.records(Message)
    for ref in refs:
        if ref not in there:
            raise HandleInvalid(type="message", handle=ref)
    await context.destroy(Message, refs, caller)


@call("message.get", role=roles.READ_ONLY)
async def get(context: Context, cls: About, obj_uuid: ObjectUuid, since: Since) -> Found:
    """The messages about one object, made since then."""
    return {
        ref: message
        for ref, message in context.records(Message).items()
        if (message.cls, message.obj_uuid) == (cls, obj_uuid) and message.timestamp >= since
    }


@call("message.get_since", role=roles.READ_ONLY)
async def get_since(context: Context, since: Since) -> Found:
    """The messages made since then."""
    every = context.records(Message)
    return {ref: message for ref, message in every.items() if message.timestamp >= since}
