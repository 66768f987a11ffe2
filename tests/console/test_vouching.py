"""Authorities that the console was given, and renewals: whose signature proves what, on real handshakes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from machine import find_free_port
from pki.offered.stage import Maker, made
from pooltrust.console.trusting.authorities import NoAuthority, beside, offered
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.shown import doubts, verdict
from pooltrust.console.trusting.trust import Changed, Stranger, Trust, place_of
from pooltrust.console.trusting.vouching import exactly
from pooltrust.pki.certificate import Certificate, read_pem
from pooltrust.tls.dial import Connection

from .simulated import ADDRESS

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
DATES = NOW - 9 * DAY, NOW + 90 * DAY
LATER = NOW - DAY, NOW + 365 * DAY
OVER = NOW - 99 * DAY, NOW - DAY
ROOT, OTHER, FALSE = Maker.named("root"), Maker.named("other"), Maker("root", Maker.named("x").key)
CA = made("root", ROOT.key, ca=True, names=(), can_sign=False, dates=DATES)
OTHER_CA = made("other", OTHER.key, ca=True, names=(), dates=DATES)
NAMES = ("h1.example.org", ADDRESS)

Dates = tuple[datetime, datetime]


@dataclass
class Server:
    """What a server shows: its certificate, its key, and what it shows beside."""

    pem: str
    key: bytes
    beside: str = ""

    @property
    def certificate(self) -> Certificate:
        return read_pem(self.pem)[0]


def server(
    by: Maker | None = ROOT, *names: str, dates: Dates = DATES, beside: str = "", key: str = "k"
) -> Server:
    private = Maker.named(key).key
    pem = made("h1", private, by, names=names or NAMES, dates=dates)
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Server(pem, text, beside)


class Stage:
    """A console's trust, and whoever answers at one place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = find_free_port(ADDRESS)
        self.place = place_of(ADDRESS, self.port)
        self.trust = Trust(folder / "known.json")
        self.heard = 0

    @asynccontextmanager
    async def answering(self, one: Server) -> AsyncIterator[None]:
        file = self.folder / "identity.pem"
        file.write_bytes(one.key + one.pem.encode() + one.beside.encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)

        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.CancelledError):
                self.heard += len(await reader.read(1))
            writer.transport.abort()

        listening = await asyncio.start_server(hear, ADDRESS, self.port, ssl=context)
        try:
            yield
        finally:
            listening.close()
            await listening.wait_closed()

    async def dial(self, *, typed: bool = True) -> str:
        """The thumbprint of whom is believed there."""
        connection: Connection = await self.trust.dial(ADDRESS, self.port, typed=typed)
        connection.writer.transport.abort()
        return str(connection.met.thumbprint)

    def meet(self, one: Server, *, typed: bool = True) -> str:
        async def play() -> str:
            async with self.answering(one):
                return await self.dial(typed=typed)

        return asyncio.run(play())

    def stranger(self, one: Server) -> Stranger:
        with pytest.raises(Stranger) as why:
            self.meet(one)
        assert self.heard == 0
        return why.value

    def changed(self, one: Server) -> tuple[str, str]:
        """The verdict on it."""
        with pytest.raises(Changed) as why:
            self.meet(one)
        assert self.heard == 0
        return verdict(why.value.old, why.value.met, None, why.value.proof, NOW)

    def told(self, met: str, host: str = "h1", pool: str = "p") -> None:
        """Whoever was met tells of itself, as a coordinator does."""
        how = self.trust.vouched_for(self.place, met) or "accepted by you when it was shown"
        one = Known(pool, host, host, met, (self.place,), "2026-01-01", "2026-01-01", how)
        self.trust.hear([one], self.place, met, keep=True)

    def believed(self, one: Server) -> None:
        """A person trusts and remembers it."""
        self.trust.accept(self.place, one.certificate.thumbprint)
        self.told(self.meet(one))

    def given(self, *pems: str) -> None:
        """An administrator gives authorities."""
        self.trust.believe("".join(pems).encode())

    def again(self) -> None:
        """The console is started again."""
        self.trust = Trust(self.folder / "known.json")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_without_an_authority_nobody_is_believed_by_a_name(stage: Stage):
    why = stage.stranger(server())
    words = doubts(why.met, ADDRESS, NOW, why.unvouched)
    assert any("no authority that it was not given" in one for one in words)


def test_whom_an_authority_vouches_for_by_the_very_name_needs_no_question(stage: Stage):
    stage.given(CA)
    met = stage.meet(server())
    stage.told(met)

    [one] = stage.trust.known.entries
    assert one.how == f"as issued by CN=root for {ADDRESS}" and one.by_authority
    assert one.judged == (stage.place,)
    stage.again()
    assert stage.meet(server()) != met  # another one of the same kind, made anew: it is renewed


@pytest.mark.parametrize(
    "one, words",
    [
        (server(OTHER), "vouches for it"),
        (server(None), "vouches for it"),
        (server(FALSE), "vouches for it"),
        (server(ROOT, "h2.example.org"), "for other names"),
        (server(ROOT, dates=OVER), "expired"),
        (server(ROOT, dates=(NOW + DAY, NOW + 2 * DAY)), "not valid yet"),
    ],
    ids=["another's", "self-signed", "same name", "another name", "expired", "too early"],
)
def test_whom_none_vouches_for_is_shown_with_the_reason(stage: Stage, one: Server, words: str):
    stage.given(CA)
    why = stage.stranger(one)
    assert words in why.unvouched and why.met == one.certificate


def test_a_certificate_for_every_name_is_good_for_no_very_name():
    one = server(ROOT, "*.example.org", "H2.example.org.").certificate
    assert not exactly(one, "h1.example.org") and not exactly(one, "*.example.org")
    assert exactly(one, "h2.example.ORG")


def test_a_renewal_by_the_authority_that_vouched_is_followed(stage: Stage):
    stage.given(CA)
    old = stage.meet(server())
    stage.told(old)
    stage.again()
    new = stage.meet(server(dates=LATER, key="new"))

    stage.again()
    [one] = stage.trust.known.entries
    assert (one.thumbprint, one.before) == (new, old) and "renewed by the same" in one.how
    assert one.source == old


@pytest.mark.parametrize(
    "one, kind, words",
    [
        (server(ROOT, ADDRESS, "h2.example.org", dates=LATER), "hostile", "Another server's"),
        (server(dates=(NOW - 20 * DAY, NOW + DAY)), "hostile", "an older certificate"),
        (server(FALSE, dates=LATER), "plausible", "nothing to check the issuer's signature with"),
        (server(OTHER, dates=LATER), "proven", "an authority of this console"),
        (server(None, dates=LATER), "hostile", "No known reason"),
    ],
    ids=["another member's", "older", "false issuer", "another authority's", "self-signed"],
)
def test_the_authority_that_vouched_is_followed_in_nothing_else(
    stage: Stage, one: Server, kind: str, words: str
):
    stage.given(CA, OTHER_CA)
    stage.told(stage.meet(server()))
    found, said = stage.changed(one)
    assert found == kind and words in said


@pytest.mark.parametrize("given", [True, False], ids=["given", "shown"])
def test_a_renewal_of_whom_a_person_believed_is_proven_and_still_asked(stage: Stage, given: bool):
    """By an authority that was given, or by the issuer that the server showed when it was trusted."""
    if given:
        stage.given(CA)
    stage.believed(server(beside="" if given else CA))
    found, said = stage.changed(server(dates=LATER, key="new"))

    assert found == "proven"
    assert said.startswith(
        "Renewed by the same issuer: CN=root signed it, as it did the one before"
    )
    assert stage.changed(server(FALSE, dates=LATER))[0] == "plausible"
    another = server(ROOT, "h2.example.org", ADDRESS, dates=LATER)
    assert stage.changed(another)[0] == "hostile"
    assert stage.changed(server(dates=(NOW - 20 * DAY, NOW + DAY)))[0] == "hostile"


def test_an_issuer_that_was_only_shown_vouches_for_nobody_else(stage: Stage):
    stage.believed(server(beside=CA))
    stage.trust.forget(["h1"])
    assert stage.stranger(server(dates=LATER)).unvouched == ""


def test_an_authority_that_is_removed_is_not_believed_nor_whom_it_vouched_for(stage: Stage):
    stage.given(CA, OTHER_CA)
    met = stage.meet(server())
    stage.told(met)
    lesser = Known("p", "h9", "h9", met[::-1].replace(":", "")[:64], ("h9:443",), "", "", "told")
    stage.trust.hear([lesser], stage.place, met, keep=True)
    assert len(stage.trust.known.entries) == 2

    gone = stage.trust.disbelieve(str(read_pem(CA)[0].thumbprint))
    assert gone == 2 and stage.trust.known.entries == ()
    assert "vouches for it" in stage.stranger(server()).unvouched


def test_an_authority_that_went_from_its_file_is_not_believed_either(stage: Stage):
    stage.given(CA)
    one = server()
    stage.told(stage.meet(one))
    beside(stage.folder / "known.json").unlink()

    why = stage.stranger(one)
    assert "is none of this console any more" in why.unvouched and why.known is not None


def test_a_certificate_that_has_expired_since_is_asked_about(stage: Stage):
    stage.given(CA)
    one = server()
    stage.told(stage.meet(one))
    old = server(dates=OVER)
    [known] = stage.trust.known.entries
    text = str(old.certificate.thumbprint)
    file = stage.folder / "known.json"
    plain = file.read_text().replace(known.thumbprint, text)
    file.write_text(
        plain.replace(known.certificate.replace("\n", "\\n"), old.pem.replace("\n", "\\n"))
    )
    assert "see its dates" in stage.stranger(old).unvouched


def test_what_a_person_says_of_a_certificate_takes_the_authoritys_place(stage: Stage):
    stage.given(CA)
    stage.told(stage.meet(server()))
    own = server(None, dates=LATER)
    stage.changed(own)
    stage.believed(own)

    assert not stage.trust.known.entries[0].authority
    assert stage.changed(server(dates=(NOW, NOW + 400 * DAY)))[0] == "proven"


def test_where_only_a_pool_sends_a_typed_password_a_person_is_asked(stage: Stage):
    """A pool that a person believes names a place of its own making, before it is ever typed."""
    one = server(None)
    lie = Known("evil", "e", "e", str(one.certificate.thumbprint), (stage.place,), "", "", "told")
    stage.trust.accept("evil:443", one.certificate.thumbprint)
    stage.trust.hear([lie], "evil:443", str(one.certificate.thumbprint), keep=True)

    assert stage.stranger(one).known is not None
    assert stage.meet(one, typed=False) == lie.thumbprint
    stage.believed(one)
    stage.again()
    assert stage.meet(one) == lie.thumbprint


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "neither PEM nor one certificate in DER"),
        (b"-----BEGIN NOTHING-----", "no certificate"),
        (server().pem.encode(), "may not issue any"),
        (made("old", ROOT.key, ca=True, names=(), dates=OVER).encode(), "has expired"),
        (CA.encode() + server().pem.encode(), "may not issue any"),
    ],
)
def test_what_is_no_authority_is_refused_and_nothing_kept(stage: Stage, data: bytes, words: str):
    with pytest.raises(NoAuthority, match=words):
        stage.trust.believe(data)
    assert not beside(stage.folder / "known.json").exists()


def test_a_list_is_taken_without_those_whose_time_is_over():
    over = made("old", ROOT.key, ca=True, names=(), dates=OVER)
    assert [one.subject for one in offered((over + CA).encode(), NOW)] == ["CN=root"]


def test_an_authority_is_given_in_pem_or_der_and_kept_for_its_owner(stage: Stage):
    [pem] = offered(CA.encode(), NOW)
    assert offered(pem.der, NOW) == (pem,)
    stage.trust.believe(pem.der)
    stage.again()
    assert stage.trust.authorities.certificates == (pem,)
    assert beside(stage.folder / "known.json").stat().st_mode & 0o777 == 0o600
