"""A server that its issuer took back is refused before a byte is said, by whichever list names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.offered.stage import Maker, key_text, made, private, revocation
from pooltrust.errors import CannotVerify
from pooltrust.pki.certificate import Certificate, read_pem
from pooltrust.pki.revocation import BadList, _parsed, _reason, read_list, revoked
from pooltrust.pool.revocations import MOST_LISTS
from pooltrust.tls.answer import Faces
from pooltrust.tls.contexts import server_context
from pooltrust.tls.dial import dial
from pooltrust.trust.expect import Server

from .stage import answering

NOW = datetime.now(UTC)
DATES = NOW - timedelta(days=1), NOW + timedelta(days=1)
NAME = "h1.example.org"
ROOT, MIDDLE = Maker.named("root"), Maker.named("middle")
NAMESAKE = Maker("middle", ROOT.key)


def one(pem: str) -> Certificate:
    return read_pem(pem)[0]


LEAF = made("h1", private("p256"), MIDDLE, dates=DATES)
CHAIN = made("middle", MIDDLE.key, ROOT, ca=True, names=(), dates=DATES)
TOP = made("root", ROOT.key, ca=True, names=(), dates=DATES)
ANCHOR = one(TOP).der
OLD = NOW - timedelta(days=90), NOW - timedelta(days=60)


async def dialled(folder: Path, *lists: bytes) -> bytes:
    """What the server heard of us."""
    path = folder / "server.pem"
    path.write_text(key_text("p256") + LEAF + CHAIN)
    async with answering(Faces(server=server_context(path))) as spot:
        expect = Server(NAME, (ANCHOR,), lists)
        connection = await dial("127.0.0.1", spot.port, expect=expect, name=None)
        connection.writer.write(b"secret")
        await connection.reader.read(10)
        await connection.close()
        return bytes(spot.decrypted)


@pytest.mark.parametrize(
    ("list_", "named"),
    [
        (revocation(MIDDLE, one(LEAF), dates=DATES), "CN=h1"),
        (revocation(ROOT, one(CHAIN), dates=DATES), "CN=middle"),
        (revocation(MIDDLE, one(LEAF), dates=OLD), "CN=h1"),
    ],
    ids=["the leaf", "an authority between", "by a list that was not renewed"],
)
def test_who_was_taken_back_is_refused(
    uv: Callable[[Any], Any], tmp_path: Path, list_: bytes, named: str
) -> None:
    with pytest.raises(CannotVerify) as why:
        uv(dialled(tmp_path, list_))
    assert why.value.reason.startswith(f"{named} was revoked by its issuer on ")
    assert why.value.certificate == one(LEAF).thumbprint


@pytest.mark.parametrize(
    "list_",
    [
        revocation(MIDDLE, dates=DATES),
        revocation(MIDDLE, one(CHAIN), dates=DATES),
        revocation(NAMESAKE, one(LEAF), dates=DATES),
        revocation(ROOT, one(LEAF), dates=DATES),
    ],
    ids=["nobody", "another", "signed by another key", "of another issuer"],
)
def test_who_was_not_is_talked_to(run: Callable[[Any], Any], tmp_path: Path, list_: bytes) -> None:
    assert run(dialled(tmp_path, list_)) == b"secret"


def test_a_reason_that_can_t_be_read_is_none() -> None:
    """Two extensions of one kind: the list is read without them, and so must be who is in it."""
    entry = x509.RevokedCertificateBuilder(one(LEAF).serial, NOW)
    entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
    entry = entry.add_extension(x509.InvalidityDate(NOW), critical=False)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "middle")])
    builder = x509.CertificateRevocationListBuilder(name, *DATES)
    sound = builder.add_revoked_certificate(entry.build()).sign(MIDDLE.key, SHA256())
    date, reason = b"\x55\x1d\x18", b"\x55\x1d\x15"
    odd = read_list(sound.public_bytes(Encoding.DER).replace(date, reason))
    found = x509.load_der_x509_crl(odd).get_revoked_certificate_by_serial_number(one(LEAF).serial)
    assert found is not None and _reason(found) == ""


def test_as_many_lists_as_a_pool_may_have_are_read_once() -> None:
    """Else every connection with a client certificate would have all of them read again."""
    lists = [revocation(Maker(f"m{n}", MIDDLE.key), dates=DATES) for n in range(MOST_LISTS)]
    for _ in range(2):
        before = _parsed.cache_info().misses
        assert revoked([one(LEAF)], (), lists) is None
    assert _parsed.cache_info().misses == before


def test_a_list_whose_signature_nobody_can_check_is_refused() -> None:
    """It would be installed, and revoke nobody."""
    rsa, unknown = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010163")
    ecdsa, other = bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040363")
    sound = revocation(MIDDLE, one(LEAF), dates=DATES)
    with pytest.raises(BadList, match="not known here, "):
        read_list(sound.replace(rsa, unknown).replace(ecdsa, other))
    assert read_list(sound) == sound
