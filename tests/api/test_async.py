"""Calls made as tasks: answered at once; what came of them is in the task."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest

from api.fake import H1, H2, FakeContext, ask, session_of
from api.test_agreement import by_xml
from pooltrust.api import tasks
from pooltrust.api.declare.call import CALLS
from pooltrust.api.views import host_ref
from pooltrust.errors import CannotVerify

H2_REF = host_ref(H2)


def made(context: FakeContext, method: str, *parameters: Any) -> dict[str, Any]:
    """The record of the task that a call was made."""
    session = session_of(context)
    ref = ask(context, f"Async.{method}", session, *parameters)
    assert ref.startswith("OpaqueRef:"), ref
    record = ask(context, "task.get_record", session, ref)
    assert record["name_label"] == f"Async.{method}"
    return dict(record)


def value_of(result: str) -> Any:
    """What a client reads from a task's result."""
    whole = f"<params><param>{result}</param></params>"
    ((value,), _) = xmlrpc.client.loads(f"<methodResponse>{whole}</methodResponse>")
    return value


@pytest.mark.parametrize(
    ("method", "parameters", "value"),
    [
        ("pool.eject", [H2_REF], ""),
        ("pooltrust.refresh_pool", [], [H2_REF]),
        ("task.create", None, None),
    ],
)
def test_a_task_that_succeeds_has_the_value_in_xml(method: str, parameters: Any, value: Any):
    context = FakeContext()
    if parameters is None:
        assert ask(context, f"Async.{method}", session_of(context), "a", "b")[0] == "Fault"
        return

    record = made(context, method, *parameters)

    assert (record["status"], record["progress"], record["error_info"]) == ("success", 1.0, [])
    assert value_of(record["result"]) == value
    assert record["finished"] == "20240131T23:59:59Z" and record["resident_on"] == host_ref(H1)
    assert record["result"] != "" and record["allowed_operations"] == []


def test_a_task_that_fails_has_the_error_and_the_session_has_its_words():
    context = FakeContext()

    async def refused(*_: Any) -> None:
        raise CannotVerify(reason="it is another member's", expected="h2", met="h3")

    context.eject = refused  # type: ignore[method-assign]
    session = session_of(context)
    ref = ask(context, "Async.pool.eject", session, H2_REF)
    record = ask(context, "task.get_record", session, ref)

    assert (record["status"], record["result"]) == ("failure", "")
    assert record["error_info"] == ["SSL_VERIFY_ERROR", "it is another member's"]
    told = ask(context, "pooltrust.get_last_failure", session)
    assert told["words"] == "Expected h2, met h3: it is another member's."


def test_an_exception_that_nobody_declared_stays_in_the_log_here_too():
    context = FakeContext()

    async def broken(*_: Any) -> None:
        raise RuntimeError("/secret/path")

    context.eject = broken  # type: ignore[method-assign]
    record = made(context, "pool.eject", H2_REF)

    assert record["error_info"][0] == "INTERNAL_ERROR" and "secret" not in str(record)
    assert len(context.defects) == 1


def test_what_is_wrong_with_the_request_is_answered_and_no_task():
    context = FakeContext()
    session, reader = session_of(context), session_of(context, "read-only")

    assert ask(context, "Async.pool.eject", session)[0] == "MESSAGE_PARAMETER_COUNT_MISMATCH"
    assert ask(context, "Async.pool.eject", reader, H2_REF)[0] == "RBAC_PERMISSION_DENIED"
    assert ask(context, "Async.pool.eject", "x", H2_REF) == ["SESSION_INVALID", "x"]
    assert ask(context, "Async.host.get_record", session, H2_REF)[0] == "Fault"
    assert ask(context, "task.get_all", session) == []


def test_every_call_that_says_so_can_be_made_a_task_on_either_wire():
    names = [name for name, call in CALLS.items() if call.is_async and not call.parameters]
    assert "pool.recover_slaves" in names
    for name in names:
        context = FakeContext()
        status, ref = by_xml(context, f"Async.{name}", [session_of(context)])
        assert (status, ref in context.tasks.rows) == ("Success", True)


def test_what_is_not_done_here_is_a_task_that_says_so():
    record = made(FakeContext(), "VM.start", "OpaqueRef:NULL", False, False)

    assert record["error_info"] == ["NOT_IMPLEMENTED", "VM.start"]


def test_a_host_is_at_so_many_tasks_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks, "MOST_WORKING", 2)
    context = FakeContext()
    session = session_of(context)
    waiting: list[Any] = []
    context.spawn = lambda work: waiting.append(work) or work.close  # type: ignore[method-assign]

    for _ in range(2):
        assert ask(context, "Async.pool.eject", session, H2_REF).startswith("OpaqueRef:")
    assert ask(context, "Async.pool.eject", session, H2_REF) == ["TOO_MANY_PENDING_TASKS"]
    assert ask(context, "task.create", session, "mine", "").startswith("OpaqueRef:")
    for work in waiting:
        work.close()
