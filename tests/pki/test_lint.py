"""Everything that we issue, looked at by a linter that we did not write (RFC 5280)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pkilint import loader
from pkilint.pkix import certificate as rules
from pkilint.pkix import extension, name
from pkilint.validation import ValidationFindingSeverity

from pooltrust.pki.certificate import Certificate
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.terms import HostId

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
HOST = HostId("6f0c1a7e-0c5e-4c3c-9a66-3a5b3b1b0c11")

GRAVE = {
    severity for severity in ValidationFindingSeverity if severity.name not in ("INFO", "DEBUG")
}

LINTER = rules.create_pkix_certificate_validator_container(
    rules.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
    [
        rules.create_issuer_validator_container([]),
        rules.create_validity_validator_container(),
        rules.create_subject_validator_container([]),
        rules.create_extensions_validator_container([]),
        rules.create_spki_validator_container([]),
    ],
)


def complaints(der: bytes) -> list[str]:
    document = loader.RFC5280CertificateDocumentLoader().load_der_document(der, "issued", None)
    found = [
        each for result in LINTER.validate(document.root) for each in result.finding_descriptions
    ]
    return [str(each.finding) for each in found if each.finding.severity in GRAVE]


def issued() -> dict[str, Certificate]:
    kinds = {
        f"server identity, {kind}": mint_server_identity(
            ["h1.example", "www.h1.example"], ["192.0.2.1", "2001:db8::1"], NOW, kind=kind
        )
        for kind in KeyKind
    }
    kinds["pool identity"] = mint_pool_identity(HOST, NOW)
    kinds["server identity, address only"] = mint_server_identity(
        [], ["192.0.2.1"], NOW, kind=KeyKind.P256
    )
    kinds["server identity, long name"] = mint_server_identity(
        ["a" * 63 + ".example"], [], NOW, kind=KeyKind.P256
    )
    return {label: identity.certificate for label, identity in kinds.items()}


@pytest.mark.parametrize("certificate", [pytest.param(c, id=kind) for kind, c in issued().items()])
def test_the_linter_has_nothing_to_say(certificate: Certificate) -> None:
    assert complaints(certificate.der) == []


def test_the_linter_objects_to_short_names_only_because_they_are_short() -> None:
    # RFC 5280 4.2.1.6 takes names as RFC 1034 does, where one label is enough; hosts have such names.
    for short in ("h1", "localhost"):
        minted = mint_server_identity([short], [], NOW, kind=KeyKind.P256).certificate
        assert complaints(minted.der) == ["pkix.invalid_domain_name_syntax (ERROR)"]


def test_the_linter_would_have_said_something() -> None:
    der = mint_pool_identity(HOST, NOW).certificate.der
    # 0x55 0x1d 0x0f names the key usage; 0x0e would be the subject key identifier, twice.
    assert complaints(der.replace(b"\x55\x1d\x0f", b"\x55\x1d\x0e"))
