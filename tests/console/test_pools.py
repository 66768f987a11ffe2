"""What the console makes of what a pool tells: its records, its hosts, its history."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pooltrust.console.pools.history import checked
from pooltrust.console.pools.learning import hosts_of
from pooltrust.console.pools.mirror import Mirror
from pooltrust.console.pools.orders import Orders
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.trust import Trust
from pooltrust.console.web.asked import place_typed
from pooltrust.console.web.wishes import checked as wishes
from pooltrust.terms import Thumbprint
from pooltrust.trust.entries import VerificationRequired
from pooltrust.trust.entry import SignedEntry
from trust.pools import B as SECOND
from trust.pools import Pool, pool_identity

NOW = "2026-11-28T12:00:00Z"
A, B = (str(Thumbprint.of(letter)) for letter in (b"a", b"b"))


def event(kind: str, ref: str, operation: str = "add", **snapshot: Any) -> dict[str, Any]:
    told = {"class": kind, "ref": ref, "operation": operation}
    return told if operation == "del" else told | {"snapshot": snapshot}


def pool() -> Mirror:
    mirror = Mirror()
    mirror.take(
        [
            event("pool", "p", uuid="P", master="h1"),
            event("host", "h1", uuid="H1", name_label="one", address="10.0.0.1"),
            event("host", "h2", uuid="H2", name_label="two", address="10.0.0.2"),
            event("certificate", "c1", type="host", host="h1", fingerprint=A),
            event("certificate", "c2", type="host", host="h2", fingerprint=B),
            event("certificate", "c3", type="host_internal", host="h2", fingerprint=A),
        ]
    )
    return mirror


def learned(mirror: Mirror, met: str) -> dict[str, Known]:
    return {one.host: one for one in hosts_of(mirror, met, "alias:443", 443, NOW, "shown")}


def test_members_are_learned_by_what_clients_meet_at_them():
    hosts = learned(pool(), A)

    assert {host: one.thumbprint for host, one in hosts.items()} == {"H1": A, "H2": B}
    assert hosts["H1"].places == ("alias:443", "10.0.0.1:443")
    assert (hosts["H1"].how, hosts["H2"].how) == (
        "shown",
        "told by its pool over a verified connection",
    )


def test_between_two_events_the_newer_certificate_counts():
    mirror = pool()
    mirror.take([event("certificate", "c9", type="host", host="h2", fingerprint=A)])
    assert learned(mirror, B)["H2"].thumbprint == A


def test_an_old_host_that_tells_no_certificate_is_known_by_the_one_that_was_met():
    mirror = pool()
    mirror.take([event("certificate", ref, "del") for ref in ("c1", "c2", "c3")])
    assert {host: one.thumbprint for host, one in learned(mirror, B).items()} == {"H1": B}


def test_only_changes_are_told_and_gone_is_told_once():
    mirror = pool()
    again = event("host", "h1", uuid="H1", name_label="one", address="10.0.0.1")

    assert mirror.take([again]) == []
    assert mirror.take([event("VM", "v", uuid="V")]) == []
    gone = event("host", "h1", "del")
    assert mirror.take([gone, gone]) == [{"class": "host", "ref": "h1", "record": None}]


def test_a_change_that_was_ordered_here_surprises_nobody_and_the_next_one_does(tmp_path: Path):
    trust, orders = Trust(tmp_path / "known.json"), Orders()
    known = learned(pool(), A)["H2"]
    trust.learn([known], keep=True)
    orders.note("host.reset_server_certificate", ["h2"], pool(), trust)
    orders.note("host.get_record", ["h1"], pool(), trust)

    assert orders.any_recent() and orders.of("H1") is None
    ordered = orders.behind(known)
    assert ordered is not None and ordered.what == "reset"
    assert orders.behind(replace(known, thumbprint=A)) is None


@pytest.mark.parametrize(
    "typed, place",
    [
        ("h1", ("h1", 443)),
        (" https://h1.example:8443/ ", ("h1.example", 8443)),
        ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ("2001:db8::1", ("2001:db8::1", 443)),
        ("", None),
        ("h1:99999", None),
        ("h1:0", None),
        ("two words", None),
        ("h1/path", None),
    ],
)
def test_a_server_is_typed_in_several_ways(typed: str, place: tuple[str, int] | None):
    assert place_typed(typed) == place


@pytest.mark.parametrize("said", [[], {"quiet": {}}, {"quiet": [1]}, {"snoozed": {"a": 1}}])
def test_wishes_of_another_form_are_refused(said: Any):
    with pytest.raises(ValueError, match=r".+"):
        wishes(said)


def test_what_is_wished_has_one_form():
    assert wishes({"quiet": ["p"], "other": 1}) == {
        "quiet": ["p"],
        "acknowledged": {},
        "snoozed": {},
    }


def as_told(signed: SignedEntry, **lies: str) -> dict[str, str]:
    """An entry as a host tells it."""
    entry = signed.entry
    facts = {"number": str(entry.number), "hash": signed.hash, "by": entry.by, "kind": entry.kind}
    facts |= {"at": "20260102T03:04:05Z", "call": entry.call, "payload": signed.payload.decode()}
    return facts | {"signature": base64.b64encode(signed.signature).decode()} | lies


def a_history() -> list[dict[str, str]]:
    pool = Pool.found(SECOND, verification=False)
    new = pool_identity(SECOND, 2)
    pool.append(pool.accepted(SECOND, new))
    pool.append(pool.withdrawn(SECOND, pool_identity(SECOND)))
    pool.append(VerificationRequired())
    return [as_told(signed) for signed in pool.log.entries]


def test_a_history_is_told_in_words_and_holds():
    told = checked(a_history())

    assert told["verdict"] == {"holds": True, "words": "", "entries": 5, "from_founding": True}
    words = [one["words"] for one in told["entries"]]
    assert words[0].startswith("h1 founded the pool with ") and "was admitted" in words[1]
    assert words[-1].startswith("Every host verifies whom it dials")


@pytest.mark.parametrize("number", [1, 3, 5])
def test_one_changed_entry_is_found_and_nothing_after_it_holds(number: int):
    told = a_history()
    told[number - 1]["payload"] = told[number - 1]["payload"].replace('"by":"root"', '"by":"eve"')
    shown = checked(told)

    assert (shown["verdict"]["holds"], shown["verdict"]["at"]) == (False, str(number))
    assert [one["holds"] for one in shown["entries"]] == [n < number for n in range(1, 6)]


def test_an_entry_that_is_left_out_is_missed():
    told = a_history()
    del told[2]
    assert checked(told)["verdict"]["at"] == "4"


def test_what_a_host_says_beside_what_was_signed_is_not_shown():
    told = a_history()
    told[1] |= {"by": "eve", "call": "nothing at all", "at": "20990101T00:00:00Z"}
    [_, entry, *_] = checked(told)["entries"]

    assert (entry["by"], entry["call"], entry["at"]) == ("root", "test", "20260102T03:04:05Z")


@pytest.mark.parametrize("lie", [{"payload": "{"}, {"signature": "%"}, {"signature": ""}])
def test_nonsense_in_a_history_is_said(lie: dict[str, str]):
    told = a_history()
    told[1] |= lie
    assert not checked(told)["verdict"]["holds"]


def test_what_is_no_text_where_pages_read_text_becomes_one():
    mirror = Mirror()
    mirror.take([event("host", "h", name_label=None, uuid=3), event("subject", "s", roles="x")])
    assert (
        mirror.objects["host"]["h"] | {"name_label": "", "uuid": "3"} == mirror.objects["host"]["h"]
    )
    assert mirror.objects["subject"]["s"]["roles"] == []


def test_a_pool_that_tells_more_than_any_pool_has_is_not_kept_in_memory(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("pooltrust.console.pools.mirror.MOST_BYTES", 10_000)
    mirror = Mirror()
    for n in range(100):  # one record again and again is no more than one
        mirror.take([event("host", "h", name_label=f"{n}" + "x" * 5000)])
    with pytest.raises(ValueError, match="more than"):
        mirror.take(event("host", f"h{n}", name_label="x" * 500) for n in range(20))


def test_a_record_that_no_stream_could_carry_is_refused():
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(TypeError):
        Mirror().take([event("host", "h", other_config=deep)])
