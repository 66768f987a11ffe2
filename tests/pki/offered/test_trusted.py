"""Authorities, pinned certificates and revocation lists: what is read, under which names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pooltrust.errors import Failure
from pooltrust.pki.offered.key import offered_key
from pooltrust.pki.offered.leaf import server_identity
from pooltrust.pki.offered.trusted import (
    authority,
    certificate_name,
    crl_name,
    revocation_list,
    trusted,
)
from pooltrust.pki.pemtext import write

from .stage import FROM, NOW, UNTIL, Maker, key_text, made, revocation

ROOT = Maker.named("root")
SECOND = timedelta(seconds=1)


def refusal(call: object, *arguments: object) -> list[str]:
    with pytest.raises(Failure) as why:
        call(*arguments)  # type: ignore[operator]
    return [why.value.code, *why.value.parameters()]


@pytest.mark.parametrize(("judge", "family"), [(authority, "CA"), (trusted, "TRUSTED")])
def test_a_certificate_is_trusted_within_its_dates_only(judge: object, family: str) -> None:
    pem = made("root", ROOT.key, ca=True)
    assert judge(pem + made("other", ROOT.key), NOW).pem() == pem  # type: ignore[operator]
    assert refusal(judge, "bogus", NOW) == [f"{family}_CERTIFICATE_INVALID"]
    early, late = "2019-12-31T23:59:59Z", "2021-01-01T00:00:01Z"
    begin, end = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"
    code = f"{family}_CERTIFICATE_NOT_VALID_YET"
    assert refusal(judge, pem, FROM - SECOND) == [code, early, begin]
    assert refusal(judge, pem, UNTIL + SECOND) == [f"{family}_CERTIFICATE_EXPIRED", late, end]


@pytest.mark.parametrize("name", ["ca.pem", "A-b_c.1.pem", "a..pem", "-.pem"])
def test_these_are_names(name: str) -> None:
    assert certificate_name(name) == crl_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "ca.crt", ".pem", ".ca.pem", "..pem", "a/b.pem", "../a.pem", "ü.pem", "a b.pem",
             "a.pem\n", "a\0.pem", "x" * 250 + ".pem"],
)  # fmt: skip
def test_these_are_none(name: str) -> None:
    assert refusal(certificate_name, name) == ["CERTIFICATE_NAME_INVALID", name[:256]]
    assert refusal(crl_name, name)[0] == "CRL_NAME_INVALID"


def test_a_revocation_list_is_read() -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
    builder = x509.CertificateRevocationListBuilder(name, FROM, UNTIL)
    signed = builder.sign(ROOT.key, hashes.SHA256())
    pem = signed.public_bytes(Encoding.PEM).decode()
    assert revocation_list("a.pem", pem) == signed.public_bytes(Encoding.DER)
    for bad in ("", pem + pem, pem[:-60], write("X509 CRL", b"\x30\x00")):
        assert refusal(revocation_list, "a.pem", bad) == ["CRL_CORRUPT", "a.pem"]


def test_a_list_that_says_less_or_more_than_it_seems_to_is_refused() -> None:
    changes = x509.DeltaCRLIndicator(1)
    others = x509.IssuingDistributionPoint(
        full_name=None, relative_name=None, only_contains_user_certs=False,
        only_contains_ca_certs=False, only_some_reasons=None, indirect_crl=True,
        only_contains_attribute_certs=False,
    )  # fmt: skip
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    for extension in (changes, others, unknown):
        pem = write("X509 CRL", revocation(ROOT, more=extension))
        assert refusal(revocation_list, "a.pem", pem) == ["CRL_CORRUPT", "a.pem"]
    users = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://crl.example/root.crl")],
        relative_name=None, only_contains_user_certs=True, only_contains_ca_certs=False,
        only_some_reasons=None, indirect_crl=False, only_contains_attribute_certs=False,
    )  # fmt: skip
    assert revocation_list("a.pem", write("X509 CRL", revocation(ROOT, more=users)))


@given(st.binary(max_size=300), st.sampled_from(["PRIVATE KEY", "RSA PRIVATE KEY"]))
def test_whatever_is_offered_is_refused_in_words(data: bytes, label: str) -> None:
    with pytest.raises(Failure):
        offered_key(write(label, data))
    with pytest.raises(Failure):
        authority(write("CERTIFICATE", data), NOW)
    with pytest.raises(Failure):
        revocation_list("a.pem", write("X509 CRL", data))


@given(st.text(max_size=200))
def test_whatever_is_no_pem_is_refused_in_words(text: str) -> None:
    with pytest.raises(Failure):
        server_identity(text, key_text("p256"), "", now=NOW, names=())
    with pytest.raises(Failure):
        server_identity(text, text, text, now=NOW, names=())
