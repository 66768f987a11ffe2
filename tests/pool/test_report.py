"""Everything that can be said of a certificate, and the date at which something breaks first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pki.offered.stage import Maker, made, private
from pooltrust.pki.certificate import Certificate, read_pem
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.pool.breaks import next_break
from pooltrust.pool.report import report
from pooltrust.terms import PoolId, host_id
from pooltrust.trust.entries import KINDS
from pooltrust.trust.roster import Anchor, Membership, Roster

NOW = datetime(2020, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOST = host_id("11111111-0000-4000-8000-000000000000")
ROOT, MIDDLE = Maker.named("root"), Maker.named("middle")


def until(days: float) -> tuple[datetime, datetime]:
    return NOW - DAY, NOW + timedelta(days=days)


def one(pem: str) -> Certificate:
    return read_pem(pem)[0]


POOL = mint_pool_identity(HOST, NOW - DAY).certificate
SERVER = mint_server_identity(["h1"], ["192.0.2.1"], NOW, kind=KeyKind.P256).certificate
LEAF = one(made("h1", private("p256"), MIDDLE, names=("h1", "*.example.org"), dates=until(40)))
BETWEEN = one(made("middle", MIDDLE.key, ROOT, ca=True, names=(), dates=until(20)))
CA = one(made("root", ROOT.key, ca=True, names=(), dates=until(10)))
PIN = one(made("pin", private("p256"), dates=until(5)))


def roster(
    server: Certificate = SERVER,
    chain: tuple[Certificate, ...] = (),
    *anchors: Anchor,
    pool: Certificate = POOL,
) -> Roster:
    member = Membership(HOST, "h1", "192.0.2.1", (pool,), server, chain, KINDS)
    found = Roster.empty(PoolId("a" * 64), 443, HOST, verification=True).with_member(member)
    for anchor in anchors:
        found = found.with_anchor(anchor)
    return found


def test_a_certificate_s_facts_are_told_as_of_now() -> None:
    said = report(roster(LEAF, (BETWEEN,)), NOW, names={}, next=None)
    server, internal = said["certificates"]
    assert (server["type"], server["host"], server["host_name"]) == ("host", HOST, "h1")
    assert (server["subject"], server["issuer"]) == ("CN=h1", "CN=middle")
    assert server["self_signed"] is False and internal["self_signed"] is True
    assert (server["key"], server["signature"]) == ("P-256", "ecdsa-with-SHA256")
    assert (server["names"], server["addresses"]) == (["h1", "*.example.org"], [])
    assert (server["not_before"], server["days_left"]) == ("2020-01-31T00:00:00Z", 40)
    assert (server["sha256"], server["sha1"]) == (str(LEAF.thumbprint), LEAF.sha1)
    (between,) = server["chain"]
    assert (between["subject"], between["days_left"]) == ("CN=middle", 20)
    assert (internal["type"], internal["subject"]) == ("host_internal", POOL.subject)
    later = report(roster(LEAF), NOW + 41 * DAY, names={}, next=None)["certificates"][0]
    assert (later["days_left"], later["validity"]) == (-1, "expired")


def test_the_names_and_addresses_that_are_not_covered_are_said() -> None:
    names = {HOST: ("H1", "h1.example.org", "h1.example.com")}
    (server, _) = report(roster(LEAF), NOW, names=names, next=None)["certificates"]
    assert server["not_covered"] == ["h1.example.com", "192.0.2.1"]
    (server, _) = report(roster(SERVER), NOW, names={}, next=None)["certificates"]
    assert server["not_covered"] == []


def test_what_is_installed_is_told_with_what_it_is_trusted_for() -> None:
    anchors = (
        Anchor("ca.pem", "ca", CA, ("appliance", "client", "ldaps")),
        Anchor("", "pinned", PIN, ("ldaps",)),
    )
    ca, pinned = report(roster(SERVER, (), *anchors), NOW, names={}, next=None)["certificates"][2:]
    assert (ca["type"], ca["name"], ca["purposes"]) == ("ca", "ca.pem", ["ldaps"])
    assert ca["trusted_for"] == ["appliance", "client", "ldaps"]
    assert (pinned["type"], pinned["purposes"]) == ("pinned", ["ldaps"])


OVERDUE = mint_pool_identity(HOST, NOW - 330 * DAY).certificate


@pytest.mark.parametrize(
    ("of", "refuse", "certificate", "words"),
    [
        (roster(), False, SERVER, "clients refuse h1"),
        (roster(LEAF, (BETWEEN,)), False, BETWEEN, "CN=middle, in its chain"),
        (roster(LEAF), False, LEAF, "its server certificate ends"),
        (
            roster(LEAF, (), Anchor("ca.pem", "ca", CA, ("appliance",))),
            False,
            CA,
            "the authority ca.pem",
        ),
        # A pin has no date that breaks it.
        (roster(LEAF, (), Anchor("", "pinned", PIN, ("ldaps",))), False, LEAF, "h1"),
        # It is refreshed by itself, unless it was not; and then its date counts where it is checked.
        (roster(LEAF, pool=POOL), True, LEAF, "h1"),
        (roster(LEAF, pool=OVERDUE), False, LEAF, "h1"),
        (roster(LEAF, pool=OVERDUE), True, OVERDUE, "was not refreshed"),
    ],
)
def test_what_breaks_first(of: Roster, refuse: bool, certificate: Certificate, words: str) -> None:
    found = next_break(of, NOW, check_dates=refuse)
    assert found is not None
    assert (found.certificate, found.at) == (certificate.thumbprint, certificate.not_after)
    assert words in found.words and "xe " in found.cure


def test_nothing_breaks_in_a_pool_without_members() -> None:
    assert next_break(Roster.empty(PoolId("a" * 64), 443, HOST, verification=True), NOW,
                      check_dates=True) is None  # fmt: skip
