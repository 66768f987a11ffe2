"""npm's xen-api, the core of Xen Orchestra: it connects with its events on, over verified TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pools.demonstration import Demo

from .node import XenApi, connected
from .test_xenapi import session_at

pytestmark = pytest.mark.needs("node", "npm")


@pytest.fixture(scope="module")
def client(demo: Demo) -> Iterator[XenApi]:
    host = demo.hosts["h1"]
    with connected(host, demo.password, [host]) as client:
        yield client


def test_it_sees_pool_hosts_and_certificates_as_objects(client: XenApi, demo: Demo):
    seen = client.objects()

    [pool] = seen["pool"]
    assert pool["tls_verification_enabled"] is True
    hosts = {host["$ref"]: host for host in seen["host"]}
    assert sorted(host["name_label"] for host in hosts.values()) == ["h1", "h2", "h3"]
    assert hosts[pool["master"]]["name_label"] == "h1"
    assert len(seen["host_metrics"]) == 3 and len(seen["role"]) == 6
    told = {
        (hosts[one["host"]]["name_label"], {"host": "server"}.get(one["type"], "pool")): one[
            "fingerprint_sha256"
        ]
        for one in seen["Certificate"]
    }
    assert told == demo.page.thumbprints


def test_it_is_told_of_what_another_client_changes(client: XenApi, demo: Demo):
    [pool] = client.objects()["pool"]
    other = session_at(demo.hosts["h1"])
    other.login_with_password("root", demo.password)

    other.xenapi.pool.set_name_label(pool["$ref"], "named elsewhere")

    assert client.changed(pool["$ref"], name_label="named elsewhere")["master"] == pool["master"]
    assert not [one for one in client.told if "failed" in one]


def test_it_is_told_of_what_comes_and_goes(client: XenApi, demo: Demo):
    [pool] = client.objects()["pool"]
    message = client.call("message.create", "SEEN", 5, "Pool", pool["uuid"], "<body/>")
    uuid = client.changed(message, name="SEEN")["uuid"]

    client.call("message.destroy", message)

    client.hear(lambda one: uuid in one.get("remove", ()))


def test_its_failures_have_their_code_and_parameters(client: XenApi):
    assert client.call("host.get_record", "OpaqueRef:x") == [
        "HANDLE_INVALID",
        "host",
        "OpaqueRef:x",
    ]
    assert client.call("VM.start", "OpaqueRef:NULL", False, False) == [
        "NOT_IMPLEMENTED",
        "VM.start",
    ]


def test_it_follows_a_supporter_to_the_coordinator(demo: Demo):
    hosts = demo.hosts
    with connected(hosts["h2"], demo.password, [hosts["h1"], hosts["h2"]]) as client:
        assert len(client.objects()["host"]) == 3


def test_it_refuses_a_host_whose_certificate_it_does_not_trust(demo: Demo):
    with connected(demo.hosts["h3"], demo.password, [demo.hosts["h1"]]) as client:
        told = client.hear(lambda one: "refused" in one)
        assert told["refused"] == "DEPTH_ZERO_SELF_SIGNED_CERT"


def test_it_waits_for_the_end_of_a_task_by_events(client: XenApi):
    [h3] = [host["$ref"] for host in client.objects()["host"] if host["name_label"] == "h3"]

    assert client.call("Async.host.refresh_server_certificate", h3) == ""
    assert client.call("Async.VM.start", "OpaqueRef:NULL", False, False) == [
        "NOT_IMPLEMENTED",
        "VM.start",
    ]
