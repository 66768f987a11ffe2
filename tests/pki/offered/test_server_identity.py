"""What may be installed as a server identity: every input with its outcome, in XenAPI's order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes

from pooltrust.errors import Failure
from pooltrust.pki import pemtext
from pooltrust.pki.offered.leaf import Installable, server_identity

from .stage import CLIENT, FROM, NOW, SERVER, UNTIL, Maker, key_text, made, private

BOGUS = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
ROOT, MIDDLE = Maker.named("root"), Maker.named("middle")
PREFIX = "SERVER_CERTIFICATE_"


def judged(
    leaf: str, key: str, chain: str = "", now: datetime = NOW, names: tuple[str, ...] = ()
) -> Installable:
    return server_identity(leaf, key, chain, now=now, names=names)


def refusal(
    leaf: str = "", key: str = "rsa-2048", chain: str = "", now: datetime = NOW
) -> list[str]:
    text = key if "\n" in key or not key else key_text(key)
    with pytest.raises(Failure) as why:
        judged(leaf, text, chain, now)
    assert "PRIVATE KEY-----" not in str(why.value)
    return [why.value.code.removeprefix(PREFIX), *why.value.parameters()]


def leaf(key: str = "rsa-2048", **other: object) -> str:
    return made("h1", private(key), ROOT, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("rsa-1024", ["KEY_RSA_LENGTH_NOT_SUPPORTED", "1024"]),
        ("rsa-8192", ["KEY_RSA_LENGTH_NOT_SUPPORTED", "8192"]),
        ("rsa-2048-three-primes", ["KEY_RSA_MULTI_NOT_SUPPORTED"]),
        ("rsa-2048-three-primes-pkcs1", ["KEY_RSA_MULTI_NOT_SUPPORTED"]),
        ("ed25519", ["KEY_ALGORITHM_NOT_SUPPORTED", "ed25519"]),
        ("x25519", ["KEY_ALGORITHM_NOT_SUPPORTED", "x25519"]),
        ("p521", ["KEY_ALGORITHM_NOT_SUPPORTED", "p521"]),
        ("secp256k1", ["KEY_ALGORITHM_NOT_SUPPORTED", "secp256k1"]),
        ("rsa-2048-encrypted", ["KEY_INVALID"]),
        ("", ["KEY_INVALID"]),
        ("no key\n", ["KEY_INVALID"]),
        ("-----BEGIN FOO PRIVATE KEY-----\nAAAA\n-----END FOO PRIVATE KEY-----\n", ["KEY_INVALID"]),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", ["KEY_INVALID"]),
        ("-----BEGIN PRIVATE KEY-----\nAA--AA\n-----END PRIVATE KEY-----\n", ["KEY_INVALID"]),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ["KEY_INVALID"]),
    ],
)
def test_a_key_that_can_not_be_used_is_refused_before_anything_else(
    key: str, outcome: list[str]
) -> None:
    assert refusal("no leaf", key) == outcome


def test_two_keys_are_one_too_many() -> None:
    assert refusal(leaf(), key_text("rsa-2048") + key_text("rsa-4096")) == ["KEY_INVALID"]


def test_a_key_of_an_algorithm_that_nobody_knows_is_named_by_its_number() -> None:
    der = bytes.fromhex("3010020100300706052b06010401040200ff")  # 1.3.6.1.4.1 and no parameters
    assert refusal("", pemtext.write("PRIVATE KEY", der)) in (
        ["KEY_ALGORITHM_NOT_SUPPORTED", "1.3.6.1.4.1"],
        ["KEY_INVALID"],
    )


@pytest.mark.parametrize(
    "key", ["rsa-2048", "rsa-4096", "rsa-2048-pkcs1", "p256", "p256-sec1", "p384"]
)
def test_these_keys_are_accepted(key: str) -> None:
    done = judged(leaf(key), key_text(key))
    assert done.identity.certificate.key in ("RSA-2048", "RSA-4096", "P-256", "P-384")
    assert any("original xe" in one for one in done.warnings) == key.startswith("p")


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (FROM - timedelta(days=365), ["NOT_VALID_YET", "2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]),
        (FROM - timedelta(seconds=1), ["NOT_VALID_YET", "2019-12-31T23:59:59Z", "2020-01-01T00:00:00Z"]),
        (datetime(2022, 1, 1, tzinfo=UTC), ["EXPIRED", "2022-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]),
        (UNTIL + timedelta(seconds=1), ["EXPIRED", "2021-01-01T00:00:01Z", "2021-01-01T00:00:00Z"]),
    ],
)  # fmt: skip
def test_a_leaf_out_of_its_dates_is_refused(now: datetime, outcome: list[str]) -> None:
    assert refusal(leaf(), now=now) == outcome


@pytest.mark.parametrize("now", [FROM, UNTIL])
def test_a_leaf_is_valid_from_its_first_to_its_last_second(now: datetime) -> None:
    assert judged(leaf(), key_text("rsa-2048"), now=now)


@pytest.mark.parametrize("text", ["", "bogus", BOGUS, BOGUS.replace("BEGIN", "BGIN")])
def test_a_leaf_that_is_none_is_refused(text: str) -> None:
    assert refusal(text) == ["INVALID"]


@pytest.mark.parametrize("hash", [hashes.SHA256(), hashes.SHA512()])
def test_a_leaf_of_another_key_is_refused(hash: hashes.HashAlgorithm) -> None:
    assert refusal(leaf(hash=hash), "rsa-4096") == ["KEY_MISMATCH"]


def test_a_key_of_another_leaf_is_found_before_a_bad_hash_and_a_bad_chain() -> None:
    assert refusal(leaf(hash=hashes.SHA224()), "rsa-4096", "bogus") == ["KEY_MISMATCH"]
    assert refusal(leaf(hash=hashes.SHA224()), chain="bogus") == ["SIGNATURE_NOT_SUPPORTED"]


@pytest.mark.parametrize("hash", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_these_hashes_are_accepted(hash: hashes.HashAlgorithm) -> None:
    assert judged(leaf(hash=hash), key_text("rsa-2048"))


def authorities() -> tuple[str, str]:
    root = made("root", ROOT.key, ca=True, names=())
    return root, made("middle", MIDDLE.key, ROOT, ca=True, names=())


def test_a_chain_is_put_in_order_and_the_leaf_left_out_of_it() -> None:
    root, middle = authorities()
    mine = made("h1", private("rsa-2048"), MIDDLE)
    done = judged(mine, key_text("rsa-2048"), root + middle + mine)
    assert [one.common_name for one in done.identity.chain] == ["middle", "root"]


@pytest.mark.parametrize(
    "chain",
    [
        "bogus",
        BOGUS,
        authorities()[1] + BOGUS,
        authorities()[0],  # which did not issue this leaf itself
        authorities()[1] + made("other", Maker.named("other").key, ca=True),
        made("middle", MIDDLE.key, ROOT, ca=False),
        made("middle", MIDDLE.key, ROOT, ca=True, dates=(FROM, FROM + timedelta(days=1))),
        made("middle", MIDDLE.key, ROOT, ca=True, dates=(UNTIL, UNTIL + timedelta(days=1))),
        made("middle", ROOT.key, ROOT, ca=True),  # the name, with another key
    ],
)
def test_a_chain_that_does_not_lead_from_this_leaf_is_refused(chain: str) -> None:
    assert refusal(made("h1", private("rsa-2048"), MIDDLE), chain=chain) == ["CHAIN_INVALID"]


def test_the_usages_must_allow_a_server() -> None:
    assert judged(leaf(usages=[SERVER]), key_text("rsa-2048"))
    assert judged(leaf(can_sign=True), key_text("rsa-2048"))
    assert refusal(leaf(usages=[CLIENT])) == ["INVALID"]
    assert refusal(leaf(can_sign=False)) == ["INVALID"]


def test_names_that_it_does_not_cover_are_a_warning() -> None:
    certificate = leaf(names=["h1.example.org", "*.lab.example.org", "192.0.2.1"])
    names = ("h1.example.org", "H1.Example.Org.", "a.lab.example.org", "192.0.2.1")
    done = judged(certificate, key_text("rsa-2048"), names=names)
    assert not any("cover" in one for one in done.warnings)
    wrong = ("h2", "b.a.lab.example.org", "lab.example.org", "192.0.2.10")
    done = judged(certificate, key_text("rsa-2048"), names=names + wrong)
    (warning,) = [one for one in done.warnings if "cover" in one]
    assert ", ".join(wrong) in warning


@pytest.mark.parametrize(
    "quirk",
    [
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: "subject=CN = h1\nnotes\n" + pem,
        lambda pem: "\n\n" + pem + "\n\n\n",
        lambda pem: pem + made("other", private("rsa-4096")),
    ],
)
def test_pem_may_have_dos_line_ends_and_notes_and_more_certificates(quirk: object) -> None:
    certificate = leaf()
    done = judged(quirk(certificate), key_text("rsa-2048"))  # type: ignore[operator]
    assert done.identity.certificate.pem() == certificate
