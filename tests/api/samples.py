"""Parameters for any declared call, from its types alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from api.fake import FakeContext, session_of
from pooltrust.api.classes.access import role
from pooltrust.api.declare.call import Call, Parameter
from pooltrust.api.declare.record import CLASSES
from pooltrust.api.declare.values import NULL, Type
from pooltrust.api.reference import reference

assert reference

PLAIN: dict[str, Any] = {
    "int": 7,
    "float": 60.1,
    "bool": True,
    "datetime": datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
    "string": "ü <&> \"'\n",
}


def arguments_of(call: Call, context: FakeContext) -> list[Any]:
    """One good value for each parameter."""
    return [_argument(call, parameter, context) for parameter in call.parameters]


def _argument(call: Call, parameter: Parameter, context: FakeContext) -> Any:
    if call.name == "session.get_by_uuid":
        return next(iter(context.sessions))[0].uuid
    if parameter.name == "uuid":
        return next(iter(CLASSES[call.cls].rows(context).values())).uuid
    if parameter.name == "expr":
        return 'field "uuid" = "x" or not false'
    if parameter.name == "permission":
        return role.ref("pool.join")
    return value_of(parameter.type, context)


def value_of(of: Type, context: FakeContext) -> Any:
    if of.refers_to == "session":
        return session_of(context)
    if of.refers_to in CLASSES:
        return next(iter(CLASSES[of.refers_to].rows(context)))
    if of.refers_to:
        return NULL
    if of.choices:
        return of.choices[-1]
    if of.key and of.item:
        return {value_of(of.key, context): value_of(of.item, context)}
    if of.item:
        return [value_of(of.item, context)]
    return PLAIN[of.name]
