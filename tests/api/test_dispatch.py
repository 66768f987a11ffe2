"""Which error a client sees first, where a call runs, and what never reaches a client."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from api.fake import (
    COORDINATOR_ADDRESS,
    H1,
    H2,
    LOCAL,
    NOW,
    REMOTE,
    FakeContext,
    answer,
    ask,
    identities,
    session_of,
)
from api.test_agreement import by_xml
from pooltrust.api.declare.values import NULL
from pooltrust.api.dispatch import TELL_THUMBPRINT, carry_out
from pooltrust.api.sessions import Principal
from pooltrust.api.views import host_ref
from pooltrust.api.wire.jsonrpc import JSON, encode
from pooltrust.errors import CannotContactHost, Failure, HandleInvalid, InternalError

BROKEN = HandleInvalid("emergency", "stand-in")
HOST = host_ref(H1)


def test_the_first_thing_that_is_wrong_is_what_the_client_is_told():
    """Each case repairs the first fault of the one before it; all later ones are still there."""
    context = FakeContext(emergency=BROKEN)
    weak, strong = session_of(context, "read-only"), session_of(context)

    assert ask(context, "host.fly") == ["MESSAGE_METHOD_UNKNOWN", "host.fly"]
    assert ask(context, "host.set_display") == ["HANDLE_INVALID", "emergency", "stand-in"]
    context.emergency = None
    assert ask(context, "Async.host.set_display", "no session", 1) == [
        "MESSAGE_PARAMETER_COUNT_MISMATCH",
        "host.set_display",
        "2",
        "1",
    ]
    assert ask(context, "Async.host.set_display", "no session", 1, 2) == [
        "SESSION_INVALID",
        "no session",
    ]
    denied = ask(context, "Async.host.set_display", weak, 1, 2)
    assert denied[:2] == ["RBAC_PERMISSION_DENIED", "host.set_display"]
    assert denied[2].endswith("(Roles with this permission: pool-admin, pool-operator)")
    assert ask(context, "Async.host.set_display", strong, 1, 2) == [
        "Fault",
        "No async mode for this operation (rpc: host.set_display)",
    ]
    assert ask(context, "host.set_display", strong, 1, 2) == [
        "INTERNAL_ERROR",
        "host.set_display: self must be of type host ref",
    ]
    assert ask(context, "host.set_display", strong, "x", "purple") == ["INVALID_VALUE", "purple"]
    assert ask(context, "host.set_display", strong, "x", "enabled") == [
        "HANDLE_INVALID",
        "host",
        "x",
    ]
    assert ask(context, "host.set_display", strong, HOST, "disabled") == ""
    assert ask(context, "host.get_display", strong, HOST) == "disabled"


@pytest.mark.parametrize(
    ("method", "parameters", "expected"),
    [
        ("pool.get_all", [], ["MESSAGE_PARAMETER_COUNT_MISMATCH", "pool.get_all", "0", "-1"]),
        (
            "pool.get_all",
            ["S", "x"],
            ["MESSAGE_PARAMETER_COUNT_MISMATCH", "pool.get_all", "0", "1"],
        ),
        (
            "session.login_with_password",
            ["root"],
            ["MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "2", "1"],
        ),
        ("no.such", ["nobody"], ["SESSION_INVALID", "nobody"]),
        ("no.such", ["S"], ["MESSAGE_METHOD_UNKNOWN", "no.such"]),
        ("Async.no.such", [], ["MESSAGE_METHOD_UNKNOWN", "Async.no.such"]),
        ("pool.get_all", [7], ["SESSION_INVALID", ""]),
        ("host.get_by_uuid", ["S", "x"], ["UUID_INVALID", "host", "x"]),
        ("host.get_record", ["S", NULL], ["HANDLE_INVALID", "host", NULL]),
        (
            "host.set_name_label",
            ["S", HOST, "a\x01b"],
            ["INVALID_VALUE", "Invalid UTF-8 string in parameter", "a\x01b"],
        ),
    ],
)
def test_generic_errors(method: str, parameters: list[Any], expected: list[str]):
    context = FakeContext()
    session = session_of(context)

    assert expected == ask(context, method, *[session if p == "S" else p for p in parameters])


def test_trailing_defaults_may_be_left_out_and_surplus_is_ignored():
    context = FakeContext()

    first = ask(context, "session.login_with_password", "root", "right")
    second = ask(context, "session.login_with_password", "root", "right", "2.23", "me", "more", 5)

    assert ask(context, "session.get_originator", second, second) == "me"
    assert ask(context, "session.get_originator", first, first) == ""


def test_the_other_spelling_of_a_name_works():
    context = FakeContext()
    session = session_of(context)

    assert ask(context, "pool.get_all", session) == ask(context, "pool_get_all", session) != []


def test_a_map_is_added_to_once():
    context = FakeContext()
    session = session_of(context)
    (pool,) = ask(context, "pool.get_all", session)

    assert ask(context, "pool.add_to_other_config", session, pool, "k", "v") == ""
    duplicate = ask(context, "pool.add_to_other_config", session, pool, "k", "w")
    assert duplicate[:3] == ["MAP_DUPLICATE_KEY", "pool", "other_config"]
    assert duplicate[4] == "k"
    assert ask(context, "pool.get_other_config", session, pool) == {"k": "v"}
    assert ask(context, "pool.remove_from_other_config", session, pool, "k") == ""
    assert ask(context, "pool.remove_from_other_config", session, pool, "k") == ""
    assert ask(context, "pool.get_other_config", session, pool) == {}
    for _ in range(2):
        assert ask(context, "pool.add_tags", session, pool, "t") == ""
    assert ask(context, "pool.get_tags", session, pool) == ["t"]
    assert ask(context, "pool.remove_tags", session, pool, "t") == ""
    assert ask(context, "pool.get_tags", session, pool) == []


def test_a_login_that_fails_says_whose_it_was():
    failure = ask(FakeContext(), "session.login_with_password", "root", "wrong")

    assert failure[:2] == ["SESSION_AUTHENTICATION_FAILED", "root"]


def test_a_supporter_sends_clients_on_before_it_looks_at_a_password():
    context = FakeContext(this_host=H2)

    assert ask(context, "session.login_with_password", "root", "right") == [
        "HOST_IS_SLAVE",
        COORDINATOR_ADDRESS,
    ]
    assert ask(context, "pool.get_all", "unknown") == ["HOST_IS_SLAVE", COORDINATOR_ADDRESS]
    assert context.did == []
    kept = session_of(context, "pool-admin")
    assert ask(context, "pool.get_all", kept) == ["HOST_IS_SLAVE", COORDINATOR_ADDRESS]


def test_who_asks_is_told_whom_to_expect_at_the_coordinator():
    context = FakeContext(this_host=H2)
    server = identities(H1)[1].certificate
    login = {"method": "session.login_with_password", "params": ["a", "b"], "id": 1}
    body = orjson.dumps(login)

    def told(asked: str) -> str | None:
        return answer(context, JSON, body, ask=asked).headers.get(TELL_THUMBPRINT)

    assert str(server.thumbprint) == told("sha-256:master")
    assert server.sha1 == told("sha-1:master")
    assert told("md5:master") is None and told("") is None
    context.this_host = H1
    assert told("sha-256:master") is None


def test_a_local_user_of_a_supporter_is_served_by_the_coordinator():
    there, here = FakeContext(), FakeContext(this_host=H2)

    async def elsewhere(call: Any, arguments: Any, principal: Principal, to: Any) -> Any:
        carried = Principal.from_carried(orjson.loads(orjson.dumps(principal.carried())))
        raw = orjson.loads(encode(list(arguments)))
        return orjson.loads(encode(await carry_out(there, call.name, raw, carried)))

    here.elsewhere = elsewhere
    session = ask(here, "session.login_with_password", "", "", origin=LOCAL)
    expected = ask(there, "host.get_all_records", session_of(there))
    assert len(expected) == 3

    assert expected == ask(here, "host.get_all_records", session, origin=LOCAL)
    assert here.did[-1] == ("forward", "host.get_all_records", "coordinator")
    assert by_xml(here, "host.get_all_records", [session])[0] == "Success"
    assert ask(here, "host.set_name_label", session, HOST, "new", origin=LOCAL) == ""
    assert ask(there, "host.get_name_label", session_of(there), HOST) == "new"
    assert ask(here, "pool.get_all", "x", origin=LOCAL) == ["SESSION_INVALID", "x"]


def test_a_call_runs_on_the_host_that_it_names():
    there, here = FakeContext(this_host=H2), FakeContext()
    there.moment = NOW + timedelta(minutes=1)

    async def elsewhere(call: Any, arguments: Any, principal: Principal, to: Any) -> Any:
        assert to == H2
        return orjson.loads(encode(await carry_out(there, call.name, list(arguments), principal)))

    here.elsewhere = elsewhere
    session = session_of(here)

    assert ask(here, "host.get_servertime", session, HOST) == "20240131T23:59:59Z"
    assert ask(here, "host.get_servertime", session, host_ref(H2)) == "20240201T00:00:59Z"
    assert here.did == [("forward", "host.get_servertime", H2)]
    assert ask(here, "host.get_servertime", session, "no") == ["HANDLE_INVALID", "host", "no"]


def test_a_failure_elsewhere_is_the_clients_failure():
    async def elsewhere(*_: Any) -> Any:
        raise CannotContactHost(host_ref(H2))

    context = FakeContext(elsewhere=elsewhere)

    assert ["CANNOT_CONTACT_HOST", host_ref(H2)] == ask(
        context, "pool.is_slave", session_of(context), host_ref(H2)
    )


def test_what_is_forwarded_is_checked_again():
    context = FakeContext()
    weak = Principal("reader", REMOTE, frozenset(("read-only",)))
    root = replace(weak, is_local_superuser=True)

    def refusal(name: str, arguments: list[Any], who: Principal) -> Failure:
        with pytest.raises(Failure) as caught:
            asyncio.run(carry_out(context, name, arguments, who))
        return caught.value

    enable = "pool.enable_tls_verification"
    assert refusal(enable, [], weak).code == "RBAC_PERMISSION_DENIED"
    assert refusal("no.such", [], root).code == "MESSAGE_METHOD_UNKNOWN"
    assert refusal(enable, [1], root).code == "MESSAGE_PARAMETER_COUNT_MISMATCH"
    assert refusal("host.get_servertime", [7], root).code == "INTERNAL_ERROR"
    # A host that sends on what was sent to it would send it round in circles.
    assert refusal("host.get_servertime", [host_ref(H2)], root).code == "INTERNAL_ERROR"
    context.records = lambda cls: {}[cls]  # type: ignore[method-assign]
    assert isinstance(refusal("pool.get_all", [], root), InternalError)
    assert len(context.defects) == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("pool.join", ["a", "b", "c"]),  # runs where it is asked
        ("session.login_with_password", ["root", "guess", "", ""]),  # would hide who guesses
        ("session.logout", []),
        ("pooltrust.create_join_code", [60]),  # would let a supporter's word admit a host
    ],
)
def test_what_no_other_member_may_ask_for_is_not_there_for_it(name: str, arguments: list[Any]):
    context = FakeContext()
    root = Principal("root", REMOTE, is_local_superuser=True)

    with pytest.raises(Failure) as refused:
        asyncio.run(carry_out(context, name, arguments, root))

    assert refused.value.code == "MESSAGE_METHOD_UNKNOWN"
    assert context.did == []


def test_a_supporter_sends_on_whom_it_may_not_speak_for():
    context = FakeContext(this_host=H2)
    session = session_of(context, origin=LOCAL)

    refused = ask(context, "pooltrust.create_join_code", session, origin=LOCAL)

    assert refused == ["HOST_IS_SLAVE", context.coordinator_address]
    assert context.did == []


def test_an_exception_that_nobody_declared_stays_in_the_log():
    context = FakeContext()
    session = session_of(context)

    def broken(cls: type) -> Any:
        raise RuntimeError("/secret/path and a password")

    context.records = broken  # type: ignore[method-assign]
    failure = ask(context, "pool.get_all", session)

    assert failure[0] == "INTERNAL_ERROR"
    assert "defect-1" in failure[1] and "secret" not in failure[1]
    assert "secret" in str(context.defects[0])


def test_a_value_that_no_wire_has_is_a_defect_too():
    context = FakeContext()
    session = session_of(context)
    context.host_status = lambda: {"role": object()}  # type: ignore[method-assign,dict-item]

    assert ask(context, "pooltrust.get_host_status", session, HOST)[0] == "INTERNAL_ERROR"
    assert by_xml(context, "pooltrust.get_host_status", [session, HOST])[0] == "Failure"
    assert len(context.defects) == 2


def test_in_an_emergency_only_emergency_calls_are_answered():
    context = FakeContext(emergency=BROKEN)
    session = session_of(context)

    assert ask(context, "host.is_in_emergency_mode", session) is True
    assert ask(context, "pool.get_all", session) == ["HANDLE_INVALID", "emergency", "stand-in"]


def test_logging_out_ends_the_session_that_logs_out():
    context = FakeContext()
    session, other = session_of(context), session_of(context)

    assert ask(context, "session.logout", session) == ""
    assert ["SESSION_INVALID", session] == ask(context, "pool.get_all", session)
    assert ask(context, "pool.get_all", other)


def test_a_session_is_found_by_its_uuid_by_nobody_but_itself():
    context = FakeContext()
    session, other = session_of(context, "pool-admin"), session_of(context)
    uuid = ask(context, "session.get_uuid", session, session)

    assert ask(context, "session.get_by_uuid", session, uuid) == session
    assert ask(context, "session.get_by_uuid", other, uuid) == ["UUID_INVALID", "session", uuid]


def test_a_session_of_a_supporter_speaks_for_itself():
    context = FakeContext(this_host=H2)
    session = ask(context, "session.login_with_password", "", "", origin=LOCAL)

    assert ask(context, "session.get_this_host", session, session, origin=LOCAL) == host_ref(H2)
    assert len(ask(context, "role.get_all_records", session, origin=LOCAL)) == 6
    assert ask(context, "session.logout", session, origin=LOCAL) == ""
    assert context.did == []


def test_a_session_says_who_it_is():
    context = FakeContext()
    session = session_of(context, "pool-operator")

    record = ask(context, "session.get_record", session, session)

    assert record["uuid"] not in session
    assert (record["this_host"], record["this_user"]) == (HOST, NULL)
    assert (record["is_local_superuser"], record["auth_user_name"]) == (False, "somebody")
    assert "pool.join" in record["rbac_permissions"]
    assert "pool.enable_tls_verification" not in record["rbac_permissions"]
    admin = session_of(context)
    assert ask(context, "session.add_to_other_config", admin, session, "k", "v") == ""
    assert ask(context, "session.get_other_config", session, session) == {"k": "v"}


def test_our_own_calls_check_their_bounds():
    context = FakeContext()
    session = session_of(context)

    assert ask(context, "pooltrust.create_join_code", session) == "a code"
    assert context.did[-1] == ("create_join_code", 3600)
    for lifetime in (0, -1, 10**9):
        assert ["INVALID_VALUE", "lifetime", str(lifetime)] == ask(
            context, "pooltrust.create_join_code", session, lifetime
        )
    (entry,) = ask(context, "pooltrust.get_log", session)
    assert (entry["number"], entry["kind"], entry["by"]) == ("1", "founded", "root")
    assert ask(context, "pooltrust.get_log", session, 1) == []
    assert ask(context, "pooltrust.get_log", session, 0, 1001) == ["INVALID_VALUE", "count", "1001"]
    assert ask(context, "pooltrust.get_log", session, -1) == ["INVALID_VALUE", "after", "-1"]
    seen = ask(context, "pooltrust.probe_members", session, HOST)
    assert [one["uuid"] for one in seen][:2] == [H1, H2] and seen[0]["verified"] == "true"


def test_joining_is_the_callers_act():
    context = FakeContext()
    session = session_of(context, "pool-operator")

    assert ask(context, "pool.join", session, "192.0.2.1:8443", "root", "secret") == ""
    assert context.did == [("join", "192.0.2.1:8443", "root", "somebody")]
    assert ask(context, "pool.enable_tls_verification", session)[0] == "RBAC_PERMISSION_DENIED"


def test_a_certificate_is_found_at_its_host():
    context = FakeContext()
    session = session_of(context, "read-only")

    pem = ask(context, "host.get_server_certificate", session, HOST)

    assert pem == identities(H1)[1].certificate.pem()
