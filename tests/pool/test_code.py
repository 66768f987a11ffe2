"""Join codes: one word that is whole or refused, and a ledger that says why one is void."""

from __future__ import annotations

import base64
import hashlib
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.pool.code import (
    MOST_BAD_PROOFS,
    MOST_CODES,
    PREFIX,
    BadJoinCode,
    CodeLedger,
    JoinCode,
    JoinCodeVoid,
)
from pooltrust.terms import HostId, PoolId, Thumbprint, host_id
from pooltrust.trust import canonical

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
H1, H2 = (host_id(f"{digit * 8}-0000-4000-8000-000000000000") for digit in "12")
HELD, NEWER = Thumbprint(bytes(range(32))), Thumbprint(bytes(32))
CODE = JoinCode(
    id="0123456789abcdef",
    pool=PoolId("5a" * 32),
    thumbprint=HELD,
    addresses=("192.0.2.1", "2001:db8::1"),
    port=8443,
    secret=bytes(range(16, 32)),
    expires=NOW + timedelta(hours=1),
)
ALPHABET = string.ascii_letters + string.digits + "-_"

codes = st.builds(
    JoinCode,
    id=st.text(string.hexdigits, min_size=1, max_size=32),
    pool=st.text("0123456789abcdef", min_size=64, max_size=64).map(PoolId),
    thumbprint=st.binary(min_size=32, max_size=32).map(Thumbprint),
    addresses=st.lists(st.ip_addresses().map(str), min_size=1, max_size=16).map(tuple),
    port=st.integers(1, 65535),
    secret=st.binary(min_size=16, max_size=16),
    expires=st.integers(0, 2**33).map(lambda at: datetime.fromtimestamp(at, UTC)),
)


@settings(max_examples=100, deadline=None)
@given(code=codes)
def test_what_is_printed_is_read_again(code: JoinCode) -> None:
    assert JoinCode.parse(code.text()) == code


def test_a_code_is_one_word_that_a_shell_and_a_line_break_leave_alone() -> None:
    word = CODE.text()
    assert set(word) <= set(ALPHABET)
    assert JoinCode.parse(f"  {word[:70]}\n  {word[70:]}\r\n") == CODE


def test_no_altered_letter_goes_unnoticed() -> None:
    word = CODE.text()
    for place in range(len(word)):
        for letter in (ALPHABET[(ALPHABET.find(word[place]) + 1) % 64], "=", "!", "é", "\0"):
            with pytest.raises(BadJoinCode):
                JoinCode.parse(word[:place] + letter + word[place + 1 :])


def test_spare_bits_of_the_last_letter_are_part_of_it() -> None:
    """Base64 may end in a letter of which only some bits count."""
    for size in range(1, 4):
        word = replace(CODE, id="x" * size).text()
        for letter in set(ALPHABET) - {word[-1]}:
            with pytest.raises(BadJoinCode):
                JoinCode.parse(word[:-1] + letter)


def test_no_lost_doubled_or_added_letter_goes_unnoticed() -> None:
    word = CODE.text()
    for place in range(len(word)):
        for altered in (
            word[:place] + word[place + 1 :],
            word[:place] + word[place] + word[place:],
            word[:place] + "!" + word[place:],
        ):
            with pytest.raises(BadJoinCode):
                JoinCode.parse(altered)


def test_two_letters_that_changed_places_are_noticed() -> None:
    word = CODE.text()
    for place in range(len(PREFIX), len(word) - 1):
        a, b = word[place : place + 2]
        if a != b:
            with pytest.raises(BadJoinCode):
                JoinCode.parse(word[:place] + b + a + word[place + 2 :])


@settings(max_examples=150, deadline=None)
@given(text=st.text() | st.text(ALPHABET).map(lambda text: PREFIX + text))
def test_nothing_but_a_code_is_read_and_nothing_else_is_raised(text: str) -> None:
    with pytest.raises(BadJoinCode):
        JoinCode.parse(text)


def _packed(content: bytes) -> str:
    """These bytes in the armour of a code, check included, as a forger would do it."""
    check = hashlib.sha256(b"pooltrust join code" + content).digest()[:4]
    return PREFIX + base64.urlsafe_b64encode(content + check).decode().rstrip("=")


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(
    changes=st.dictionaries(
        st.sampled_from(
            ["addresses", "expires", "id", "pool", "port", "secret", "thumbprint", "more"]
        ),
        json,
    )
)
def test_a_forged_code_is_read_as_a_code_or_refused(changes: dict[str, object]) -> None:
    plain = {
        "addresses": ["192.0.2.1"],
        "expires": 1,
        "id": "a",
        "pool": "0" * 64,
        "port": 443,
        "secret": "00" * 16,
        "thumbprint": "00" * 32,
    }
    try:
        code = JoinCode.parse(_packed(canonical.encode(plain | changes)))
    except (BadJoinCode, canonical.NotCanonical):
        return
    assert JoinCode.parse(code.text()) == code


def test_a_code_never_shows_its_secret_by_accident() -> None:
    assert CODE.secret.hex() not in repr(CODE)
    assert repr(CODE.secret) not in repr(CODE)


# The ledger.


def ledger() -> CodeLedger:
    known = CodeLedger()
    known.add(CODE, H1)
    return known


def good(
    known: CodeLedger,
    id: str = CODE.id,
    now: datetime = NOW,
    coordinator: HostId = H1,
    serving: frozenset[Thumbprint] = frozenset({HELD}),
) -> JoinCode:
    return known.good(id, now, coordinator, serving)


def why(known: CodeLedger, **other: object) -> tuple[str, str]:
    with pytest.raises(JoinCodeVoid) as void:
        good(known, **other)  # type: ignore[arg-type]
    assert "xe pool-join-code-create" in str(void.value)
    return void.value.code, str(void.value)


def test_a_code_is_good_until_the_second_it_expires() -> None:
    assert good(ledger(), now=CODE.expires - timedelta(seconds=1)) == CODE
    code, words = why(ledger(), now=CODE.expires)
    assert code == "JOIN_CODE_EXPIRED"
    assert "2026-01-02 04:04:05Z" in words


def test_an_unknown_code_is_called_that() -> None:
    assert why(ledger(), id="fedcba9876543210")[0] == "JOIN_CODE_UNKNOWN"


def test_a_code_is_used_once_and_may_be_given_back() -> None:
    known = ledger()
    known.use(CODE.id)
    assert why(known)[0] == "JOIN_CODE_USED"
    with pytest.raises(JoinCodeVoid):
        known.use(CODE.id)
    known.give_back(CODE.id)
    assert good(known) == CODE


def test_five_bad_proofs_void_a_code_and_four_do_not() -> None:
    known = ledger()
    for _ in range(MOST_BAD_PROOFS - 1):
        known.proved_badly(CODE.id)
    assert good(known) == CODE
    known.proved_badly(CODE.id)
    assert why(known)[0] == "JOIN_CODE_LOCKED"


def test_giving_a_code_back_does_not_forgive_bad_proofs() -> None:
    known = ledger()
    known.use(CODE.id)
    for _ in range(MOST_BAD_PROOFS):
        known.proved_badly(CODE.id)
    known.give_back(CODE.id)
    assert why(known)[0] == "JOIN_CODE_LOCKED"


def test_a_code_does_not_outlive_its_coordinator() -> None:
    code, words = why(ledger(), coordinator=H2)
    assert code == "JOIN_CODE_STALE"
    assert "another coordinator" in words


def test_a_code_outlives_a_refresh_until_its_thumbprint_is_withdrawn() -> None:
    assert good(ledger(), serving=frozenset({HELD, NEWER})) == CODE
    code, words = why(ledger(), serving=frozenset({NEWER}))
    assert code == "JOIN_CODE_STALE"
    assert "new pool identity" in words


def test_the_oldest_codes_are_forgotten_when_there_are_too_many() -> None:
    known = ledger()
    for number in range(MOST_CODES):
        known.add(replace(CODE, id=str(number)), H1)
    assert why(known)[0] == "JOIN_CODE_UNKNOWN"
    assert good(known, id="0").id == "0"


def test_counting_against_a_code_that_is_forgotten_does_nothing() -> None:
    known = CodeLedger()
    known.proved_badly("gone")
    known.use("gone")
    known.give_back("gone")
    assert why(known, id="gone")[0] == "JOIN_CODE_UNKNOWN"
