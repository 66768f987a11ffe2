"""The records that clients see follow from the roster; users add names and notes, never trust."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xmlrpc.client import Transport, loads

import XenAPI

from api.fake import H1, H2, H3, NOW, REMOTE, FakeContext, answer, identities, roster
from pooltrust.api import views
from pooltrust.api.classes.certificate import Certificate
from pooltrust.api.classes.fields.host import Host
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.classes.host_metrics import HostMetrics
from pooltrust.api.classes.telling.message import Message
from pooltrust.api.declare.values import NULL, ref_of
from pooltrust.api.messages import removal
from pooltrust.api.reference import reference
from pooltrust.api.wire.xmlrpc import XML
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.trust.roster import Anchor


def pool_of(picture: views.Picture) -> Pool:
    (pool,) = views.records(Pool, picture).values()
    return pool


def test_the_pool_names_its_coordinator_and_whether_it_verifies():
    pool = pool_of(views.Picture(roster()))

    assert (pool.master, pool.tls_verification_enabled) == (views.host_ref(H1), True)
    assert (pool.name_label, pool.wlb_verify_cert, pool.default_SR) == ("", True, NULL)
    off = replace(roster(), verification=False)
    assert not pool_of(views.Picture(off)).tls_verification_enabled


def test_a_host_is_what_the_roster_says():
    hosts = views.records(Host, views.Picture(roster()))
    host = hosts[views.host_ref(H2)]

    assert sorted(host.uuid for host in hosts.values()) == [H1, H2, H3]
    assert (host.name_label, host.hostname, host.address) == ("h2", "h2", "127.0.0.2")
    assert (host.API_version_major, host.API_version_minor) == (2, 23)
    assert all(part.isdigit() for part in host.software_version["product_version"].split("."))
    assert host.software_version["hostname"] == "h2"


def test_an_emergency_override_shows_at_its_host_alone():
    hosts = views.records(Host, views.Picture(roster(), overrides=frozenset((H2,))))

    assert {host.uuid: host.tls_verification_enabled for host in hosts.values()} == {
        H1: True,
        H2: False,
        H3: True,
    }


def test_every_identity_has_a_certificate_row():
    picture = views.Picture(roster())
    rows = views.records(Certificate, picture)
    host = views.records(Host, picture)[views.host_ref(H3)]
    pool, server = identities(H3)

    assert len(rows) == 6
    found = {rows[ref].type: rows[ref] for ref in host.certificates}
    assert str(server.certificate.thumbprint) == found["host"].fingerprint_sha256
    assert str(pool.certificate.thumbprint) == found["host_internal"].fingerprint
    assert found["host"].not_after == server.certificate.not_after
    assert {views.host_ref(H3)} == {row.host for row in found.values()}


def test_during_a_refresh_both_certificates_are_shown():
    old, new = identities(H2)[0].certificate, mint_pool_identity(H2, NOW).certificate
    member = replace(roster().members[H2], certificates=(old, new))
    rows = views.records(Certificate, views.Picture(roster().with_member(member)))

    shown = [row.fingerprint for row in rows.values() if row.host == views.host_ref(H2)]
    assert {str(old.thumbprint), str(new.thumbprint)} < set(shown) and len(shown) == 3


def test_an_installed_anchor_has_no_host():
    anchor = Anchor("lab", "pinned", identities(H1)[1].certificate, ("ldaps",))
    rows = views.records(Certificate, views.Picture(roster().with_anchor(anchor)))

    (row,) = [row for row in rows.values() if row.type == "pinned"]
    assert (row.host, row.name, row.purpose) == (NULL, "lab", ("ldaps",))
    assert len(rows) == 7


def test_metrics_tell_who_was_heard():
    heard = {H1: views.Liveness(True, NOW, 2**33)}
    picture = views.Picture(roster(), liveness=heard)
    metrics = views.records(HostMetrics, picture)
    hosts = views.records(Host, picture)

    one, two = (metrics[hosts[views.host_ref(host)].metrics] for host in (H1, H2))
    assert (one.live, one.last_updated, one.memory_total) == (True, NOW, 2**33)
    assert not two.live and not hosts[views.host_ref(H2)].enabled


def test_references_and_uuids_differ_and_last():
    for cls in (Pool, Host, HostMetrics, Certificate):
        first = views.records(cls, views.Picture(roster()))
        assert first == views.records(cls, views.Picture(roster()))
        assert all(record.uuid not in ref for ref, record in first.items())
    assert ref_of("host", H1) != ref_of("pool", H1)


def test_a_row_adds_what_users_set_and_no_trust():
    row: dict[str, Any] = {
        "name_label": "renamed", "tags": ["a"], "other_config": {"k": "v"}, "display": "disabled",
        "address": "198.51.100.1", "hostname": "evil", "tls_verification_enabled": False,
        "certificates": [], "uuid": "x", "no_such_field": 1, "logging": "not a map",
    }  # fmt: skip
    asked = []

    def rows(cls: str) -> dict[str, dict[str, Any]]:
        asked.append(cls)
        return {H1: row}

    host = views.records(Host, views.Picture(roster(), rows))[views.host_ref(H1)]

    assert set(asked) == {"host"}
    assert (host.name_label, host.tags, host.other_config) == ("renamed", ("a",), {"k": "v"})
    assert (host.display, host.logging) == ("disabled", {})
    assert (host.address, host.hostname, host.uuid) == ("127.0.0.1", "h1", H1)
    assert host.tls_verification_enabled and len(host.certificates) == 2
    assert views.stored(host.tags) == ["a"] and type(views.stored(host.display)) is str


class InProcess(Transport):
    """The PyPI module's requests, answered without a socket."""

    def __init__(self, context: FakeContext) -> None:
        super().__init__()
        self.context = context

    def request(self, host: Any, handler: Any, request_body: Any, verbose: Any = False) -> Any:
        return loads(answer(self.context, XML, request_body, REMOTE).body)[0]


def test_the_xenapi_module_logs_in_and_lists_hosts_and_certificates():
    session = XenAPI.Session("http://127.0.0.1", transport=InProcess(FakeContext()))
    session.xenapi.login_with_password("root", "right", "2.23", "a test")

    hosts = session.xenapi.host.get_all_records()
    certificates = session.xenapi.Certificate.get_all_records()

    assert session.API_version == "2.23"
    assert {"h1", "h2", "h3"} == {host["name_label"] for host in hosts.values()}
    for ref, host in hosts.items():
        kinds = {certificates[one]["type"] for one in host["certificates"]}
        assert kinds == {"host", "host_internal"}
        assert session.xenapi.host.get_server_certificate(ref).startswith("-----BEGIN CERT")
    session.xenapi.logout()


def test_an_alert_is_a_message_about_its_object():
    thumbprint = identities(H1)[1].certificate.thumbprint
    anchor = Anchor("root", "ca", identities(H1)[1].certificate, ())
    alert = {
        "uuid": "u", "name": "X", "priority": 1, "words": "in words", "body": "", "date": "",
        "raised": "2024-01-31T23:59:59+00:00",
    }  # fmt: skip
    rows = {
        "a": {**alert, "uuid": "1", "about": "Host", "object": H2, "body": "<body/>"},
        "b": {**alert, "uuid": "2", "about": "Pool", "object": "any"},
        "c": {**alert, "uuid": "3", "about": "Certificate", "object": str(thumbprint)},
        "d": {**alert, "uuid": "4", "about": "Host", "object": H2, "seen": True},
        "e": {**alert, "uuid": "5", "about": "Weather"},
    }
    whole = roster().with_anchor(anchor)
    picture = views.Picture(whole, lambda cls: rows if cls == "alert" else {})

    shown = {message.uuid: message for message in views.records(Message, picture).values()}

    [certificate] = [
        one.uuid for one in views.records(Certificate, picture).values() if one.type == "ca"
    ]
    assert {uuid: (m.cls, m.obj_uuid) for uuid, m in shown.items()} == {
        "1": ("Host", H2),
        "2": ("Pool", views.pool_uuid(whole)),
        "3": ("Certificate", certificate),
    }
    assert (shown["1"].body, shown["2"].body) == ("<body/>", "in words")
    assert shown["1"].timestamp == NOW
    assert removal("1", rows) == ("alert", "a", {**rows["a"], "seen": True})
    assert removal("x", rows) == ("message", "x", None)


def test_the_reference_page_is_current():
    page = Path(__file__).parents[2] / "docs" / "reference.md"
    words = "write it anew: python -m pooltrust.api.reference > docs/reference.md"

    assert page.read_text() == reference(), words
