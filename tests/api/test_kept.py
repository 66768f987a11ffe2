"""Objects that calls make: secrets, messages, tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from api.fake import H1, NOW, FakeContext, ask, session_of
from pooltrust.api import tasks as tasks_
from pooltrust.api.classes.fields.choices import TaskStatus
from pooltrust.api.classes.telling import message
from pooltrust.api.classes.telling.task import Task
from pooltrust.api.declare.values import NULL
from pooltrust.api.tasks import KEPT_SECONDS, STILL_SECONDS, Tasks
from pooltrust.api.views import host_ref


class Client:
    """Somebody with a session, calling as `client("host.get_all")`."""

    def __init__(self, context: FakeContext, *roles: str, user: str = "somebody") -> None:
        self.context = context
        self.session = session_of(context, *roles, user=user)

    def __call__(self, method: str, *parameters: Any) -> Any:
        return ask(self.context, method, self.session, *parameters)


def test_a_secret_is_made_read_and_removed_by_operators_alone():
    context = FakeContext()
    operator, reader = Client(context, "pool-operator"), Client(context, "read-only")

    secret = operator("secret.create", {"value": "hush", "other_config": {"k": "v"}})

    assert operator("secret.get_value", secret) == "hush"
    assert operator("secret.get_all_records")[secret]["other_config"] == {"k": "v"}
    for method in ("get_value", "get_uuid", "get_record", "destroy"):
        assert reader(f"secret.{method}", secret)[0] == "RBAC_PERMISSION_DENIED"
    assert reader("secret.get_all")[0] == "RBAC_PERMISSION_DENIED"
    assert operator("secret.destroy", secret) == ""
    assert operator("secret.get_value", secret) == ["HANDLE_INVALID", "secret", secret]
    assert operator("secret.destroy", secret) == ["HANDLE_INVALID", "secret", secret]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "value"),
        ({"value": 7}, "value"),
        ({"value": "x", "other_config": "y"}, "other_config"),
        ({"value": "x", "no_such": "y"}, "no_such"),
    ],
)
def test_the_field_that_an_object_can_not_be_made_of_is_named(fields: dict[str, Any], wrong: str):
    assert ["FIELD_TYPE_ERROR", wrong] == Client(FakeContext())("secret.create", fields)


def test_what_nobody_chooses_counts_for_nothing_when_an_object_is_made():
    client = Client(FakeContext())

    secret = client("secret.create", {"value": "x", "uuid": "mine"})

    assert client("secret.get_uuid", secret) != "mine"
    assert client("secret.get_other_config", secret) == {}


def test_a_message_is_about_an_object_that_is_there():
    context = FakeContext()
    client = Client(context, "pool-operator")

    message = client("message.create", "COLD", 3, "Host", H1, "<body/>")

    assert client("message.get_record", message) == {
        "uuid": client("message.get_record", message)["uuid"],
        "name": "COLD",
        "priority": 3,
        "cls": "Host",
        "obj_uuid": H1,
        "timestamp": "20240131T23:59:59Z",
        "body": "<body/>",
    }
    for cls, uuid in (("Host", "x"), ("VM", H1), ("Pool", H1)):
        assert ["UUID_INVALID", cls, uuid] == client("message.create", "X", 1, cls, uuid, "")
    assert client("message.create", "X", 1, "host", H1, "") == ["INVALID_VALUE", "host"]


def test_messages_are_found_by_their_object_and_their_time():
    context = FakeContext()
    client = Client(context)
    old = client("message.create", "OLD", 1, "Host", H1, "")
    context.moment = NOW + timedelta(hours=1)
    new = client("message.create", "NEW", 2, "Host", H1, "")

    def found(method: str, *arguments: str) -> set[str]:
        return set(client(f"message.{method}", *arguments))

    assert found("get", "Host", H1, "20240101T00:00:00Z") == {old, new}
    assert found("get", "Host", H1, "20240201T00:00:00Z") == {new}
    assert found("get", "Pool", H1, "20240101T00:00:00Z") == set()
    assert found("get_since", "20240131T23:59:59Z") == {old, new}
    assert found("get_since", "20240201T00:00:00Z") == {new}
    assert found("get_all_records_where", 'field "name" = "OLD"') == {old}


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({}, []),
        ({"priority": "1"}, ["NEW"]),
        ({"before": "20240201T00:00:00Z"}, ["NEW"]),
        ({"after": "20240201T00:00:00Z"}, ["OLD"]),
        ({"after": "20240201T00:00:00Z", "priority": "1"}, ["OLD", "NEW"]),
    ],
)
def test_messages_are_removed_by_filters(filters: dict[str, str], left: list[str]):
    context = FakeContext()
    client = Client(context)
    client("message.create", "OLD", 1, "Host", H1, "")
    context.moment = NOW + timedelta(hours=1)
    client("message.create", "NEW", 2, "Host", H1, "")

    assert client("message.destroy_all", filters) == ""

    assert left == [one["name"] for one in client("message.get_all_records").values()]
    assert client("message.destroy_all", {"colour": "red"}) == ["INVALID_VALUE", "colour", "red"]


def test_so_many_messages_are_kept_and_no_longer_ones(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(message, "MOST", 2)
    context = FakeContext()
    client = Client(context)
    for name in ("A", "B", "C"):
        client("message.create", name, 1, "Host", H1, "x" * message.LONGEST_BODY)
        context.moment += timedelta(seconds=1)

    assert [one["name"] for one in client("message.get_all_records").values()] == ["B", "C"]
    refused = client("message.create", "D", 1, "Host", H1, "x" * (message.LONGEST_BODY + 1))
    assert refused[:2] == ["INVALID_VALUE", "body"]


def test_many_messages_are_removed_all_or_none():
    client = Client(FakeContext())
    one, two = (client("message.create", "X", 1, "Host", H1, "") for _ in range(2))

    assert client("message.destroy_many", [one, NULL])[0] == "HANDLE_INVALID"
    assert client("message.get_all") == [one, two]
    assert client("message.destroy_many", [one, two]) == ""
    assert client("message.get_all") == []


def test_a_client_keeps_a_task_for_its_own_work():
    context = FakeContext()
    client = Client(context, "read-only")

    task = client("task.create", "Moving house", "box by box")

    record = client("task.get_record", task)
    assert (record["name_label"], record["name_description"]) == ("Moving house", "box by box")
    assert (record["status"], record["progress"], record["type"]) == ("pending", 0.0, "<none/>")
    assert (record["created"], record["finished"]) == ("20240131T23:59:59Z", "19700101T00:00:00Z")
    assert record["resident_on"] == host_ref(H1)
    assert "session" not in record and "externalpid" not in record
    client("task.set_progress", task, 0.5)
    client("task.set_result", task, "all boxes")
    client("task.set_error_info", task, ["A", "b"])
    client("task.set_status", task, "success")
    client("task.add_to_other_config", task, "k", "v")
    assert client("task.add_to_other_config", task, "k", "w")[0] == "MAP_DUPLICATE_KEY"
    record = client("task.get_record", task)
    assert (record["status"], record["progress"], record["result"]) == ("success", 0.5, "all boxes")
    assert (record["error_info"], record["other_config"]) == (["A", "b"], {"k": "v"})
    assert record["finished"] == "20240131T23:59:59Z"
    assert client("task.destroy", task) == ""
    assert client("task.get_by_name_label", "Moving house") == []
    assert client("task.destroy", task) == ["HANDLE_INVALID", "task", task]


def test_nobody_touches_the_tasks_of_others_but_who_runs_the_pool():
    context = FakeContext()
    ada, ben = (Client(context, "vm-admin", user=user) for user in ("ada", "ben"))
    operator = Client(context, "pool-operator", user="kim")
    task = ada("task.create", "hers", "")

    for method in ("destroy", "cancel"):
        refused = ben(f"task.{method}", task)
        assert refused[:2] == ["RBAC_PERMISSION_DENIED", f"task.{method}"]
        assert refused[2].endswith("(Roles with this permission: pool-admin, pool-operator)")
    assert ben("task.set_progress", task, 1.0)[0] == "RBAC_PERMISSION_DENIED"
    assert ben("task.get_name_label", task) == "hers"
    assert operator("task.destroy", task) == ""


def a_task(n: int, status: TaskStatus = TaskStatus.PENDING) -> Task:
    return Task(uuid=str(n), created=NOW, status=status)


def test_what_a_host_works_at_is_said_by_the_host():
    context = FakeContext()
    client = Client(context)
    task = context.tasks.open(a_task(1), "somebody", 0.0, works=True)

    for method, value in (("progress", 1.0), ("status", "success"), ("result", "x")):
        assert client(f"task.set_{method}", task, value)[0] == "OPERATION_NOT_ALLOWED"
    assert client("task.add_to_other_config", task, "applies_to", "x") == ""
    assert client("task.cancel", task)[0] == "OPERATION_NOT_ALLOWED"
    stopped: list[bool] = []
    context.tasks.may_stop(task, lambda: stopped.append(True), 0.0)
    assert client("task.get_allowed_operations", task) == ["cancel"]
    for _ in range(2):
        assert client("task.cancel", task) == ""
    assert stopped == [True]
    assert client("task.get_status", task) == "cancelling"
    assert client("task.get_current_operations", task) == {task: "cancel"}


def test_a_task_that_nobody_wants_goes_when_its_work_is_over():
    tasks = Tasks()
    working = tasks.open(a_task(1), "", 0.0, works=True)

    tasks.destroy(working)

    assert working in tasks.rows
    tasks.end(working, TaskStatus.SUCCESS, NOW, 1.0, result="")
    assert working not in tasks.rows
    tasks.end(working, TaskStatus.SUCCESS, NOW, 1.0)
    tasks.edit(working, 1.0, progress=0.5)


def test_tasks_are_forgotten_a_while_after_their_end():
    tasks = Tasks()
    ended = tasks.open(a_task(1), "", 0.0, works=True)
    going = tasks.open(a_task(2), "", 0.0, works=True)
    tasks.end(ended, TaskStatus.FAILURE, NOW, 10.0)

    tasks.sweep(10.0 + KEPT_SECONDS)
    assert set(tasks.rows) == {ended, going}
    tasks.sweep(11.0 + KEPT_SECONDS)
    assert set(tasks.rows) == {going}
    tasks.edit(going, 100.0, progress=0.5)
    tasks.sweep(100.0 + STILL_SECONDS)
    assert set(tasks.rows) == {going}
    tasks.sweep(101.0 + STILL_SECONDS)
    assert set(tasks.rows) == set()


def test_so_many_tasks_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks_, "MOST_ENDED", 3)
    monkeypatch.setattr(tasks_, "MOST", 10)
    tasks = Tasks()
    for n in range(3 + 5):
        ref = tasks.open(a_task(n), "", 0.0, works=True)
        tasks.end(ref, TaskStatus.SUCCESS, NOW, 0.0)
    tasks.sweep(0.0)
    assert next(task.uuid for task in tasks.rows.values()) == "5"
    working = tasks.open(a_task(1), "", 0.0, works=True)
    for n in range(1000, 1030):
        tasks.open(a_task(n), "", 0.0, works=False)
    assert len(tasks.rows) <= 11 and working in tasks.rows


def test_every_class_that_has_records_is_counted_with_the_events():
    context = FakeContext()
    session = session_of(context)
    ask(context, "secret.create", session, {"value": "x", "other_config": {}})
    listed = ask(context, "system.listMethods")

    counts = ask(context, "event.from", session, ["pool"], "", 0.0)["valid_ref_counts"]

    of_records = {name.partition(".")[0] for name in listed if name.endswith(".get_record")}
    assert {name.lower() for name in of_records} == counts.keys()
    assert (counts["secret"], counts["session"], counts["host"], counts["vm"]) == (1, 1, 3, 0)
