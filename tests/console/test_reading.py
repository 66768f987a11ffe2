"""What people have in files is read on their machine: every form of it, and hostile forms."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

import soak
from certificates.test_requesting import answer as signed_answer
from pki.offered.stage import FROM, NOW, UNTIL, Maker, made, private, revocation
from pooltrust.console.reading import apart, child
from pooltrust.console.reading.apart import Reader, TooMuchWork
from pooltrust.console.reading.held import SECONDS, Held, NotHeld
from pooltrust.pki.certificate import read_pem
from pooltrust.pki.offered.request import Request

ROOT, MIDDLE = Maker.named("root"), Maker.named("middle")
ROOT_PEM = made("root", ROOT.key, ca=True, names=())
MIDDLE_PEM = made("middle", MIDDLE.key, ROOT, ca=True, names=())
RSA, EC, OTHER = private("rsa-2048"), private("p256"), private("p384")
LEAF_PEM = made("h1", RSA, MIDDLE)
EC_PEM = made("h1", EC, MIDDLE)
NAMES = ["h1.example.org"]
SECRET = "herons at three"


def key(of: Any, form: PrivateFormat, encoding: Encoding, passphrase: str = "") -> bytes:
    sealed = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return bytes(of.private_bytes(encoding, form, sealed))


PKCS8 = key(RSA, PrivateFormat.PKCS8, Encoding.PEM)


def x(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def pfx(passphrase: str = "", *, old: bool = False, of: Any = RSA, leaf: str = LEAF_PEM) -> bytes:
    sealed: Any = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    if old:  # as Windows wrote it for twenty years
        sealed = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2000)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(SHA1())
            .build(passphrase.encode())
        )
    return pkcs12.serialize_key_and_certificates(
        b"h1", of, x(leaf), [x(ROOT_PEM), x(MIDDLE_PEM)], sealed
    )


def der(pem: str) -> bytes:
    return read_pem(pem)[0].der


def read(*sources: str | bytes, passphrase: str = "", **more: Any) -> dict[str, Any]:
    """What the console says of these files."""
    data = [one.encode() if isinstance(one, str) else one for one in sources]
    given = [
        {"name": f"file {n}", "data": base64.b64encode(one).decode()} for n, one in enumerate(data)
    ]
    asked = {"purpose": "server", "names": NAMES, "passphrase": passphrase, "sources": given}
    said = child.answer(asked | more, NOW)
    return orjson.loads(orjson.dumps(said, default=child.asdict))  # type: ignore[no-any-return]


def told(said: dict[str, Any], level: str = "error") -> list[tuple[str, str]]:
    return [(one["field"], one["words"]) for one in said["findings"] if one["level"] == level]


def fields(said: dict[str, Any], level: str = "error") -> set[str]:
    return {where for where, _ in told(said, level)}


BUNDLE = LEAF_PEM + MIDDLE_PEM + ROOT_PEM
FORMS: dict[str, Sequence[str | bytes]] = {
    "PEM": [BUNDLE, PKCS8],
    "all in one file, out of order": [ROOT_PEM + PKCS8.decode() + MIDDLE_PEM + LEAF_PEM],
    "DER": [der(LEAF_PEM), der(MIDDLE_PEM), der(ROOT_PEM), PKCS8],
    "base64 alone": [base64.b64encode(der(LEAF_PEM)), MIDDLE_PEM, ROOT_PEM, PKCS8],
    "UTF-16, Windows lines": [BUNDLE.replace("\n", "\r\n").encode("utf-16"), PKCS8],
    "PKCS#7": [
        pkcs7.serialize_certificates([x(ROOT_PEM), x(LEAF_PEM), x(MIDDLE_PEM)], Encoding.PEM),
        PKCS8,
    ],
    "PKCS#7 in DER": [
        pkcs7.serialize_certificates([x(ROOT_PEM), x(LEAF_PEM), x(MIDDLE_PEM)], Encoding.DER),
        PKCS8,
    ],
    "PKCS#7 that is called a certificate": [
        pkcs7.serialize_certificates([x(LEAF_PEM), x(MIDDLE_PEM), x(ROOT_PEM)], Encoding.PEM)
        .decode()
        .replace("PKCS7", "CERTIFICATE"),
        PKCS8,
    ],
    "PKCS#12 without a passphrase": [pfx()],
    "PKCS#8 in DER": [BUNDLE, key(RSA, PrivateFormat.PKCS8, Encoding.DER)],
    "PKCS#1": [BUNDLE, key(RSA, PrivateFormat.TraditionalOpenSSL, Encoding.PEM)],
    "PKCS#1 in DER": [BUNDLE, key(RSA, PrivateFormat.TraditionalOpenSSL, Encoding.DER)],
}
SEALED: dict[str, Sequence[str | bytes]] = {
    "PKCS#12": [pfx(SECRET)],
    "PKCS#12 of old": [pfx(SECRET, old=True)],
    "PKCS#8": [BUNDLE, key(RSA, PrivateFormat.PKCS8, Encoding.PEM, SECRET)],
    "PKCS#8 in DER": [BUNDLE, key(RSA, PrivateFormat.PKCS8, Encoding.DER, SECRET)],
    "OpenSSL's own": [BUNDLE, key(RSA, PrivateFormat.TraditionalOpenSSL, Encoding.PEM, SECRET)],
}


@pytest.mark.parametrize("form", FORMS)
def test_whatever_it_is_wrapped_in_the_same_is_installed(form: str):
    said = read(*FORMS[form])

    assert told(said) == []
    assert said["install"] == {
        "certificate": LEAF_PEM,
        "chain": MIDDLE_PEM + ROOT_PEM,
        "key": PKCS8.decode(),
    }


@pytest.mark.parametrize("form", SEALED)
def test_a_passphrase_is_asked_for_and_said_to_be_wrong_or_opens_it(form: str):
    asked = read(*SEALED[form])
    wrong = read(*SEALED[form], passphrase="herons at four")
    right = read(*SEALED[form], passphrase=SECRET)

    assert [one["passphrase"] for one in (asked, wrong, right)] == ["needed", "wrong", ""]
    assert [fields(one) for one in (asked, wrong)] == [{"passphrase"}] * 2
    assert (told(right), right["install"]["key"]) == ([], PKCS8.decode())
    assert SECRET not in str(wrong) + str({**right, "install": ""})


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_key_of_a_curve_is_read_and_refused_for_hosts_of_the_published_rules(
    form: PrivateFormat, encoding: Encoding
):
    given = [EC_PEM + MIDDLE_PEM, key(EC, form, encoding)]

    assert told(read(*given)) == []
    assert told(read(*given, published=True)) == [
        ("key", "The key is P-256; this host takes RSA keys only.")
    ]


def test_everything_that_is_wrong_is_told_at_once_beside_its_field():
    late = made("h1", OTHER, MIDDLE, names=("other.example.org",), dates=(FROM, FROM))
    said = read(late + ROOT_PEM, PKCS8)

    assert fields(said) == {"certificate", "key"} and said["install"] is None
    assert [words[:35] for _, words in told(said)] == [
        "The certificate was valid until 202",
        "The certificate was issued for anot",
    ]
    assert {"names", "chain"} <= fields(said, "advice")


@pytest.mark.parametrize(
    ("given", "where", "words"),
    [
        ([], "certificate", "No certificate was given."),
        ([LEAF_PEM], "key", "No private key was given."),
        ([PKCS8], "certificate", "No certificate was given."),
        (["heron"], "certificate", "There is no certificate in it."),
        ([b"PK\x03\x04 and so on"], "certificate", "That is a ZIP archive."),
        (["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"], "key", "That is a public"),
        ([LEAF_PEM[:300], PKCS8], "certificate", "A block of CERTIFICATE is cut off"),
        ([LEAF_PEM.replace("M", "!"), PKCS8], "certificate", "A block of CERTIFICATE is damaged"),
        ([Request.made(RSA, NAMES, ()).text(), PKCS8], "certificate", "That is the request."),
        ([LEAF_PEM, key(private("rsa-1024"), PrivateFormat.PKCS8, Encoding.PEM)], "key", "The RSA"),
    ],
)
def test_what_can_not_be_used_is_named(given: list[Any], where: str, words: str):
    found = [said for field, said in told(read(*given)) if field == where]

    assert [one for one in found if one.startswith(words)], found


def test_the_answer_to_a_request_needs_no_key_and_must_be_to_this_request():
    asked = Request.made(RSA, NAMES, ()).text()
    now = child.datetime.now(child.UTC)
    dates = now - timedelta(days=1), now + timedelta(days=9)
    authority = made("middle", MIDDLE.key, ROOT, ca=True, names=(), dates=dates)

    def judged(leaf: str) -> dict[str, Any]:
        given = base64.b64encode((leaf + authority).encode()).decode()
        source = {"name": "answer", "data": given}
        return child.answer({"purpose": "server", "request": asked, "sources": [source]}, now)

    assert judged(signed_answer(asked, MIDDLE))["install"]["key"] == ""
    [one] = [it for it in judged(EC_PEM)["findings"] if it.field == "key" and it.level == "error"]
    assert one.words.startswith("The certificate was issued for another key")


def test_of_a_renewal_and_its_predecessor_the_longer_is_taken():
    new = made("h1", RSA, MIDDLE, dates=(FROM, UNTIL + timedelta(days=30)))
    said = read(LEAF_PEM + new + MIDDLE_PEM + ROOT_PEM, PKCS8, present=LEAF_PEM)

    assert said["install"]["certificate"] == new
    assert "chain" in fields(said, "advice")  # the old one is left out
    assert said["present"]["thumbprint"] == str(read_pem(LEAF_PEM)[0].thumbprint)


def test_dates_are_judged_by_the_clock_of_the_host():
    behind = timedelta(days=40).total_seconds()
    said = read(BUNDLE, PKCS8, ahead=-behind)

    assert [words[:26] for _, words in told(said)] == [
        "The certificate is valid f",
        "The chain can't be used: C",
    ]
    [clock] = [words for _, words in told(said, "advice") if "clock" in words]
    assert clock.startswith("The host’s clock is 40 days behind this machine’s")


def test_names_that_are_lost_are_told():
    present = made("h1", OTHER, names=("h1.example.org", "pool.example.org"))
    said = read(BUNDLE, PKCS8, present=present)

    assert ("names", "The present certificate covers pool.example.org, and this one does not.") in (
        told(said, "advice")
    )


def test_authorities_pins_and_lists_are_read_from_any_form():
    listed = revocation(ROOT, read_pem(LEAF_PEM)[0])
    of = {
        "authority": der(ROOT_PEM),
        "pinned": pkcs7.serialize_certificates([x(LEAF_PEM)], Encoding.DER),
        "crl": listed,
    }
    said = {purpose: read(data, purpose=purpose) for purpose, data in of.items()}

    shown = {purpose: one["items"][0] for purpose, one in said.items()}
    assert {purpose: one["pem"].split("-----")[1] for purpose, one in shown.items()} == {
        "authority": "BEGIN CERTIFICATE",
        "pinned": "BEGIN CERTIFICATE",
        "crl": "BEGIN X509 CRL",
    }
    assert shown["authority"]["name"] == shown["crl"]["name"] == "root.pem"
    assert (shown["crl"]["revoked"], shown["crl"]["issuer"]) == (1, "CN=root")
    assert [
        one["level"] for one in read(LEAF_PEM, purpose="authority")["items"][0]["findings"]
    ] == ["advice"]
    assert told(read(PKCS8, purpose="authority"))[-1][1] == "There is no certificate in it."


def ask(*sources: bytes) -> dict[str, Any]:
    """Through the process that reads."""
    given = [{"name": "it", "data": base64.b64encode(one).decode()} for one in sources]
    asked = {"purpose": "server", "passphrase": SECRET, "sources": given}
    return asyncio.run(Reader().read(orjson.dumps(asked)))


def test_a_megabyte_of_anything_is_read_in_no_time():
    began = time.monotonic()
    rubbish = (
        os.urandom(child.MOST_BYTES),
        b"-----BEGIN CERTIFICATE-----" * (child.MOST_BYTES // 30),
        b"\x30\x80" * (child.MOST_BYTES // 2),
        b"\x30\x82\x10\x00" * (child.MOST_BYTES // 4),
        BUNDLE.encode() * (child.MOST_BYTES // len(BUNDLE) - 1),
        b"A" * (child.MOST_BYTES + 1),
    )
    for one in soak.sample(rubbish, 3, "megabytes"):
        assert fields(ask(one)) >= {"certificate"}
    assert time.monotonic() - began < 30


def piece(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    assert len(content) < 0x100
    length = [len(content)] if len(content) < 0x80 else [0x81, len(content)]
    return bytes([tag, *length]) + content


def hostile(rounds: int) -> dict[str, bytes]:
    """Files that ask for so many rounds to find out whether a passphrase is right."""
    count = piece(2, rounds.to_bytes(5).lstrip(b"\0"))
    data, sha256 = (bytes.fromhex(one) for one in ("2a864886f70d010701", "608648016503040201"))
    pbes2, pbkdf2 = (bytes.fromhex(f"2a864886f70d01050{one}") for one in "dc")
    aes = bytes.fromhex("60864801650304012a")
    digest = piece(0x30, piece(0x30, piece(6, sha256)), piece(4, bytes(32)))
    mac = piece(0x30, digest, piece(4, bytes(8)), count)
    safe = piece(0x30, piece(6, data), piece(0xA0, piece(4, piece(0x30))))
    stretched = piece(0x30, piece(6, pbkdf2), piece(0x30, piece(4, bytes(8)), count))
    cipher = piece(0x30, piece(6, aes), piece(4, bytes(16)))
    algorithm = piece(0x30, piece(6, pbes2), piece(0x30, stretched, cipher))
    return {
        "PKCS#12": piece(0x30, piece(2, b"\x03"), safe, mac),
        "PKCS#8": piece(0x30, algorithm, piece(4, bytes(64))),
    }


@pytest.mark.parametrize("form", ["PKCS#12", "PKCS#8"])
def test_a_file_that_asks_for_a_day_of_work_gets_a_moment_of_it(
    form: str, monkeypatch: pytest.MonkeyPatch
):
    assert ask(hostile(2000)[form])["passphrase"] == "wrong"  # it is such a file
    monkeypatch.setattr(apart, "LONGEST_SECONDS", 1.5)
    began = time.monotonic()
    with pytest.raises(TooMuchWork):
        ask(hostile(2**31 - 1)[form])
    assert time.monotonic() - began < 10


def test_a_process_that_works_too_long_ends_by_itself_and_writes_no_file(tmp_path: Any):
    pytest.importorskip("resource")
    script = (
        "import os, sys, pooltrust.console.reading.child as one; one.CPU_SECONDS = 1; "
        "one._bounded(); os.chdir(sys.argv[1])\n"
        "try: os.write(os.open('file', os.O_CREAT | os.O_WRONLY), b'x'); print('wrote')\n"
        "except OSError: print('no file', flush=True)\n"
        "while True: pass"
    )

    async def run() -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            *(apart.sys.executable, "-c", script, str(tmp_path)), stdout=-1
        )
        said, _ = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode, said

    status, said = asyncio.run(run())
    assert (status in (-9, -24), said) == (True, b"no file\n")  # SIGKILL or SIGXCPU


def test_a_key_is_kept_for_a_while_under_a_handle_that_nobody_guesses():
    now = [0.0]
    held = Held(lambda: now[0])
    handle = held.keep("the key")

    assert held.filled(["ref", handle, "chain", 3]) == ["ref", "the key", "chain", 3]
    assert held.filled([handle]) == ["the key"]  # for who tries again
    with pytest.raises(NotHeld):
        held.filled(["held:"])
    now[0] = SECONDS
    with pytest.raises(NotHeld):
        held.filled([handle])


def test_a_key_is_forgotten_once_its_host_has_it():
    held = Held(lambda: 0.0)
    handle, other = held.keep("the key"), held.keep("another")
    held.used(["ref", handle])

    assert held.filled([other]) == ["another"]
    with pytest.raises(NotHeld):
        held.filled([handle])
