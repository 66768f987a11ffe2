"""What the fold refuses, each by the name of its rule; and what becomes true by what it takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pooltrust.errors import BadEntry, TakeoverNeedsOrder, UpgradeThisHost
from pooltrust.pki.certificate import read
from pooltrust.pki.identity import Identity
from pooltrust.terms import Thumbprint
from pooltrust.trust import entries as e
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import ANY_ORDER, Roster, fold
from pooltrust.trust.roster.breach import Breach
from pooltrust.trust.roster.pool_certificate import pool_certificate
from pooltrust.trust.transcript import server_statement, statement, transcript

from .pools import NOW, A, B, C, D, Pool, founding, pool_identity, server_identity
from .test_entry import with_payload

PLAIN = "digital_signature"
USAGES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]
UNKNOWN = x509.ObjectIdentifier("1.2.3.4")


def key_usage(*named: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in named for usage in USAGES})


def forged(
    host,
    *,
    ca=False,
    names=None,
    usages=2,
    key=None,
    issuer=None,
    serial="1",
    key_usages=(PLAIN,),
    more=(),
    subject=(),
    kind=None,
) -> Identity:
    """A pool identity that is wrong in one way; `ca` or `key_usages` None leaves it unsaid."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    common = [x509.NameAttribute(NameOID.COMMON_NAME, name, kind) for name in names or [host]]
    name = x509.Name([*common, x509.NameAttribute(NameOID.SERIAL_NUMBER, serial), *subject])
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    extensions = [(x509.ExtendedKeyUsage(both[:usages]), False), *more]
    if ca is not None:
        extensions.append((x509.BasicConstraints(ca, None), True))
    if key_usages is not None:
        extensions.append((key_usage(*key_usages), True))
    made = (
        x509.CertificateBuilder(issuer or name, name, key.public_key(), 1 + int(serial))
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    for extension, critical in extensions:
        made = made.add_extension(extension, critical)
    return Identity(read(made.sign(key, SHA256()).public_bytes(Encoding.DER)), (), key)


POOL = Pool.found(B, C, verification=False)
B2, B3, C2 = pool_identity(B, 2), pool_identity(B, 3), pool_identity(C, 2)
REFRESHING = POOL.copy()
REFRESHING.append(REFRESHING.accepted(B, B2))
A2 = pool_identity(A, 2)
ITSELF = POOL.copy()
ITSELF.append(ITSELF.accepted(A, A2))

Story = Callable[[], tuple[Pool, SignedEntry]]

NAMES = [x509.DNSName("h4.example")]
ORGANIZATION = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "\U0001f600", _ASN1Type.BMPString)
UNFIT: list[tuple[str, str, dict[str, Any]]] = [
    ("without basic constraints", "ca", {"ca": None}),
    ("as a hidden authority", "ca", {"ca": None, "key_usages": (PLAIN, "key_cert_sign")}),
    ("with keyCertSign", "ca", {"key_usages": (PLAIN, "key_cert_sign")}),
    ("with cRLSign", "ca", {"key_usages": (PLAIN, "crl_sign")}),
    ("without a key usage", "usage", {"key_usages": None}),
    ("with a key that may not sign", "usage", {"key_usages": ("key_agreement",)}),
    (
        "with a critical extension that nobody knows",
        "extension",
        {"more": [(x509.UnrecognizedExtension(UNKNOWN, b"\x05\0"), True)]},
    ),
    (
        "with name constraints",
        "extension",
        {"more": [(x509.NameConstraints([x509.DNSName("x")], None), True)]},
    ),
    (
        "with four kilobytes of nothing",
        "size",
        {"more": [(x509.UnrecognizedExtension(UNKNOWN, b"\x04\x82\x10\0" + bytes(4096)), False)]},
    ),
    (
        "with a malformed extension that only newer releases of OpenSSL look at",
        "extension",
        {"more": [(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.67"), b"0\0"), False)]},
    ),
    ("with addresses", "extension", {"more": [(x509.SubjectAlternativeName(NAMES), False)]}),
    ("with a name that OpenSSL can't read", "subject", {"subject": [ORGANIZATION]}),
    ("with its UUID in another string type", "subject", {"kind": _ASN1Type.BMPString}),
]


def bad(at: Pool, body: e.Body, by=None, **changed) -> Story:
    return lambda: (at, at.sign(body, by, **changed))


def without_host_dismissed() -> tuple[str, ...]:
    return tuple(kind for kind in e.KINDS if kind != "host-dismissed")


def abandoned_then_replayed() -> tuple[Pool, SignedEntry]:
    pool = REFRESHING.copy()
    pool.append(pool.withdrawn(B, B2))
    return pool, pool.sign(REFRESHING.log.at(REFRESHING.log.head_number).entry.body)


def refreshed_then_replayed() -> tuple[Pool, SignedEntry]:
    pool = REFRESHING.copy()
    pool.append(pool.withdrawn(B, pool.keys[B]))
    return pool, pool.sign(REFRESHING.log.at(REFRESHING.log.head_number).entry.body)


def dismissed_writer() -> tuple[Pool, SignedEntry]:
    pool = POOL.copy()
    pool.append(e.CoordinatorChanged(B))
    pool.append(e.HostDismissed(A, "gone"))
    return pool, pool.sign(e.VerificationRequired(), A)


def withdrawn_writer() -> tuple[Pool, SignedEntry]:
    pool = ITSELF.copy()
    pool.append(pool.withdrawn(A, pool.keys[A]), key=A2)
    return pool, pool.sign(e.VerificationRequired(), A)


def same_subject() -> tuple[Pool, SignedEntry]:
    pool = POOL.copy()
    pool.admit(D, forged(D, serial="7"))
    return pool, pool.sign(pool.accepted(D, forged(D, serial="7")))


def server_replayed() -> tuple[Pool, SignedEntry]:
    pool = POOL.copy()
    change = pool.server_changed(B, server_identity("new"))
    pool.append(change)
    pool.append(pool.server_changed(B, server_identity(), change=2))
    return pool, pool.sign(change)


def anchor_twice() -> tuple[Pool, SignedEntry]:
    pool = POOL.copy()
    anchor = e.AnchorInstalled("ca", "ca", server_identity().certificate.der, ())
    pool.append(anchor)
    return pool, pool.sign(anchor)


def anchor_again(*again: object) -> tuple[Pool, SignedEntry]:
    pool, der = POOL.copy(), server_identity().certificate.der
    pool.append(e.AnchorInstalled("ca", "ca", der, ("a", "b")))
    name, sort, purposes = again
    return pool, pool.sign(e.AnchorInstalled(name, sort, der, purposes))  # type: ignore[arg-type]


def required_twice() -> tuple[Pool, SignedEntry]:
    pool = POOL.copy()
    pool.append(e.VerificationRequired())
    return pool, pool.sign(e.VerificationRequired())


def other_meeting() -> e.HostAdmitted:
    """The joiner met another coordinator, a man in the middle, and that one passes it on."""
    elsewhere = POOL.copy()
    elsewhere.keys[A] = pool_identity(D, 9)
    return elsewhere.admitted(D)


D_OTHER = pool_identity(D, 2)
NOBODY = e.HostDismissed(D, "never was here")
HELD = server_identity().certificate

REFUSED: dict[str, tuple[str, Story]] = {
    "founded twice": ("founding", bad(POOL, founding())),
    "another pool's": ("foreign", bad(POOL, e.VerificationRequired(), pool="0" * 64)),
    "no pool": ("foreign", bad(POOL, e.VerificationRequired(), pool="")),
    "number again": ("number", bad(POOL, e.VerificationRequired(), number=3)),
    "number left out": ("number", bad(POOL, e.VerificationRequired(), number=5)),
    "another predecessor": ("link", bad(POOL, e.VerificationRequired(), previous="0" * 64)),
    "written by a member": ("writer", bad(POOL, e.VerificationRequired(), B)),
    "dismissal of oneself by a member": ("writer", bad(POOL, e.HostDismissed(B, ""), B)),
    "coordinator's seat taken by a member": ("writer", bad(POOL, e.CoordinatorChanged(B), B)),
    "written by a stranger": (
        "writer",
        lambda: (POOL, POOL.sign(e.VerificationRequired(), key=pool_identity(D))),
    ),
    "written by a dismissed coordinator": ("writer", dismissed_writer),
    "written with a withdrawn certificate": ("writer", withdrawn_writer),
    "written with a key not accepted yet": (
        "writer",
        lambda: (POOL, POOL.sign(e.VerificationRequired(), key=A2)),
    ),
    "altered": (
        "signature",
        lambda: (POOL, with_payload(POOL.sign(e.VerificationRequired()), by="mallory")),
    ),
    "signature of something else": (
        "signature",
        lambda: (
            POOL,
            SignedEntry(POOL.sign(e.VerificationRequired()).payload, POOL.keys[A].sign(b"x")),
        ),
    ),
    "signature that is none": (
        "signature",
        lambda: (POOL, SignedEntry(POOL.sign(e.VerificationRequired()).payload, b"\x30\x00")),
    ),
    "not an entry": ("form", lambda: (POOL, SignedEntry(b"{}", b"s"))),
    # Members.
    "admitted twice": ("member", bad(POOL, POOL.admitted(B))),
    "admitted with a member's key": (
        "one-key",
        lambda: (
            POOL,
            POOL.sign(POOL.admitted(D, forged(D, key=POOL.keys[B]._key))),
        ),
    ),
    "admitted under another's UUID": ("subject", bad(POOL, POOL.admitted(D, pool_identity(B)))),
    "admitted with two names": (
        "subject",
        lambda: (POOL, POOL.sign(POOL.admitted(D, forged(D, names=[D, B])))),
    ),
    "admitted with CA:TRUE": (
        "ca",
        lambda: (POOL, POOL.sign(POOL.admitted(D, forged(D, ca=True)))),
    ),
    **{
        f"admitted {how}": (rule, bad(POOL, POOL.admitted(D, forged(D, **wrong))))
        for how, rule, wrong in UNFIT
    },
    "admitted as a server only": (
        "usage",
        lambda: (POOL, POOL.sign(POOL.admitted(D, forged(D, usages=1)))),
    ),
    "admitted with somebody's issuer": (
        "self-signed",
        lambda: (
            POOL,
            POOL.sign(
                POOL.admitted(
                    D, forged(D, issuer=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, B)]))
                )
            ),
        ),
    ),
    "admitted with no certificate": (
        "certificate",
        lambda: (POOL, POOL.sign(dataclasses.replace(POOL.admitted(D), certificate=b"junk"))),
    ),
    "admitted with a bad server certificate": (
        "certificate",
        lambda: (POOL, POOL.sign(_signed_again(POOL, server=b"junk"))),
    ),
    "admitted without the joiner": ("meeting", bad(POOL, POOL.admitted(D, signature=b"s"))),
    "admitted with another certificate than it signed": (
        "meeting",
        lambda: (
            POOL,
            POOL.sign(dataclasses.replace(POOL.admitted(D), certificate=D_OTHER.certificate.der)),
        ),
    ),
    "admitted with another server certificate than it signed": (
        "meeting",
        lambda: (
            POOL,
            POOL.sign(
                dataclasses.replace(
                    POOL.admitted(D), server=server_identity("mallory").certificate.der
                )
            ),
        ),
    ),
    "admitted with another nonce": (
        "meeting",
        lambda: (POOL, POOL.sign(dataclasses.replace(POOL.admitted(D), joiner_nonce=b"x" * 32))),
    ),
    "admitted after meeting somebody else": ("meeting", lambda: (POOL, POOL.sign(other_meeting()))),
    "admitted but too old for the pool": (
        "kinds",
        bad(POOL, POOL.admitted(D, kinds=without_host_dismissed())),
    ),
    "declares less than the pool needs": (
        "kinds",
        bad(POOL, e.KindsDeclared(B, without_host_dismissed())),
    ),
    "dismissed though no member": ("member", bad(POOL, NOBODY)),
    "coordinator dismissed": ("coordinator", bad(POOL, e.HostDismissed(A, "coup"))),
    "coordinator that is no member": ("member", bad(POOL, e.CoordinatorChanged(D))),
    "coordinator that is it already": ("coordinator", bad(POOL, e.CoordinatorChanged(A))),
    "address of no member": ("member", bad(POOL, e.AddressChanged(D, "x"))),
    "kinds of no member": ("member", bad(POOL, e.KindsDeclared(D, e.KINDS))),
    # Certificates.
    "accepted for no member": (
        "member",
        lambda: (POOL, POOL.sign(POOL.accepted(D, pool_identity(D, 2), pool_identity(D)))),
    ),
    "third certificate": (
        "third-certificate",
        lambda: (REFRESHING, REFRESHING.sign(REFRESHING.accepted(B, B3, B2))),
    ),
    "accepted by the coordinator's word alone": (
        "request",
        lambda: (POOL, POOL.sign(POOL.accepted(B, B2, old_signature=POOL.keys[A].sign(b"x")))),
    ),
    "accepted without the new key": (
        "request",
        lambda: (POOL, POOL.sign(POOL.accepted(B, B2, new_signature=POOL.keys[B].sign(b"x")))),
    ),
    "accepted for another host than asked": (
        "subject",
        lambda: (POOL, POOL.sign(dataclasses.replace(POOL.accepted(B, B2), host=C))),
    ),
    "accepted with another certificate than asked": (
        "request",
        lambda: (
            POOL,
            POOL.sign(dataclasses.replace(POOL.accepted(B, B2), certificate=B3.certificate.der)),
        ),
    ),
    "accepted instead of another certificate": (
        "request",
        lambda: (
            POOL,
            POOL.sign(POOL.accepted(B, B2, replaces=POOL.keys[C].certificate.thumbprint)),
        ),
    ),
    "accepted again after it was abandoned": ("request", abandoned_then_replayed),
    "accepted again after it replaced": ("request", refreshed_then_replayed),
    "accepted with the old key": (
        "one-key",
        lambda: (POOL, POOL.sign(POOL.accepted(B, forged(B, key=POOL.keys[B]._key)))),
    ),
    "accepted with another member's key": (
        "one-key",
        lambda: (POOL, POOL.sign(POOL.accepted(B, forged(B, key=POOL.keys[C]._key)))),
    ),
    "accepted under the old one's whole subject": ("subject", same_subject),
    "accepted with CA:TRUE": (
        "ca",
        lambda: (POOL, POOL.sign(POOL.accepted(B, forged(B, ca=True)))),
    ),
    "last certificate withdrawn": (
        "last-certificate",
        bad(POOL, POOL.withdrawn(B, POOL.keys[B])),
    ),
    "withdrawn from another host": (
        "certificate",
        bad(REFRESHING, REFRESHING.withdrawn(C, POOL.keys[B])),
    ),
    "withdrawal signed by the certificate withdrawn": (
        "own-withdrawal",
        bad(ITSELF, ITSELF.withdrawn(A, POOL.keys[A])),
    ),
    "server identity that the host did not sign": (
        "server-statement",
        lambda: (
            POOL,
            POOL.sign(POOL.server_changed(B, server_identity("new"), key=POOL.keys[A])),
        ),
    ),
    "server identity with a chain it did not sign": (
        "server-statement",
        lambda: (
            POOL,
            POOL.sign(
                dataclasses.replace(
                    POOL.server_changed(B, server_identity("new")), chain=(HELD.der,)
                )
            ),
        ),
    ),
    "server identity replayed": ("server-statement", server_replayed),
    "anchor twice": ("anchor", anchor_twice),
    "anchor for less": ("anchor", partial(anchor_again, "ca", "ca", ("a",))),
    "anchor for other things": ("anchor", partial(anchor_again, "ca", "ca", ("a", "c"))),
    "anchor of another sort": ("anchor", partial(anchor_again, "ca", "pinned", ("a", "b", "c"))),
    "anchor by another name": ("anchor", partial(anchor_again, "x", "ca", ("a", "b", "c"))),
    "anchor without its name": ("anchor", partial(anchor_again, "", "ca", ("a", "b", "c"))),
    "anchor that is none": (
        "certificate",
        bad(POOL, e.AnchorInstalled("ca", "ca", b"junk", ())),
    ),
    "anchor never installed": ("anchor", bad(POOL, e.AnchorRemoved(HELD.thumbprint))),
    "verification twice": ("verification", required_twice),
    "checkpoint of another roster": ("checkpoint", bad(POOL, e.Checkpoint("0" * 64))),
    # Takeovers.
    "takeover by the coordinator": ("takeover", bad(POOL, e.TakenOver(A, A))),
    "takeover in another's name": ("writer", bad(POOL, e.TakenOver(C, A), B)),
    "takeover by the coordinator for another": ("writer", bad(POOL, e.TakenOver(B, A), A)),
    "takeover from somebody else": ("takeover", bad(POOL, e.TakenOver(B, C), B)),
    "takeover by a stranger": (
        "writer",
        lambda: (POOL, POOL.sign(e.TakenOver(D, A), key=pool_identity(D))),
    ),
    "takeover in a newer format by a member": (
        "writer",
        lambda: (POOL, resigned(with_payload(POOL.taken_over(B), format=2), B)),
    ),
    "endorsement without a takeover": (
        "takeover",
        bad(POOL, e.TakeoverEndorsed("0" * 64, ())),
    ),
}


def resigned(signed: SignedEntry, by) -> SignedEntry:
    return SignedEntry(signed.payload, POOL.keys[by].sign(signed.message))


def _signed_again(pool: Pool, server: bytes) -> e.HostAdmitted:
    """Admission of a joiner that signed this meeting, bad server certificate included."""
    key, coordinator = pool_identity(D), pool.keys[A].certificate.der
    met = transcript(pool.log.pool, coordinator, key.certificate.der, server, b"c" * 32, b"j" * 32)
    return pool.admitted(D, server=server, signature=key.sign(statement("joiner", met)))


@pytest.mark.parametrize(("rule", "story"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_its_rule(rule, story):
    pool, signed = story()
    with pytest.raises(BadEntry) as refusal:
        fold(pool.log.roster, signed)
    assert refusal.value.rule == rule, refusal.value
    assert refusal.value.number == pool.log.head_number + 1
    with pytest.raises(BadEntry):
        pool.log.extended(signed, ordered=ANY_ORDER)


def founded(**changed) -> SignedEntry:
    key = pool_identity(A)
    pool = Pool.found()
    facts = {"number": 1, "pool": "", "previous": ""}
    return pool.sign(founding(**changed), key=key, **facts)


FOUNDING: dict[str, tuple[str, Callable[[], SignedEntry]]] = {
    "no founding entry": (
        "founding",
        lambda: Pool.found().sign(e.VerificationRequired(), number=1, pool="", previous=""),
    ),
    "second entry first": ("foreign", lambda: POOL.log.at(2)),
    "signed by another": (
        "writer",
        lambda: Pool.found().sign(founding(), key=pool_identity(B), number=1, pool="", previous=""),
    ),
    "another host's certificate": (
        "subject",
        lambda: founded(certificate=pool_identity(B).certificate.der),
    ),
    "too few kinds": ("kinds", lambda: founded(kinds=without_host_dismissed())),
    "altered": ("signature", lambda: with_payload(founded(), by="mallory")),
    "bad server certificate": ("certificate", lambda: founded(server=b"junk")),
    "altered kind": ("founding", lambda: with_payload(founded(), kind="foujded")),
    "altered format": ("founding", lambda: with_payload(founded(), format=5)),
}


@pytest.mark.parametrize(("rule", "signed"), FOUNDING.values(), ids=FOUNDING.keys())
def test_a_founding_entry_is_refused_by_its_rule(rule, signed):
    with pytest.raises(BadEntry) as refusal:
        fold(None, signed())
    assert refusal.value.rule == rule, refusal.value


def test_a_newer_kind_stops_and_asks_for_an_upgrade_only_when_the_coordinator_signed_it():
    said = {"kind": "host-praised", "body": {}}
    newer = with_payload(POOL.sign(e.VerificationRequired()), **said)
    with pytest.raises(BadEntry) as refusal:
        fold(POOL.log.roster, newer)
    assert refusal.value.rule == "signature"
    signed = SignedEntry(newer.payload, POOL.keys[A].sign(newer.message))
    with pytest.raises(UpgradeThisHost) as stop:
        fold(POOL.log.roster, signed)
    assert stop.value.kind == "host-praised"
    assert "Upgrade this host" in str(stop.value)


def test_a_kind_that_not_every_member_understands_is_not_appended(monkeypatch):
    older = tuple(kind for kind in e.KINDS if kind != "checkpoint")
    with monkeypatch.context() as release:
        release.setattr(e, "KINDS", older)
        pool = Pool.found(B, kinds=older)
    with pytest.raises(BadEntry, match="not every member understands checkpoint"):
        pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    for host in (A, B):
        pool.append(e.KindsDeclared(host, e.KINDS))
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))


def test_a_pool_is_named_by_its_founding_entry():
    log = POOL.log
    roster = log.roster
    assert log.pool == log.at(1).hash
    assert (roster.coordinator, roster.port, roster.verification) == (A, 443, False)
    assert set(roster.members) == {A, B, C}


def test_a_member_is_expected_with_exactly_its_own_certificates():
    roster = REFRESHING.log.roster
    both = {REFRESHING.keys[B].certificate.thumbprint, B2.certificate.thumbprint}
    assert roster.expect(B).accepted == both
    assert roster.expect(C).accepted == {REFRESHING.keys[C].certificate.thumbprint}
    assert roster.expect(D).accepted == frozenset()
    assert roster.host_of(B2.certificate.thumbprint) == B
    assert roster.host_of(Thumbprint(bytes(32))) is None
    assert len(roster.certificates()) == 4
    assert roster.members[B].newest == B2.certificate


def test_a_refresh_ends_with_the_new_certificate_alone():
    pool = REFRESHING.copy()
    pool.append(pool.withdrawn(B, pool.keys[B]))
    assert pool.log.roster.expect(B).accepted == {B2.certificate.thumbprint}
    assert pool.log.roster.host_of(pool.keys[B].certificate.thumbprint) is None


def test_the_coordinator_refreshes_itself_old_key_accepts_new_key_withdraws():
    pool = ITSELF.copy()
    pool.append(pool.withdrawn(A, pool.keys[A]), key=A2)
    assert pool.log.roster.expect(A).accepted == {A2.certificate.thumbprint}


def test_server_identity_anchors_address_kinds_and_verification_change():
    pool, new = POOL.copy(), server_identity("new")
    more = (*e.KINDS, "zeal-shown")
    pool.append(pool.server_changed(B, new))
    pool.append(e.AnchorInstalled("wlb", "pinned", new.certificate.der, ("wlb",)))
    pool.append(e.AddressChanged(C, "c.example"))
    pool.append(e.KindsDeclared(C, more))
    pool.append(e.VerificationRequired())
    roster = pool.log.roster
    assert roster.members[B].server == new.certificate
    assert roster.anchors[new.certificate.thumbprint].purposes == ("wlb",)
    pool.append(e.AnchorInstalled("wlb", "pinned", new.certificate.der, ("ldaps", "wlb")))
    (anchor,) = pool.log.roster.anchors.values()
    assert anchor.purposes == ("ldaps", "wlb")
    assert roster.members[C].address == "c.example"
    assert roster.kinds == set(e.KINDS)
    assert roster.verification
    pool.append(e.AnchorRemoved(new.certificate.thumbprint))
    pool.append(e.KindsDeclared(A, more))
    pool.append(e.KindsDeclared(B, more))
    assert not pool.log.roster.anchors
    assert "zeal-shown" in pool.log.roster.kinds
    with pytest.raises(BadEntry, match="zeal-shown"):
        pool.append(pool.admitted(D))


def test_a_dismissed_host_comes_back_only_by_a_new_meeting_and_with_any_free_key():
    pool = POOL.copy()
    pool.append(e.HostDismissed(B, "lost"))
    assert pool.log.roster.expect(B).accepted == frozenset()
    pool.admit(B, B3)
    assert pool.log.roster.expect(B).accepted == {B3.certificate.thumbprint}


def test_hosts_that_came_and_went_leave_nothing_in_the_roster():
    pool = POOL.copy()
    before = len(pool.log.roster.snapshot())
    members = dict(pool.log.roster.members)
    for generation in range(1, 6):
        pool.admit(D, pool_identity(D, generation))
        pool.append(e.HostDismissed(D, "over"))
    after = pool.log.roster
    assert dict(after.members) == members
    assert abs(len(after.snapshot()) - before) < 4  # the number's digits
    index = after._index
    assert (len(index.owners), len(index.keys), len(index.declared)) == (3, 3, 1)


@pytest.mark.parametrize("bits", [2048, 3072])
def test_a_pool_certificate_with_an_rsa_key_is_plain_and_small_enough(bits):
    key = rsa.generate_private_key(65537, bits)
    assert pool_certificate(D, forged(D, key=key).certificate.der).key == f"RSA-{bits}"


@pytest.mark.parametrize("curve, fits", [(ec.SECP384R1, True), (ec.SECP521R1, False)])
def test_a_pool_certificate_has_a_key_that_this_project_mints(curve, fits):
    der = forged(D, key=ec.generate_private_key(curve())).certificate.der
    if fits:
        assert pool_certificate(D, der).der == der
    else:
        with pytest.raises(Breach, match=r"its key is P-521, not one of P-256, P-384, RSA-2048"):
            pool_certificate(D, der)


def test_the_port_is_the_pools_for_good():
    assert not any(
        "port" in body.__annotations__ for body in e.BODIES.values() if body is not e.Founded
    )


def test_an_alone_takeover_is_followed_on_order_only():
    signed = POOL.taken_over(B, alone=True)
    with pytest.raises(TakeoverNeedsOrder) as stop:
        fold(POOL.log.roster, signed)
    assert stop.value.host == B
    assert fold(POOL.log.roster, signed, ordered={signed.hash}).coordinator == B


def test_a_checkpoint_binds_the_roster_and_a_log_begins_there():
    pool = REFRESHING.copy()
    pool.append(pool.withdrawn(B, B2))
    pool.append(e.AnchorInstalled("ca", "ca", HELD.der, ("wlb",)))
    pool.append(pool.server_changed(C, server_identity("new")))
    before = pool.log.roster
    snapshot = before.snapshot()
    assert Roster.restore(snapshot) == before
    assert Roster.restore(snapshot).snapshot() == snapshot
    pool.append(e.Checkpoint(before.fingerprint()))
    pool.append(e.HostDismissed(C, "over"))
    live = pool.log.from_checkpoint(before.number + 1)
    again = Log.verify(live.entries, base=Roster.restore(snapshot))
    assert again.roster == pool.log.roster
    assert again.first == before.number + 1
    assert again.roster_at(before.number) == before
    request = REFRESHING.log.at(REFRESHING.log.head_number).entry.body
    with pytest.raises(BadEntry, match="withdrawn before"):
        again.extended(pool.sign(request))


def test_an_altered_snapshot_does_not_pass_its_checkpoint():
    pool = POOL.copy()
    snapshot = pool.log.roster.snapshot()
    pool.append(e.Checkpoint(pool.log.roster.fingerprint()))
    altered = snapshot.replace(b'"verification":false', b'"verification":true')
    assert altered != snapshot
    with pytest.raises(BadEntry, match="checkpoint"):
        Log.verify(pool.log.tail(pool.log.head_number - 1), base=Roster.restore(altered))


def test_a_log_does_not_begin_in_the_middle_without_a_checkpoint():
    with pytest.raises(BadEntry, match="checkpoint"):
        Log.verify(POOL.log.tail(2), base=POOL.log.roster_at(2))


def test_the_statement_of_a_server_identity_counts_for_one_pool_host_and_change():
    said = {
        server_statement("a" * 64, B, b"x", (), 1),
        server_statement("b" * 64, B, b"x", (), 1),
        server_statement("a" * 64, C, b"x", (), 1),
        server_statement("a" * 64, B, b"y", (), 1),
        server_statement("a" * 64, B, b"x", (b"y",), 1),
        server_statement("a" * 64, B, b"x", (), 2),
    }
    assert len(said) == 6
