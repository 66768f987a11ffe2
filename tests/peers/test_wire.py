"""A peer's frames as values: nothing of them is used unread, and a refusal travels unchanged."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.errors import CannotVerify, InvalidValue, SessionAuthenticationFailed
from pooltrust.host.meeting.facts import facts
from pooltrust.host.peers import wire
from pooltrust.host.peers.probe import seen

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    "call",
    "code",
    "parameters",
    "words",
    "nonce",
    "head",
    "payload",
    "signature",
    "entries",
    "facts",
    "host",
    "name",
    "address",
    "port",
    "pool",
    "verification",
    "members",
    "coordinator",
    "coordinator_address",
    "kinds",
    "observer",
    "met",
    "tls_version",
    "verified",
    "reason",
    "cure",
    "at",
]
frames = st.dictionaries(st.sampled_from(FIELDS), json)


def test_a_refusal_arrives_with_its_code_its_parameters_and_its_words() -> None:
    for why in (
        SessionAuthenticationFailed("root"),
        CannotVerify("it is another", expected="h1", met="h2", remedy="Look."),
        InvalidValue("lifetime", "-1"),
    ):
        arrived = wire.refused(wire.refusal(why))
        assert (why.code, why.parameters(), str(why)) == (
            arrived.code,
            arrived.parameters(),
            str(arrived),
        )


def test_words_that_are_too_long_for_the_peer_are_cut_and_parameters_are_not() -> None:
    why = InvalidValue("name", "x" * 10_000)
    arrived = wire.refused(wire.refusal(why))
    assert why.parameters() == arrived.parameters()
    assert str(arrived).endswith("…")
    assert len(str(arrived)) == wire.MAX_TEXT


def test_a_code_of_a_later_release_is_kept() -> None:
    content = {"code": "NOT_THOUGHT_OF_YET", "parameters": ["a"], "words": "Later."}
    arrived = wire.refused(content)
    assert (
        arrived.code,
        arrived.parameters(),
        str(arrived),
    ) == ("NOT_THOUGHT_OF_YET", ["a"], "Later.")


@pytest.mark.parametrize("code", ["", "two words", "\x1b[2J", "X" * 65, "ÄRGER", "A\n"])
def test_a_code_that_is_none_is_not_passed_on(code: str) -> None:
    arrived = wire.refused({"code": code, "parameters": [], "words": ""})
    assert arrived.code == "PEER_PROTOCOL_ERROR"


@settings(max_examples=150, deadline=None)
@given(frame=frames)
def test_whatever_a_peer_sends_is_read_or_called_a_breach_of_the_protocol(
    frame: dict[str, Any],
) -> None:
    readers = (
        lambda: wire.refused(frame),
        lambda: wire.text(frame, "words"),
        lambda: wire.number(frame, "port"),
        lambda: wire.flag(frame, "verified"),
        lambda: wire.host(frame, "host"),
        lambda: wire.raw(frame, "signature"),
        lambda: wire.nonce(frame),
        lambda: wire.texts(frame, "kinds"),
        lambda: wire.head(frame),
        lambda: wire.entries(frame),
        lambda: facts(frame),
        lambda: seen(frame),
    )
    for read in readers:
        with suppress(wire.PeerMisspoke):
            read()


@pytest.mark.parametrize("number", [-1, 2**53 + 1, True, 1.0, "1", None])
def test_a_number_is_a_whole_one_within_what_json_can_carry(number: object) -> None:
    with pytest.raises(wire.PeerMisspoke):
        wire.number({"number": number}, "number")


@pytest.mark.parametrize("nonce", ["", "AAAA", wire.b64(bytes(31)), wire.b64(bytes(33)), "=" * 44])
def test_a_nonce_has_32_bytes(nonce: str) -> None:
    with pytest.raises(wire.PeerMisspoke):
        wire.nonce({"nonce": nonce})
    assert wire.nonce({"nonce": wire.b64(bytes(32))}) == bytes(32)
