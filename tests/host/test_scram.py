"""A password is proved at a first meeting without being said, and to nobody in between."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import logging
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scramp.core import ScramMechanism

from pooltrust.errors import (
    CannotVerify,
    Failure,
    PasswordRejected,
    SessionAuthenticationFailed,
)
from pooltrust.host.accounts.scram import LONGEST_MESSAGE, ScramClient, ScramServer
from pooltrust.host.accounts.verifier import Verifier, prepared

FEW = 5000
PASSWORD = "correct horse"
T = hashlib.sha256(b"this meeting").digest()
OTHER_T = hashlib.sha256(b"another meeting").digest()
KNOWN = Verifier.derive(prepared(PASSWORD), b"0123456789abcdef", FEW)
NOBODY = Verifier(b"fedcba9876543210", FEW, b"\1" * 32, b"\2" * 32)


def lookup(username: str) -> Verifier:
    return KNOWN if username == "root" else NOBODY


def client(
    username: str = "root", password: str = PASSWORD, transcript: bytes = T, *, least: int = FEW
) -> ScramClient:
    return ScramClient(username, password, transcript, least_iterations=least)


def met(joiner: ScramClient, server: ScramServer) -> list[str]:
    """The whole conversation."""
    said = [joiner.first()]
    said.append(server.first(said[-1]))
    said.append(asyncio.run(joiner.final(said[-1])))
    said.append(server.final(said[-1]))
    joiner.finish(said[-1])
    return said


def test_both_sides_prove_that_they_know_the_password_and_nobody_says_it():
    server = ScramServer(lookup, T)
    said = met(client(), server)
    assert server.username == "root"
    for secret in (prepared(PASSWORD), KNOWN.stored_key, KNOWN.server_key):
        for form in (secret.decode("latin-1"), secret.hex(), base64.b64encode(secret).decode()):
            assert form not in "".join(said)


def test_the_vector_of_rfc_7677_holds_for_our_verifiers():
    # Section 3: user "user", password "pencil".
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    verifier = Verifier.derive(prepared("pencil"), salt, 4096)
    found = (verifier.salt, verifier.stored_key, verifier.server_key, verifier.iterations)
    server = ScramMechanism("SCRAM-SHA-256").make_server(
        lambda _: found, s_nonce="%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    # The library takes the server's own part of the nonce as an object only.
    server.s_nonce = type(server.s_nonce)(str(server.s_nonce))
    server.set_client_first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    assert server.get_server_first() == (
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    server.set_client_final(
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert server.get_server_final() == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def by_hand(server_first: str, client_first_bare: str, transcript: bytes) -> tuple[str, str]:
    """RFC 5802 section 3 without the library: the client's last message, the server's due one."""
    fields = dict(part.split("=", 1) for part in server_first.split(","))
    salt = base64.b64decode(fields["s"])
    salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    binding = base64.b64encode(b"p=tls-unique,," + transcript).decode()
    without_proof = f"c={binding},r={fields['r']}"
    message = f"{client_first_bare},{server_first},{without_proof}".encode()
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    due = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    return f"{without_proof},p={base64.b64encode(proof).decode()}", base64.b64encode(due).decode()


def test_a_client_written_from_the_rfc_is_understood():
    server = ScramServer(lookup, T)
    bare = "n=root,r=fyko+d2lbbFgONRv9qkxdawL"
    server_first = server.first(f"p=tls-unique,,{bare}")
    client_final, due = by_hand(server_first, bare, T)
    assert f"v={due}" == server.final(client_final)


def test_a_man_in_the_middle_has_another_meeting_and_is_refused():
    server = ScramServer(lookup, T)
    joiner = client(transcript=OTHER_T)
    # He passes every message on as it is.
    client_final = asyncio.run(joiner.final(server.first(joiner.first())))
    with pytest.raises(CannotVerify) as refused:
        server.final(client_final)
    assert "another meeting" in str(refused.value)
    assert "join with a code" in str(refused.value)


def test_a_man_in_the_middle_who_rewrites_the_binding_has_no_proof():
    server = ScramServer(lookup, T)
    joiner = client(transcript=OTHER_T)
    client_final = asyncio.run(joiner.final(server.first(joiner.first())))
    binding = base64.b64encode(b"p=tls-unique,," + T).decode()
    _, rest = client_final.split(",", 1)
    with pytest.raises(SessionAuthenticationFailed):
        server.final(f"c={binding},{rest}")


def test_an_impostor_who_does_not_know_the_account_proves_nothing():
    server = ScramServer(lambda _: NOBODY, T)
    joiner = client()
    asyncio.run(joiner.final(server.first(joiner.first())))
    for final in ("v=" + base64.b64encode(b"\0" * 32).decode(), "e=other-error", "v=", "", "x" * 9):
        impostor = client()
        asyncio.run(impostor.final(ScramServer(lookup, T).first(impostor.first())))
        with pytest.raises(CannotVerify, match="did not prove"):
            impostor.finish(final)


def refusals(username: str, password: str) -> tuple[str, str, str]:
    server = ScramServer(lookup, T)
    joiner = client(username, password)
    server_first = server.first(joiner.first())
    with pytest.raises(SessionAuthenticationFailed) as refused:
        server.final(asyncio.run(joiner.final(server_first)))
    shape = ",".join(f"{part[:2]}{len(part)}" for part in server_first.split(","))
    return refused.value.code, refused.value.why, shape


def test_a_wrong_password_and_an_unknown_user_are_refused_alike():
    assert refusals("root", "wrong") == refusals("nobody", PASSWORD)


@pytest.mark.parametrize(
    ("iterations", "salt", "word"),
    [
        ("4999", "0123456789abcdef", "4999 iterations"),
        ("1", "0123456789abcdef", "1 iterations"),
        ("5000001", "0123456789abcdef", "5000001 iterations"),
        ("99999999999", "0123456789abcdef", "malformed"),
        ("-5000", "0123456789abcdef", "malformed"),
        ("05000", "0123456789abcdef", "malformed"),
        ("٥٠٠٠", "0123456789abcdef", "malformed"),
        ("5000", "short", "salt has 5 bytes"),
        ("5000", "x" * 65, "salt has 65 bytes"),
        ("5000,m=ext", "0123456789abcdef", "malformed"),
    ],
)
def test_a_server_that_makes_guessing_cheap_or_proving_dear_gets_no_proof(
    monkeypatch: pytest.MonkeyPatch, iterations: str, salt: str, word: str
):
    def derive(*_: object) -> bytes:
        raise AssertionError("it derived before it looked")

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", derive)
    joiner = client()
    nonce = joiner.first().rpartition("r=")[2]
    encoded = base64.b64encode(salt.encode()).decode()
    with pytest.raises(CannotVerify, match=word):
        asyncio.run(joiner.final(f"r={nonce}more,s={encoded},i={iterations}"))


def test_a_client_asks_for_a_hundred_thousand_iterations_unless_told():
    joiner = ScramClient("root", PASSWORD, T)
    with pytest.raises(CannotVerify, match="100000 to 5000000"):
        asyncio.run(joiner.final(ScramServer(lookup, T).first(joiner.first())))


@pytest.mark.parametrize("nonce", ["", "another", "same"])
def test_a_server_must_go_on_with_the_nonce_of_this_client(nonce: str):
    joiner = client()
    own = joiner.first().rpartition("r=")[2]
    nonce = own if nonce == "same" else nonce
    with pytest.raises(CannotVerify):
        asyncio.run(joiner.final(f"r={nonce},s=MDEyMzQ1Njc4OWFiY2RlZg==,i=5000"))


@pytest.mark.parametrize(
    "first",
    [
        "n,,n=root,r=abc",
        "y,,n=root,r=abc",
        "p=tls-server-end-point,,n=root,r=abc",
        "p=tls-unique,a=admin,n=root,r=abc",
        "p=tls-unique,,n=root",
        "p=tls-unique,,m=x,n=root,r=abc",
        "",
        "p=tls-unique,,n=root,r=" + "a" * LONGEST_MESSAGE,
        "\ud800",
    ],
)
def test_a_client_without_our_binding_or_sense_is_refused(first: str):
    with pytest.raises(SessionAuthenticationFailed, match="malformed"):
        ScramServer(lookup, T).first(first)


def test_a_proof_is_good_for_one_meeting_and_one_time():
    server = ScramServer(lookup, T)
    joiner = client()
    client_final = asyncio.run(joiner.final(server.first(joiner.first())))
    server.final(client_final)
    with pytest.raises(SessionAuthenticationFailed):
        server.final(client_final)
    again = ScramServer(lookup, T)
    again.first(client().first())
    with pytest.raises(SessionAuthenticationFailed):
        again.final(client_final)


def test_a_name_with_commas_and_accents_arrives_whole():
    server = ScramServer(lambda _: KNOWN, T)
    met(client("josé,=x"), server)
    assert server.username == "josé,=x"


@pytest.mark.parametrize("make", [lambda: ScramServer(lookup, b""), lambda: client(transcript=b"")])
def test_a_transcript_has_32_bytes(make: Callable[[], object]):
    with pytest.raises(ValueError, match="32 bytes"):
        make()


def test_the_password_is_in_no_repr_error_or_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    joiner = client()
    shown = [repr(joiner), str(vars(joiner))]
    for act in (
        lambda: asyncio.run(joiner.final("r=a,s=b,i=1")),
        lambda: joiner.finish("v=x"),
        lambda: ScramClient("root", PASSWORD + "\0", T),
        lambda: ScramClient("", PASSWORD, T),
        lambda: ScramClient("\ud800", PASSWORD, T),
    ):
        with pytest.raises(Failure) as refused:
            act()
        shown += [repr(refused.value), "".join(traceback.format_exception(refused.value))]
    with pytest.raises(PasswordRejected):
        ScramClient("root", "\0", T)
    assert PASSWORD not in "".join(shown) + caplog.text


MESSAGES = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            "p=tls-unique",
            "",
            "n=root",
            "r=abc",
            "c=cD10bHM=",
            "p=AAAA",
            "v=AAAA",
            "e=other-error",
            "s=MDEyMzQ1Njc4OWFiY2RlZg==",
            "i=5000",
            "x=y",
            "n==2C",
            "n=\xad",
            "n==",
            "=",
            "m=1",
        ]
    ),
    max_size=6,
).map(",".join)


@settings(max_examples=150, deadline=None)
@given(MESSAGES, MESSAGES)
def test_no_text_of_a_peer_makes_either_side_fail_in_any_other_way(first: str, second: str):
    server = ScramServer(lookup, T)
    for step in (
        lambda: server.first(first),
        lambda: server.final(second),
        lambda: asyncio.run(_asked().final(first)),
        lambda: _asked().finish(second),
    ):
        with contextlib.suppress(SessionAuthenticationFailed, CannotVerify):
            step()  # a text may by chance be well-formed


def _asked() -> ScramClient:
    joiner = client()
    joiner.first()
    return joiner
