"""Entries: their bounds, their bytes and what is refused when they are read."""

from __future__ import annotations

import dataclasses
import hashlib
from contextlib import suppress

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.trust import canonical
from pooltrust.trust import entries as e
from pooltrust.trust.entry import NotAnEntry, SignedEntry, UnknownKind, sign_entry

from .pools import A, B, Pool, founding, pool_identity

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the P-256 group."""


def turned(signed: SignedEntry) -> SignedEntry:
    """The same entry with the other signature that verifies: (r, n - s)."""
    r, s = decode_dss_signature(signed.signature)
    return SignedEntry(signed.payload, encode_dss_signature(r, ORDER - s))


def with_payload(signed: SignedEntry, **changed) -> SignedEntry:
    said = orjson.loads(signed.payload)
    said.update(changed)
    return SignedEntry(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), signed.signature)


POOL = Pool.found(B)
BODIES = [
    founding(),
    POOL.admitted(A),
    POOL.accepted(B, pool_identity(B, 2)),
    POOL.withdrawn(B, pool_identity(B)),
    POOL.server_changed(B, pool_identity(B)),
    e.AnchorInstalled("ca", "ca", b"der", ("server", "wlb")),
    e.AnchorRemoved(pool_identity(B).certificate.thumbprint),
    e.AddressChanged(B, "10.0.0.1"),
    e.KindsDeclared(B, e.KINDS),
    e.VerificationRequired(),
    e.CoordinatorChanged(B),
    e.TakenOver(B, A),
    e.TakeoverEndorsed("0" * 64, (e.Endorsement(B, b"s"),)),
    e.HostDismissed(B, "lost"),
    e.Checkpoint("0" * 64),
]


def test_every_kind_is_in_this_table():
    assert sorted(body.kind for body in BODIES) == list(e.KINDS)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.kind)
def test_an_entry_is_read_back_from_its_line(body):
    signed = POOL.sign(body, A)
    again = SignedEntry.from_line(signed.line())
    assert again == signed
    assert again.signature == signed.signature
    assert again.entry == signed.entry
    assert again.entry.body == body


def test_the_hash_is_that_of_what_is_signed_and_never_of_the_signature():
    signed = POOL.sign(e.VerificationRequired())
    said = canonical.pae("application/vnd.pooltrust.entry+json", signed.payload)
    assert signed.hash == hashlib.sha256(said).hexdigest()
    assert turned(signed).signature != signed.signature
    assert turned(signed).hash == signed.hash
    assert turned(signed) == signed


OUT_OF_BOUNDS = {
    "name": (e.AnchorInstalled, {"name": "n" * 257}),
    "line break in a name": (e.AnchorInstalled, {"name": "a\nb"}),
    "escape code in a name": (e.AnchorInstalled, {"name": "\x1b[2J"}),
    "right-to-left override": (e.AnchorInstalled, {"name": "a\u202eb"}),
    "der": (e.AnchorInstalled, {"certificate": b"d" * (64 * 1024 + 1)}),
    "no der": (e.AnchorInstalled, {"certificate": b""}),
    "sort": (e.AnchorInstalled, {"sort": "other"}),
    "purposes unsorted": (e.AnchorInstalled, {"purposes": ("b", "a")}),
    "purposes twice": (e.AnchorInstalled, {"purposes": ("a", "a")}),
    "address": (e.AddressChanged, {"address": "a" * 256}),
    "empty address": (e.AddressChanged, {"address": ""}),
    "host in upper case": (e.AddressChanged, {"host": B.upper().replace("0", "A")}),
    "host that is none": (e.AddressChanged, {"host": "h1"}),
    "port 0": (e.Founded, {"port": 0}),
    "port 65536": (e.Founded, {"port": 65536}),
    "port that is true": (e.Founded, {"port": True}),
    "flag that is 1": (e.Founded, {"verification": 1}),
    "kind": (e.KindsDeclared, {"kinds": ("Founded",)}),
    "nonce": (e.HostAdmitted, {"joiner_nonce": b"short"}),
    "met": (e.HostAdmitted, {"met": "luck"}),
    "signature": (e.HostAdmitted, {"signature": b"s" * 1025}),
    "reason": (e.HostDismissed, {"reason": "r" * 1001}),
    "hash": (e.Checkpoint, {"roster": "0" * 63}),
    "chain": (e.ServerIdentityChanged, {"chain": (b"d",) * 9}),
}


@pytest.mark.parametrize(("kind", "changed"), OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS.keys())
def test_what_is_out_of_bounds_can_be_neither_made_nor_read(kind, changed):
    whole = next(body for body in BODIES if type(body) is kind)
    with pytest.raises(ValueError, match=next(iter(changed))):
        dataclasses.replace(whole, **changed)
    record = whole.record()
    for name, value in changed.items():
        record[name] = value.hex() if isinstance(value, bytes) else value
        record[name] = list(value) if isinstance(value, tuple) else record[name]
    if not any(isinstance(item, bytes) for item in changed.get("chain", ())):
        with pytest.raises(ValueError):
            kind.read(record)


SIGNED = POOL.sign(e.AddressChanged(B, "10.0.0.1"))
UNREADABLE = {
    "field more": {"more": 1},
    "format 0": {"format": 0},
    "format text": {"format": "1"},
    "number 0": {"number": 0},
    "number true": {"number": True},
    "pool": {"pool": "x"},
    "pool in upper case": {"pool": "A" * 64},
    "previous": {"previous": None},
    "signer without colons": {"signer": "00" * 32},
    "signer in lower case": {"signer": ":".join(["aa"] * 32)},
    "time of another zone": {"at": "2026-01-02T03:04:05.000000+01:00"},
    "time without zone": {"at": "2026-01-02T03:04:05.000000"},
    "time without fraction": {"at": "2026-01-02T03:04:05Z"},
    "time": {"at": 5},
    "time before the first year in UTC": {"at": "0001-01-01T00:00:00.000000+23:59"},
    "time after the last year in UTC": {"at": "9999-12-31T23:59:59.999999-23:59"},
    "body of another kind": {"kind": "host-dismissed"},
    "body field more": {"body": {"host": B, "address": "x", "more": 1}},
    "body field less": {"body": {"host": B}},
    "body list": {"body": []},
    "kind in upper case": {"kind": "Founded"},
    "alone": {"alone": 0},
}


@pytest.mark.parametrize("changed", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_entry_is_read_strictly(changed):
    with pytest.raises(NotAnEntry) as refusal:
        _ = with_payload(SIGNED, **changed).entry
    assert not isinstance(refusal.value, UnknownKind)


ODD = st.one_of(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    st.sampled_from(["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000000-00:01", "A" * 64]),
    st.builds(
        "{:04}-{:02}-{:02}T{:02}:{:02}:60.{:06}{:+03}:59".format,
        *(st.integers(0, most) for most in (9999, 13, 32, 24, 60, 999999)),
        st.integers(-24, 24),
    ),
    st.datetimes().map(lambda time: time.isoformat()),
    st.lists(st.text(max_size=5), max_size=3) | st.dictionaries(st.text(max_size=5), st.none()),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(BODIES), st.data())
def test_whatever_a_field_holds_only_the_declared_refusal_comes_out(body, data):
    said = orjson.loads(POOL.sign(body, A).payload)
    for _ in range(data.draw(st.integers(1, 2))):
        inside = data.draw(st.booleans()) and isinstance(said["body"], dict) and said["body"]
        where = said["body"] if inside else said
        where[data.draw(st.sampled_from(sorted(where)))] = data.draw(ODD)
    signed = SignedEntry(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), b"s")
    for read in (lambda: signed.envelope, lambda: signed.entry):
        with suppress(NotAnEntry):  # UnknownKind is one
            read()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_entry_are_refused_as_such(data):
    for read in (lambda: SignedEntry(data, b"s").entry, lambda: SignedEntry.from_line(data)):
        with pytest.raises(NotAnEntry):
            read()


@pytest.mark.parametrize("changed", [{"kind": "host-praised"}, {"format": 2}])
def test_a_newer_kind_or_format_is_told_from_garbage(changed):
    newer = with_payload(SIGNED, **changed)
    assert newer.envelope.number == SIGNED.entry.number
    with pytest.raises(UnknownKind):
        _ = newer.entry


@pytest.mark.parametrize("name", ["alone", "at", "body", "by", "call", "format", "kind", "signer"])
def test_no_field_may_be_missing(name):
    said = orjson.loads(SIGNED.payload)
    del said[name]
    with pytest.raises(NotAnEntry):
        _ = SignedEntry(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), b"s").entry


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        SIGNED.line()[:-1],
        SIGNED.line().replace(b"\t", b" "),
        SIGNED.payload + b"\t\n",
        SIGNED.payload + b"\tnot base64\n",
        SIGNED.payload + b"\tYWE\n",
        SIGNED.payload + b"\tYWF=\n",
        SIGNED.payload + b"\t" + b"QUFB" * 400 + b"\n",
        b"[]\tYWFh\n",
        b"{}\tYWFh\n",
        b" " + SIGNED.line(),
        b'"' + b"x" * (256 * 1024) + b'"\tYWFh\n',
        SIGNED.payload + b"\t\xff\xfe\n",
    ],
)
def test_a_bad_line_is_refused(line):
    with pytest.raises(NotAnEntry):
        SignedEntry.from_line(line)


def test_an_entry_is_signed_only_with_the_identity_that_it_names():
    with pytest.raises(ValueError, match="another signer"):
        sign_entry(SIGNED.entry, pool_identity(B))
