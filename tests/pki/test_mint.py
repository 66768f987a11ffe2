"""What freshly minted certificates carry, and which names may go into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from pooltrust.pki.certificate import Certificate
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity, pool_host
from pooltrust.pki.names import BadName
from pooltrust.terms import HostId

NOW = datetime(2026, 3, 1, 12, 0, 0, 987654, tzinfo=UTC)
HOST = HostId("6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11")


def extensions(certificate: Certificate) -> dict[type, tuple[bool, x509.ExtensionType]]:
    parsed = x509.load_der_x509_certificate(certificate.der).extensions
    return {type(each.value): (each.critical, each.value) for each in parsed}


def server(*names: str, addresses: tuple[str, ...] = (), kind: KeyKind = KeyKind.P256):
    return mint_server_identity(names, addresses, NOW, kind=kind).certificate


def test_a_pool_identity_names_its_host_and_nothing_else() -> None:
    minted = mint_pool_identity(HOST, NOW).certificate
    assert minted.common_name == HOST
    assert pool_host(minted) == HOST
    assert (minted.names, minted.addresses) == ((), ())
    assert minted.key == "P-256"
    assert minted.signature_algorithm == "ecdsa-with-SHA256"
    assert minted.extended_usages == {"server", "client"}
    assert minted.self_signed
    assert not minted.is_ca


def test_two_pool_identities_of_one_host_share_neither_subject_nor_key() -> None:
    one, other = (mint_pool_identity(HOST, NOW).certificate for _ in range(2))
    assert one.subject != other.subject
    assert one.subject == f"serialNumber={one.serial:040X},CN={HOST}"
    assert one.spki != other.spki


@pytest.mark.parametrize("host", ["", "h1", HOST.upper(), f"urn:uuid:{HOST}", HOST[:-1]])
def test_no_pool_identity_is_minted_for_what_is_no_host(host: str) -> None:
    with pytest.raises(ValueError):
        mint_pool_identity(HostId(host), NOW)


def test_a_server_identity_is_no_pool_identity() -> None:
    with pytest.raises(ValueError):
        pool_host(server("h1.example"))


def test_a_certificate_begins_an_hour_ago_and_its_lifetime_counts_from_now() -> None:
    whole = NOW.replace(microsecond=0)
    pool = mint_pool_identity(HOST, NOW, lifetime=timedelta(days=7)).certificate
    assert pool.not_before == whole - timedelta(hours=1)
    assert pool.not_after == whole + timedelta(days=7)
    assert mint_pool_identity(HOST, NOW).certificate.not_after == whole + timedelta(days=365)
    assert server("h1").not_after == whole + timedelta(days=3650)


@pytest.mark.parametrize(
    "kind, key, algorithm",
    [
        (KeyKind.P256, "P-256", "ecdsa-with-SHA256"),
        (KeyKind.P384, "P-384", "ecdsa-with-SHA384"),
        (KeyKind.RSA2048, "RSA-2048", "sha256WithRSAEncryption"),
        (KeyKind.RSA3072, "RSA-3072", "sha256WithRSAEncryption"),
    ],
)
def test_a_server_identity_has_the_key_that_was_asked_for(kind, key, algorithm) -> None:
    minted = server("h1", kind=kind)
    assert (minted.key, minted.signature_algorithm) == (key, algorithm)


def test_a_server_identity_has_an_rsa_key_unless_told_otherwise() -> None:
    assert mint_server_identity(["h1"], [], NOW).certificate.key == "RSA-2048"


def test_a_server_identity_names_the_host_as_clients_know_it() -> None:
    minted = server("H1.Example", "h1", "localhost", "h1", addresses=("192.0.2.1", "2001:DB8::0:1"))
    assert minted.names == ("h1.example", "h1", "localhost")
    assert minted.addresses == ("192.0.2.1", "2001:db8::1")
    assert minted.common_name == "h1.example"
    assert minted.extended_usages == {"server"}
    assert minted.self_signed
    assert not minted.is_ca


LONG = "a" * 60 + ".example"


@pytest.mark.parametrize(
    "names, addresses, common_name",
    [
        ((), ("192.0.2.1",), "192.0.2.1"),
        ((LONG, "h1"), ("192.0.2.1",), "h1"),
        ((LONG,), ("192.0.2.1",), "192.0.2.1"),
        ((LONG,), (), ""),
    ],
)
def test_the_common_name_is_the_first_that_fits(names, addresses, common_name) -> None:
    minted = server(*names, addresses=addresses)
    assert minted.common_name == common_name
    assert minted.names == names
    assert f"serialNumber={minted.serial:040X}" in minted.subject


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.RSA2048])
def test_keys_may_be_used_for_nothing_but_tls(kind: KeyKind) -> None:
    for minted in (server("h1", kind=kind), mint_pool_identity(HOST, NOW).certificate):
        found = extensions(minted)
        critical, constraints = found[x509.BasicConstraints]
        assert (critical, constraints) == (True, x509.BasicConstraints(False, None))
        critical, usage = found[x509.KeyUsage]
        assert critical
        assert usage.digital_signature
        assert usage.key_encipherment == minted.key.startswith("RSA")
        assert not usage.key_cert_sign
        identifier = found[x509.SubjectKeyIdentifier][1].digest
        assert found[x509.AuthorityKeyIdentifier][1].key_identifier == identifier


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "h1.", ".h1", "a..b", "-h1", "h1-", "a_b", "*.example", "h 1", "h1\n"),
        *("192.0.2.1", "host.7", "::1", "h1\0.evil", "a" * 64, "a." * 126 + "aa"),
    ],
)
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        server(name)


def test_an_international_name_is_asked_for_in_its_ascii_form() -> None:
    with pytest.raises(BadName, match="xn--"):
        server("bücher.example")
    assert server("xn--bcher-kva.example").names == ("xn--bcher-kva.example",)


@pytest.mark.parametrize(
    "address", ["", "h1", "192.0.2.256", "0.0.0.0", "::", "fe80::1%eth0", "224.0.0.1", "10.0.0.0/8"]
)
def test_what_is_no_address_of_a_host_is_refused(address: str) -> None:
    with pytest.raises(BadName):
        server("h1", addresses=(address,))


def test_a_server_identity_for_nobody_is_refused() -> None:
    with pytest.raises(BadName, match="a name or an address"):
        server()
