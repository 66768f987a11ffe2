"""Nobody is shown a text of the TLS library, and the table of endpoints is what the code does."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.terms import JOIN_NAME, POOL_NAME
from pooltrust.tls import reasons
from pooltrust.tls.endpoints import ENDPOINTS, Direction, Expects, page
from pooltrust.trust.expect import Anyone, Member, Pinned, Server


def tls_error(reason: str | None, kind=ssl.SSLError) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}] {str(reason).lower()} (_ssl.c:1006)")
    error.reason = reason
    return error


def refused_certificate(code: int) -> ssl.SSLCertVerificationError:
    error = tls_error("CERTIFICATE_VERIFY_FAILED", ssl.SSLCertVerificationError)
    error.verify_code = code
    error.verify_message = "unable to get local issuer certificate"
    return error


@pytest.mark.parametrize(
    ("code", "dialling", "answering"),
    [
        (9, "not yet valid", "not yet valid"),
        (10, "expired", "expired"),
        (18, "untrusted issuer", "unknown certificate"),
        (20, "untrusted issuer", "unknown certificate"),
        (24, "untrusted issuer", "unknown certificate"),
        (62, "wrong name", "unknown certificate"),
        (64, "wrong name", "unknown certificate"),
    ],
)
def test_a_refused_certificate_has_a_reason_on_each_side(code, dialling, answering) -> None:
    error = refused_certificate(code)
    assert reasons.handshake_failed(error).code == dialling
    assert reasons.handshake_failed(error, answering=True).code == answering


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (tls_error("PEER_DID_NOT_RETURN_A_CERTIFICATE"), "no certificate"),
        (tls_error("TLSV1_ALERT_PROTOCOL_VERSION"), "protocol version"),
        (tls_error("NO_SHARED_CIPHER"), "no common cipher"),
        (tls_error("WRONG_VERSION_NUMBER"), "not TLS"),
        (tls_error("TLSV1_ALERT_UNKNOWN_CA"), "refused our certificate"),
        (tls_error("SSLV3_ALERT_BAD_CERTIFICATE"), "refused our dates"),
        (tls_error("SOMETHING_NEW"), "handshake failure"),
        (tls_error(None), "handshake failure"),
        (tls_error(None, ssl.SSLEOFError), "closed"),
        (
            ConnectionAbortedError("SSL handshake is taking longer than 60 seconds"),
            "handshake timeout",
        ),
        (ConnectionResetError(), "closed"),
    ],
)
def test_a_failed_handshake_has_a_reason(error, code) -> None:
    assert reasons.handshake_failed(error).code == code


def test_why_there_is_no_connection() -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert reasons.no_connection(unknown) == "name or service not known"
    several = OSError("Multiple exceptions: [Errno 111] …, [Errno 113] …")
    assert reasons.no_connection(several) == "none of its addresses could be reached"
    assert reasons.no_connection(ConnectionResetError()) == "it cut the connection"


@given(
    st.one_of(
        st.sampled_from(sorted(errno.errorcode)).map(lambda n: OSError(n, os.strerror(n))),
        st.text(max_size=30).map(tls_error),
        st.integers(0, 100).map(refused_certificate),
        st.just(EOFError()),
        st.just(TimeoutError()),
    )
)
@settings(max_examples=80)
def test_no_text_of_the_tls_library_reaches_anybody(error) -> None:
    said = [
        reasons.no_connection(error),
        reasons.refused_by_peer(error).words,
        *(reasons.handshake_failed(error, answering=side).words for side in (True, False)),
    ]
    for words in said:
        assert words and words == words.lower().replace("tls", "TLS") and words[-1] != "."
        assert "ssl" not in words.lower() and "_" not in words and "errno" not in words.lower()


def test_every_reason_of_a_refusal_says_what_to_do_in_a_sentence() -> None:
    every = [each for each in vars(reasons).values() if isinstance(each, reasons.Reason)]
    assert len(every) > 10
    for reason in every:
        assert reason.remedy.endswith("."), reason.code
    assert len({reason.code for reason in every}) >= len(every) - 1  # both unknown certificates


def test_the_table_knows_every_expectation_and_every_server_name() -> None:
    expected = {word for endpoint in ENDPOINTS for word in endpoint.expects.split(" or ")}
    assert {kind.__name__ for kind in (Member, Server, Pinned, Anyone)} <= expected
    assert {endpoint.server_name for endpoint in ENDPOINTS} == {POOL_NAME, JOIN_NAME, ""}
    assert len({endpoint.kind for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_everything_that_a_host_dials_has_an_expectation() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.direction in (Direction.OUT, Direction.BOTH):
            assert endpoint.expects not in (Expects.OWN_RULES, Expects.NO_TLS), endpoint.kind
        if endpoint.expects is Expects.ANYONE:
            name, proof = endpoint.server_name, endpoint.client_proof
            assert name == JOIN_NAME or proof == "none", endpoint.kind


def test_the_page_of_connections_is_current() -> None:
    shown = Path(__file__).parents[2] / "docs" / "connections.md"
    words = "write it anew: python -m pooltrust.tls.endpoints > docs/connections.md"
    assert shown.read_text() == page(), words


def test_the_conversion_manager_is_answered_without_a_certificate_and_never_dialled() -> None:
    [manager] = [e for e in ENDPOINTS if e.kind == "Conversion Manager"]
    assert manager.direction is Direction.IN
    assert "no certificate is asked for" in manager.client_proof


def test_workload_balancing_is_dialled_with_a_certificate_that_was_installed() -> None:
    [appliance] = [e for e in ENDPOINTS if e.kind == "Workload Balancing"]
    assert appliance.direction is Direction.OUT
    assert appliance.expects is Expects.SERVER_OR_PINNED
