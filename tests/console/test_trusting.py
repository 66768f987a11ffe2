"""Known servers as values, and what is said of a certificate that is not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pooltrust.console.trusting.kept import BadKnownServers, Kept
from pooltrust.console.trusting.known import Known, KnownServers, read_known, written
from pooltrust.console.trusting.shown import Ordered, differences, doubts, verdict
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.mint import KeyKind, mint_server_identity
from pooltrust.terms import Thumbprint
from pooltrust.trust.store.files import unfinished

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def thumbprint(letter: str) -> str:
    return str(Thumbprint.of(letter.encode()))


def known(host: str = "h", letter: str = "a", *places: str, pool: str = "p") -> Known:
    at = places or (f"{host}:443",)
    return Known(pool, host, host, thumbprint(letter), at, "2026-01-01", "2026-01-01", "shown")


def test_a_host_has_one_entry_whatever_it_is_called():
    servers = KnownServers().learned(known("h", "a", "10.0.0.1:443"))
    servers = servers.learned(known("h", "a", "h.example:443"))

    [one] = servers.entries
    assert one.places == ("h.example:443", "10.0.0.1:443")
    assert servers.at("10.0.0.1:443") == servers.at("h.example:443") == one


def test_a_new_certificate_keeps_the_old_ones_thumbprint_beside_it():
    servers = KnownServers().learned(known(letter="a")).learned(known(letter="b"))

    [one] = servers.entries
    assert (one.thumbprint, one.before) == (thumbprint("b"), thumbprint("a"))


def test_an_address_that_another_host_has_now_is_no_longer_the_first_ones():
    servers = KnownServers().learned(known("old", "a", "10.0.0.1:443", "old:443"))
    servers = servers.learned(known("new", "b", "10.0.0.1:443"))

    assert servers.at("10.0.0.1:443").host == "new"  # type: ignore[union-attr]
    assert servers.at("old:443").host == "old"  # type: ignore[union-attr]
    assert [one.places for one in servers.entries if one.host == "old"] == [("old:443",)]


def test_whoever_holds_a_known_key_is_that_host_at_a_new_place_too():
    servers = KnownServers().learned(known(letter="a"))
    assert servers.holding(Thumbprint.of(b"a")) is not None
    assert servers.holding(Thumbprint.of(b"b")) is None


def kept(file: Path) -> Kept[KnownServers]:
    return Kept(file, empty=KnownServers(), read=read_known, written=written)


def test_they_are_kept_for_their_owner_and_read_again(tmp_path: Path):
    file = tmp_path / "new" / "known.json"
    servers = kept(file).change(lambda none: none.learned(known("h1")).learned(known("h2", "b")))

    assert kept(file).now() == servers and kept(tmp_path / "none").now() == KnownServers()
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"servers": [{}]}', b'{"servers": 3}', b'{"servers": [{"places": [1]}]}'],
)
def test_a_file_that_is_none_is_named(data: bytes):
    with pytest.raises(BadKnownServers, match="somewhere"):
        read_known(data, "somewhere")


def test_a_thumbprint_that_is_none_is_refused():
    data = written(KnownServers((replace(known(), thumbprint="AA:BB"),)))
    with pytest.raises(BadKnownServers):
        read_known(data, "somewhere")


def server(name: str = "h1", *, days: int = 3650, begins: datetime = NOW) -> Certificate:
    lifetime = timedelta(days=days)
    return mint_server_identity(
        [name], [], begins, kind=KeyKind.P256, lifetime=lifetime
    ).certificate


@pytest.mark.parametrize(
    "address, at, words",
    [
        ("h1", NOW, "self-signed"),
        ("192.0.2.9", NOW, "not made out to 192.0.2.9"),
        ("h1", NOW + timedelta(days=5000), "It has expired."),
        ("h1", NOW - timedelta(days=50), "It is not valid yet"),
    ],
)
def test_each_doubt_has_its_words(address: str, at: datetime, words: str):
    assert any(words in doubt for doubt in doubts(server(), address, at))


def test_a_name_that_is_covered_is_no_doubt():
    assert not any("not made out" in doubt for doubt in doubts(server(), "H1", NOW))


def met_as(certificate: Certificate) -> Known:
    one = replace(known(), thumbprint=str(certificate.thumbprint))
    return replace(one, certificate=certificate.pem())


def test_what_differs_stands_side_by_side():
    old, new = server("h1"), server("h2")
    rows = {row["field"]: row for row in differences(met_as(old), new, NOW)}

    assert rows["names"] == {"field": "names", "old": "h1", "new": "h2", "same": False}
    assert rows["key"]["same"] and not rows["thumbprint"]["same"]


@pytest.mark.parametrize(
    "kind, words, old, ordered",
    [
        ("hostile", "treat this as hostile", server(), None),
        ("plausible", "expired on", server(days=1, begins=NOW - timedelta(days=9)), None),
        ("expected", "You reset it from here 40 s ago", server(), Ordered("h", "reset", 40.0)),
    ],
)
def test_the_verdict_is_in_words(kind: str, words: str, old: Certificate, ordered: Ordered | None):
    found, said = verdict(met_as(old), server(), ordered, None, NOW)
    assert found == kind and words in said


def test_without_the_old_certificate_a_change_is_hostile():
    assert verdict(known(), server(), None, None, NOW)[0] == "hostile"


def test_a_file_that_another_user_has_prepared_is_not_written_into(tmp_path: Path):
    victim, file = tmp_path / "victim", tmp_path / "known.json"
    victim.write_text("mine")
    file.with_name(unfinished("known.json")).symlink_to(victim)
    kept(file).change(lambda none: none.learned(known()))

    assert victim.read_text() == "mine" and not file.is_symlink()
    file.with_name(unfinished("known.json")).touch(0o666)
    kept(file).change(lambda _: KnownServers())
    assert file.stat().st_mode & 0o777 == 0o600
