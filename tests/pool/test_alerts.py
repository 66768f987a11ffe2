"""Every alert at its boundaries, for every family, as published clients are told it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pki.offered.stage import Maker, made, private, revocation
from pooltrust.pki.certificate import Certificate, read_pem
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.alerts import OVERDUE, Alert, Noticed, alerts
from pooltrust.pool.revocations import outdated
from pooltrust.terms import PoolId, host_id
from pooltrust.trust.entries import KINDS
from pooltrust.trust.roster import Anchor, Membership, Roster

NOW = datetime(2020, 2, 1, 2, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
H1, H2 = (host_id(f"{n * 8}-0000-4000-8000-000000000000") for n in "12")
KEY = private("p256")


def ending(at: datetime) -> Certificate:
    """A certificate of sixty years that ends then."""
    return read_pem(made("x", KEY, dates=(at - timedelta(days=21900), at)))[0]


FAR = ending(NOW + 365 * DAY)


def roster(
    server: Certificate = FAR,
    pool: Certificate = FAR,
    *anchors: Anchor,
    verification: bool = True,
    name: str = "h1",
) -> Roster:
    member = Membership(H1, name, "192.0.2.1", (pool,), server, (), KINDS)
    found = Roster.empty(PoolId("a" * 64), 443, H1, verification=verification).with_member(member)
    for anchor in anchors:
        found = found.with_anchor(anchor)
    return found


def of_family(family: str, certificate: Certificate) -> Roster:
    match family:
        case "HOST_SERVER_CERTIFICATE":
            return roster(server=certificate)
        case "HOST_INTERNAL_CERTIFICATE":
            return roster(pool=certificate)
        case "POOL_CA_CERTIFICATE":
            return roster(FAR, FAR, Anchor("ca.pem", "ca", certificate, ("appliance",)))
    return roster(FAR, FAR, Anchor("", "pinned", certificate, ("ldaps",)))


NOUNS = {
    "HOST_SERVER_CERTIFICATE": "The TLS server certificate",
    "HOST_INTERNAL_CERTIFICATE": "The internal TLS server certificate",
    "POOL_CA_CERTIFICATE": "The pool-wide trusted root CA certificate",
    "POOL_PINNED_CERTIFICATE": "The pool-wide trusted pinned leaf certificate",
}


def raised(of: Roster, now: datetime = NOW, noticed: Noticed = Noticed()) -> list[Alert]:  # noqa: B008
    return sorted(
        (one for one in alerts(of, noticed, now) if not one.name.endswith("_REFRESH_OVERDUE")),
        key=lambda one: one.name,
    )


@pytest.mark.parametrize("family", NOUNS)
@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=366), None),
        (31 * DAY, None),
        (30 * DAY + SECOND, None),
        (30 * DAY, None),
        (30 * DAY - SECOND, ("EXPIRING_30", 3)),
        (14 * DAY + SECOND, ("EXPIRING_30", 3)),
        (14 * DAY, ("EXPIRING_30", 3)),
        (14 * DAY - SECOND, ("EXPIRING_14", 2)),
        (7 * DAY + SECOND, ("EXPIRING_14", 2)),
        (7 * DAY, ("EXPIRING_14", 2)),
        (7 * DAY - SECOND, ("EXPIRING_07", 1)),
        (SECOND, ("EXPIRING_07", 1)),
        (timedelta(0), ("EXPIRING_07", 1)),
        (-SECOND, ("EXPIRED", 1)),
        (-30 * DAY, ("EXPIRED", 1)),
    ],
    ids=str,
)
def test_each_threshold_at_its_second(
    family: str, left: timedelta, expected: tuple[str, int] | None
) -> None:
    end = NOW + left
    certificate = ending(end)
    found = raised(of_family(family, certificate))
    if expected is None:
        assert found == []
        return
    (alert,) = found
    name, priority = expected
    assert (alert.name, alert.priority) == (f"{family}_{name}", priority)
    said = "has expired" if name == "EXPIRED" else "is expiring soon"
    assert alert.body == (
        f"<body><message>{NOUNS[family]} {said}.</message>"
        f"<date>{end:%Y%m%dT%H:%M:%SZ}</date></body>"
    )
    assert alert.date == end
    if family.startswith("HOST"):
        assert (alert.about, alert.object) == ("Host", H1)
    else:
        assert (alert.about, alert.object) == ("Certificate", str(certificate.thumbprint))
    assert alert.words and alert.words[0] not in ": "


@pytest.mark.parametrize("family", NOUNS)
def test_each_alert_is_replaced_by_the_next_and_there_is_never_more_than_one(family: str) -> None:
    of = of_family(family, ending(NOW + 31 * DAY))
    seen = []
    for day in range(33):
        names = [one.name for one in raised(of, NOW + timedelta(days=day, hours=1))]
        assert len(names) <= 1
        seen += [name.removeprefix(f"{family}_") for name in names]
    assert (
        seen == ["EXPIRING_30"] * 16 + ["EXPIRING_14"] * 7 + ["EXPIRING_07"] * 7 + ["EXPIRED"] * 2
    )


def test_a_refresh_that_did_not_happen_is_told_from_eighty_hundredths_on() -> None:
    identity = mint_pool_identity(H1, NOW).certificate
    due = identity.not_before + (identity.not_after - identity.not_before) * OVERDUE
    name = "HOST_INTERNAL_CERTIFICATE_REFRESH_OVERDUE"
    assert name not in {one.name for one in alerts(roster(pool=identity), Noticed(), due - SECOND)}
    assert name in {one.name for one in alerts(roster(pool=identity), Noticed(), due)}


def test_the_emergency_switch_of_a_member_is_told_while_the_pool_verifies() -> None:
    on, name = Noticed(overrides=frozenset({H1, H2})), "a <b> & c"
    (alert,) = raised(roster(name=name), noticed=on)
    assert (alert.name, alert.priority) == ("TLS_VERIFICATION_EMERGENCY_DISABLED", 3)
    assert (alert.about, alert.object) == ("Host", H1)
    assert alert.body == "<body><host>a &lt;b&gt; &amp; c</host></body>"
    assert raised(roster(name=name)) == []
    (alert,) = raised(roster(verification=False), noticed=on)
    assert (alert.name, alert.priority) == ("POOL_TLS_VERIFICATION_DISABLED", 3)


def test_revocation_lists_that_were_not_renewed_are_told_together() -> None:
    root = Maker.named("root")
    lists = {
        "a.pem": revocation(root, dates=(NOW - 9 * DAY, NOW - SECOND)),
        "b.pem": revocation(root, dates=(NOW - 9 * DAY, NOW)),
        "c.pem": revocation(root, dates=(NOW - 9 * DAY, NOW - DAY)),
    }
    (alert,) = outdated(lists, PoolId("a" * 64), NOW)
    assert (alert.name, alert.priority, alert.about) == ("POOL_CRL_OUTDATED", 3, "Pool")
    assert "a.pem" in alert.words and "c.pem" in alert.words and "b.pem" not in alert.words
    assert alert.date == NOW - DAY
    assert not list(outdated(lists, PoolId("a" * 64), NOW - 2 * DAY))
