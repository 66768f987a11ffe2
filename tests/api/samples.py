"""Parameters for any declared call, from its types alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.fake import H1, NOW, REMOTE, FakeContext, identities, session_of
from pooltrust.api.classes.access import role
from pooltrust.api.classes.certificate import Certificate
from pooltrust.api.classes.fields.choices import TaskStatus
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.telling.task import Task
from pooltrust.api.declare.call import Call, Parameter
from pooltrust.api.declare.record import CLASSES, Kind
from pooltrust.api.declare.values import NULL, Type, compact
from pooltrust.api.reference import reference
from pooltrust.api.sessions import Principal

assert reference

PLAIN: dict[str, Any] = {
    "int": 7,
    "float": 60.1,
    "bool": True,
    "datetime": datetime(2024, 2, 29, 12, 0, tzinfo=UTC),
    "string": "ü <&> \"'\n",
}


KEPT = "0000000a-aaaa-4bbb-8ccc-dddddddddddd"
"""The UUID of the one object of each class whose objects are made by calls."""


def stocked(**fields: Any) -> FakeContext:
    """A daemon that has an object of every class that is served."""
    context = FakeContext(**fields)
    context.rows["secret", KEPT] = {"value": "hush", "other_config": {}}
    context.rows["message", KEPT] = {
        "name": "X", "priority": 3, "cls": "Host", "obj_uuid": H1, "body": "",
        "timestamp": compact(NOW),
    }  # fmt: skip
    task = Task(uuid=KEPT, created=NOW, status=TaskStatus.PENDING, type="<none/>")
    ref = context.tasks.open(task, "somebody", 0.0, works=False)
    context.tasks.may_stop(ref, lambda: None, 0.0)
    return context


def arguments_of(call: Call, context: FakeContext) -> list[Any]:
    """One good value for each parameter."""
    return [_argument(call, parameter, context) for parameter in call.parameters]


def _argument(call: Call, parameter: Parameter, context: FakeContext) -> Any:
    if call.name == "pool.send_test_post" and parameter.name == "host":
        return "collector.example.org"
    if call.name == "session.get_by_uuid":
        return next(iter(context.sessions))[0].uuid
    if call.name == "pooltrust.end_session":
        return context.sessions.open(
            Principal("another", REMOTE), str(UUID(int=99)), context.this_host, NOW, 0.0
        ).uuid
    if call.name == "pooltrust.destroy_user":
        return "alice"
    if call.name == "pooltrust.create_user" and parameter.name == "role":
        return "vm-admin"
    if call.name == "event.from" and parameter.name == "token":
        return ""
    if call.name == "event.inject":
        return {"class": "host", "ref": next(iter(context.records(Host)))}[parameter.name]
    if call.name == "pooltrust.get_command_line":
        return {"method": "pool.recover_slaves", "arguments": "[]"}[parameter.name]
    if parameter.name == "uuid":
        return next(iter(CLASSES[call.cls].rows(context).values())).uuid
    if parameter.name == "obj_uuid":
        return next(iter(context.records(Certificate).values())).uuid
    if parameter.name in ("import", "export"):
        return {} if parameter.name == "import" else ["a.pem"] if "crls" in call.name else []
    if parameter.name == "remote_certificate":
        return identities(H1)[1].certificate.pem()
    if parameter.name == "thumbprint":
        return "AB" * 32
    if parameter.name == "filters":
        return {"priority": "3"}
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
    if of.name.endswith(" record"):
        fields = CLASSES[of.name.removesuffix(" record")].fields.values()
        return {f.name: value_of(f.type, context) for f in fields if f.kind is not Kind.DYNAMIC}
    if of.choices:
        return of.choices[-1]
    if of.key and of.item:
        return {value_of(of.key, context): value_of(of.item, context)}
    if of.item:
        return [value_of(of.item, context)]
    return PLAIN[of.name]
