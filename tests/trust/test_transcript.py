"""First meetings: two sides that saw different things, or other roles, prove different things."""

from __future__ import annotations

import hashlib
import hmac
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.trust.transcript import (
    certificate_request,
    code_proof,
    same_proof,
    statement,
    transcript,
)

from .pools import B, C, pool_identity

SEEN = ("f" * 64, b"coordinator", b"joiner", b"server", b"c" * 32, b"j" * 32)


@settings(max_examples=100)
@given(st.integers(0, 5), st.binary(min_size=1, max_size=5))
def test_any_difference_in_what_was_seen_gives_another_transcript(which, more):
    seen = list(SEEN)
    seen[which] = seen[which] + (more.hex() if which == 0 else more)
    assert transcript(*seen) != transcript(*SEEN)


@settings(max_examples=50)
@given(st.integers(1, 4), st.integers(1, 5))
def test_bytes_moved_from_one_part_to_the_next_give_another_transcript(which, count):
    seen = list(SEEN)
    seen[which], seen[which + 1] = seen[which][:-count], seen[which][-count:] + seen[which + 1]
    assert transcript(*seen) != transcript(*SEEN)


def test_the_transcript_is_the_one_that_others_compute():
    parts = [b"pooltrust-join-v1", SEEN[0].encode(), *SEEN[1:]]
    plain = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    assert transcript(*SEEN) == hashlib.sha256(plain).digest()


def test_the_two_sides_sign_and_prove_different_things():
    seen, other = transcript(*SEEN), transcript("e" * 64, *SEEN[1:])
    for make in (statement, lambda role, t: code_proof(b"s" * 16, role, t)):
        said = {make(role, t) for role in ("coordinator", "joiner") for t in (seen, other)}
        assert len(said) == 4


def test_a_codes_proof_needs_its_secret():
    seen = transcript(*SEEN)
    ours = code_proof(b"s" * 16, "joiner", seen)
    assert same_proof(ours, code_proof(b"s" * 16, "joiner", seen))
    assert not same_proof(ours, code_proof(b"t" * 16, "joiner", seen))
    assert len(ours) == 32


def test_the_proof_is_hkdf_then_hmac_as_others_compute_it():
    secret, seen = b"s" * 16, transcript(*SEEN)
    extracted = hmac.digest(bytes(32), secret, "sha256")
    key = hmac.digest(extracted, b"pooltrust join code\x01", "sha256")
    said = (6).to_bytes(8, "big") + b"joiner" + seen
    assert code_proof(secret, "joiner", seen) == hmac.digest(key, said, "sha256")


def test_a_request_counts_for_one_pool_host_certificate_and_predecessor():
    one, two = (pool_identity(B, n).certificate for n in (1, 2))
    said = {
        certificate_request(pool, host, new.der, old.thumbprint)
        for pool, host, new, old in itertools.product(
            ("a" * 64, "b" * 64), (B, C), (one, two), (one, two)
        )
    }
    assert len(said) == 16
