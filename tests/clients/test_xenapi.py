"""The XenAPI module of PyPI, trusting nothing but one host's server certificate."""

from __future__ import annotations

import ssl
import time
import xmlrpc.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import XenAPI

from pools.demonstration import Demo
from pools.stage import Host

NAMES = ["h1", "h2", "h3"]


def trusting(*hosts: Host) -> ssl.SSLContext:
    """What a careful client does: a context that starts with no anchors at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for host in hosts:
        context.load_verify_locations(host.folder / "server.pem")
    return context


def session_at(host: Host, *trusted: Host) -> XenAPI.Session:
    transport = xmlrpc.client.SafeTransport(context=trusting(*trusted or [host]))
    return XenAPI.Session(f"https://{host.address}:{host.port}", transport=transport)


@pytest.fixture(scope="module")
def session(demo: Demo) -> Iterator[XenAPI.Session]:
    session = session_at(demo.hosts["h1"])
    session.login_with_password("root", demo.password, "2.23", "a test")
    yield session
    session.xenapi.session.logout()


def test_it_finds_one_pool_with_verification_on(session: XenAPI.Session):
    [(_, pool)] = session.xenapi.pool.get_all_records().items()
    assert pool["tls_verification_enabled"] is True
    assert session.xenapi.host.get_name_label(pool["master"]) == "h1"


def test_it_lists_the_hosts(session: XenAPI.Session):
    hosts = session.xenapi.host.get_all_records()
    told = {(h["name_label"], h["address"], h["tls_verification_enabled"]) for h in hosts.values()}
    assert told == {(name, f"127.0.0.{n}", True) for n, name in enumerate(NAMES, 1)}
    assert all(host["enabled"] for host in hosts.values())


def test_every_host_has_metrics_that_say_it_lives(session: XenAPI.Session):
    metrics = session.xenapi.host_metrics.get_all_records()
    told = [metrics[h["metrics"]]["live"] for h in session.xenapi.host.get_all_records().values()]
    assert told == [True, True, True]


def test_it_lists_both_certificates_of_every_host_as_the_page_does(
    session: XenAPI.Session, demo: Demo
):
    kinds = {"host": "server", "host_internal": "pool"}
    told = {
        (session.xenapi.host.get_name_label(c["host"]), kinds[c["type"]]): c["fingerprint_sha256"]
        for c in session.xenapi.Certificate.get_all_records().values()
    }
    shown = demo.page.thumbprints
    assert told.keys() == shown.keys()
    # Other clients of these tests refresh pool identities; nobody changes what clients meet.
    changed = {host for (host, kind), one in told.items() if one != shown[host, kind]}
    assert changed <= {"h2", "h3"}
    assert all(told[host, "server"] == shown[host, "server"] for host in NAMES)


def test_a_certificate_has_its_dates_as_dates(session: XenAPI.Session):
    for certificate in session.xenapi.Certificate.get_all_records().values():
        assert isinstance(certificate["not_before"], xmlrpc.client.DateTime)
        assert certificate["not_before"] < certificate["not_after"]


def test_the_certificate_that_it_met_is_the_one_that_it_is_told(
    session: XenAPI.Session, demo: Demo
):
    host = demo.hosts["h2"]
    met = ssl.get_server_certificate((host.address, host.port))
    [ref] = session.xenapi.host.get_by_name_label("h2")
    told = session.xenapi.host.get_server_certificate(ref)
    assert ssl.PEM_cert_to_DER_cert(told) == ssl.PEM_cert_to_DER_cert(met)


def test_a_wrong_password_does_not_let_it_in(demo: Demo):
    with pytest.raises(XenAPI.Failure) as failed:
        session_at(demo.hosts["h1"]).login_with_password("root", "wrong")
    assert failed.value.details[:2] == ["SESSION_AUTHENTICATION_FAILED", "root"]


@pytest.mark.parametrize("name", ["h2", "h3"])
@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_supporter_sends_it_to_the_coordinator_whatever_the_password(
    demo: Demo, name: str, password: str
):
    given = demo.password if password == "right" else "wrong"
    with pytest.raises(XenAPI.Failure) as failed:
        session_at(demo.hosts[name]).login_with_password("root", given)
    assert failed.value.details == ["HOST_IS_SLAVE", "127.0.0.1"]


def test_a_session_that_was_ended_opens_nothing(demo: Demo):
    session = session_at(demo.hosts["h1"])
    session.login_with_password("root", demo.password)
    ended = session.handle
    session.xenapi.session.logout()
    assert session.host.get_all(ended) == {
        "Status": "Failure",
        "ErrorDescription": ["SESSION_INVALID", ended],
    }


def test_it_refuses_a_host_whose_certificate_it_does_not_trust(demo: Demo):
    session = session_at(demo.hosts["h1"], demo.hosts["h2"])
    with pytest.raises(ssl.SSLCertVerificationError):
        session.login_with_password("root", demo.password)


def events_of(session: XenAPI.Session, token: str, *classes: str) -> Any:
    """Wait for events, much longer than they may take."""
    return getattr(session.xenapi.event, "from")(list(classes), token, 30.0)


def test_it_is_told_of_everything_and_then_of_what_another_client_changes(
    session: XenAPI.Session, demo: Demo
):
    first = events_of(session, "", "*")
    added = {event["class"] for event in first["events"]}
    assert {"pool", "host", "host_metrics", "certificate", "role"} <= added
    assert {event["operation"] for event in first["events"]} == {"add"}
    assert first["valid_ref_counts"]["host"] == 3 and first["valid_ref_counts"]["vm"] == 0

    other = session_at(demo.hosts["h1"])
    other.login_with_password("root", demo.password)
    [pool] = other.xenapi.pool.get_all()
    with ThreadPoolExecutor(1) as thread:
        began = time.monotonic()
        waiting = thread.submit(events_of, session_of(session, demo), first["token"], "pool")
        other.xenapi.pool.set_name_description(pool, "told of")
        told = waiting.result()
        took = time.monotonic() - began

    [event] = told["events"]
    assert (event["operation"], event["ref"]) == ("mod", pool)
    assert event["snapshot"]["name_description"] == "told of"
    assert told["token"] > first["token"]
    assert took < 15, "it was woken; its own time had not run out"


def session_of(session: XenAPI.Session, demo: Demo) -> XenAPI.Session:
    """The same session over a connection of its own: xmlrpc.client's is for one thread."""
    same = session_at(demo.hosts["h1"])
    same._session = session._session
    return same


def test_it_hears_by_the_old_calls_what_changes_after_it_registered(session: XenAPI.Session):
    [pool] = session.xenapi.pool.get_all()
    session.xenapi.event.register(["pool"])
    session.xenapi.pool.add_to_other_config(pool, "heard", "yes")
    [event] = session.xenapi.event.next()
    assert event["snapshot"]["other_config"]["heard"] == "yes"
    assert float(event["timestamp"]) > 1e9
    session.xenapi.pool.remove_from_other_config(pool, "heard")
    session.xenapi.event.unregister(["*", "pool"])
    with pytest.raises(XenAPI.Failure, match="SESSION_NOT_REGISTERED"):
        session.xenapi.event.next()


def test_a_place_that_this_host_never_gave_is_lost(session: XenAPI.Session):
    with pytest.raises(XenAPI.Failure) as failed:
        events_of(session, f"{7:020d},{7:020d}", "pool")
    assert failed.value.details == ["EVENTS_LOST"]


def test_a_wait_ends_with_its_session(demo: Demo):
    waiter, other = session_at(demo.hosts["h1"]), session_at(demo.hosts["h1"])
    waiter.login_with_password("root", demo.password)
    ended = waiter.handle
    token = events_of(waiter, "", "pool")["token"]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(getattr(waiter.event, "from"), ended, ["pool"], token, 30.0)
        other.session.logout(ended)
        assert waiting.result()["ErrorDescription"] == ["SESSION_INVALID", ended]


def test_general_clients_may_ask_for_every_class_that_is_listed(session: XenAPI.Session):
    listed = session.system.listMethods()
    names = [name for name in listed if name.endswith(".get_all_records")]
    assert len(names) > 50
    answers = {name: session.xenapi_request(name, ()) for name in names}
    assert all(isinstance(records, dict) for records in answers.values())
    assert answers["VM.get_all_records"] == {} and len(answers["host.get_all_records"]) == 3


def test_what_belongs_to_virtual_machines_is_not_done_here(session: XenAPI.Session):
    with pytest.raises(XenAPI.Failure) as failed:
        session.xenapi.VM.start("OpaqueRef:NULL", False, False)
    assert failed.value.details == ["NOT_IMPLEMENTED", "VM.start"]


def test_a_call_made_a_task_is_answered_at_once_and_tells_its_end(session: XenAPI.Session):
    [h2] = session.xenapi.host.get_by_name_label("h2")
    token = events_of(session, "", "pool", "task")["token"]  # of tasks alone there may be none
    task = session.xenapi.Async.host.refresh_server_certificate(h2)
    status = "pending"
    while status == "pending":
        told = events_of(session, token, "task")
        token = told["token"]
        for event in told["events"]:
            if event["ref"] == task:
                status = event["snapshot"]["status"]
    assert status == "success"
    assert session.xenapi.task.get_result(task) == "<value></value>"
    assert session.xenapi.task.get_progress(task) == 1.0
    session.xenapi.task.destroy(task)
    assert task not in session.xenapi.task.get_all()
