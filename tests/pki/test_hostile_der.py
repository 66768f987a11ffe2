"""Bytes from strangers: whatever they are, only the declared failure comes out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pooltrust.pki import pemtext
from pooltrust.pki.certificate import BadCertificate, Certificate, read, read_pem
from pooltrust.pki.expiry import days_left, validity
from pooltrust.pki.identity import BadIdentity, Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity, pool_host
from pooltrust.terms import HostId

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SEEDS = [
    mint_pool_identity(HostId("6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11"), NOW),
    mint_server_identity(["h1.example"], ["192.0.2.1"], NOW),
    mint_server_identity(["h1.example"], ["2001:db8::1"], NOW, kind=KeyKind.P384),
]
CERTIFICATES = [seed.certificate.der for seed in SEEDS]
KEYS = [pemtext.blocks(seed.pem(), "PRIVATE KEY")[0] for seed in SEEDS]
PEMS = [seed.pem() for seed in SEEDS]


@st.composite
def damaged(draw: st.DrawFn, whole: list[bytes]) -> bytes:
    """One of `whole` with a few bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["change", "cut", "insert", "nested"])):
            case "change":
                data[at] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 8))]
            case "insert":
                data[at:at] = draw(st.binary(max_size=8))
            case "nested":
                data[at:at] = b"\x30\x80" * draw(st.integers(1, 500))
        data = data or bytearray(b"\0")
    return bytes(data)


def use_every_fact(certificate: Certificate) -> None:
    assert certificate.subject.isprintable()
    assert all(name.isprintable() for name in certificate.names)
    assert read_pem(certificate.pem()) == [certificate]
    assert isinstance(certificate.self_signed, bool)
    assert len(certificate.sha1) == 59
    assert not certificate.verify(b"no signature", b"words")
    for seed in SEEDS:
        certificate.verify(seed.sign(b"words"), b"words")
    assert repr(certificate)
    assert isinstance(days_left(certificate, NOW), float)
    assert validity(certificate, NOW)
    with suppress(ValueError):
        pool_host(certificate)


@settings(max_examples=150, deadline=None)
@given(damaged(CERTIFICATES) | st.binary(max_size=300))
@example(CERTIFICATES[0].replace(b"\x55\x04\x03", b"\x55\x04\x2d"))
@example(CERTIFICATES[0].replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"))
@example(CERTIFICATES[0].replace(b"\x55\x1d\x0f", b"\x55\x1d\x0e"))
@example(CERTIFICATES[0].replace(b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x2a\x86\x48\xce\x3d\x02\x07"))
@example(
    CERTIFICATES[0].replace(
        b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x03"
    )
)
def test_a_damaged_certificate_is_refused_or_all_of_it_can_be_used(der: bytes) -> None:
    try:
        certificate = read(der)
    except BadCertificate as refused:
        assert str(refused)
    else:
        use_every_fact(certificate)


@settings(max_examples=100, deadline=None)
@given(damaged(PEMS) | st.binary(max_size=300) | st.text(max_size=300))
def test_damaged_pem_is_refused_or_read(text: bytes | str) -> None:
    try:
        certificates = read_pem(text)
    except BadCertificate:
        return
    for certificate in certificates:
        use_every_fact(certificate)


@settings(max_examples=100, deadline=None)
@given(damaged(PEMS) | st.binary(max_size=300))
def test_a_damaged_identity_is_refused_or_signs(pem: bytes) -> None:
    check_identity(pem)


@settings(max_examples=100, deadline=None)
@given(damaged(KEYS), st.sampled_from(SEEDS))
def test_a_damaged_key_is_refused_or_signs(key: bytes, seed: Identity) -> None:
    check_identity((pemtext.write("PRIVATE KEY", key) + seed.certificate.pem()).encode())


def check_identity(pem: bytes) -> None:
    try:
        identity = Identity.read(pem)
    except BadIdentity as refused:
        assert "BEGIN" not in str(refused)
        return
    assert identity.certificate.verify(identity.sign(b"words"), b"words")
