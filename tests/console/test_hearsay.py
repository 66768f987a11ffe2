"""A pool that the console believes speaks for its own hosts, and can't speak for another's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from machine import find_free_port
from pooltrust.console.trusting import hearsay
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.trust import Stranger, Trust
from pooltrust.terms import Thumbprint

from .simulated import ADDRESS, big_pool

GOOD, EVIL, NEXT = (str(Thumbprint.of(letter)) for letter in (b"good", b"evil", b"next"))
WHEN = "2026-11-28T12:00:00Z"


def host(pool: str, uuid: str, thumbprint: str, *places: str) -> Known:
    return Known(pool, uuid, uuid, thumbprint, places, WHEN, WHEN, "told")


def two_pools(folder: Path) -> Trust:
    """The console believes good at good:443, and evil at evil:443."""
    trust = Trust(folder / "known.json")
    trust.hear([host("G", "g1", GOOD, "good:443")], "good:443", GOOD, keep=True)
    trust.hear([host("E", "e1", EVIL, "evil:443")], "evil:443", EVIL, keep=True)
    return trust


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    "lies",
    [
        [host("E", "e2", EVIL, "good:443")],
        [host("G", "g1", EVIL, "good:443")],
        [host("E", "g1", EVIL, "evil:443")],
        [host("G", "e1", EVIL, "evil:443", "good:443")],
        [host("E", "g1", GOOD, "evil2:443"), host("E", "g1", EVIL, "good:443")],
    ],
)
def test_no_pool_says_whom_to_believe_at_anothers_place(
    tmp_path: Path, lies: list[Known], keep: bool
):
    trust = two_pools(tmp_path)
    for lie in [*lies, *lies]:
        trust.hear([lie], "evil:443", EVIL, keep=keep)
        for told in (trust, Trust(tmp_path / "known.json")):
            good = told.at("good:443")
            assert good is not None and (good.host, good.thumbprint) == ("g1", GOOD)


def test_a_pool_is_believed_about_its_own_hosts(tmp_path: Path):
    trust = two_pools(tmp_path)
    new = [host("G", "g1", NEXT, "good:443"), host("G", "g2", GOOD, "second:443")]
    trust.hear(new, "good:443", GOOD, keep=True)
    found = [trust.at(place) for place in ("good:443", "second:443")]
    assert [one.thumbprint for one in found if one] == [NEXT, GOOD]


def test_a_host_that_joined_is_known_of_its_new_pool_by_the_same_certificate(tmp_path: Path):
    trust = two_pools(tmp_path)
    trust.hear([host("G", "e1", EVIL, "evil:443")], "good:443", GOOD, keep=True)
    assert {one.host for one in trust.members_of("G")} == {"g1", "e1"}


def claimed(folder: Path, *claims: Known) -> Trust:
    """A console that believes evil, which then claims what it likes."""
    trust = Trust(folder / "known.json")
    trust.accept("evil:443", Thumbprint.parse(EVIL))
    trust.hear([host("E", "e1", EVIL, "evil:443")], "evil:443", EVIL, keep=True)
    trust.hear(claims, "evil:443", EVIL, keep=True)
    return trust


@pytest.mark.parametrize("late", [False, True], ids=["before", "while a person judges"])
@pytest.mark.parametrize(
    "claim",
    [
        host("E", "x", GOOD, "good:443"),
        host("E", "g1", GOOD, "good:443"),
        host("E", "g1", GOOD, "elsewhere:443"),
        host("E", "x", GOOD, "elsewhere:443"),
    ],
    ids=["its place", "itself", "its name", "its certificate"],
)
def test_whoever_claims_a_server_before_it_is_met_does_not_speak_for_it_later(
    tmp_path: Path, claim: Known, late: bool
):
    trust = claimed(tmp_path, *([] if late else [claim]))
    trust.accept("good:443", Thumbprint.parse(GOOD))
    if late:
        trust.hear([claim], "evil:443", EVIL, keep=True)
    members = [host("G", "g1", GOOD, "good:443"), host("G", "g2", NEXT, "good2:443")]
    trust.hear(members, "good:443", GOOD, keep=True)

    for lie in (host("G", "g1", EVIL, "good:443"), host("E", "x", EVIL, "good:443")):
        trust.hear([lie, host("G", "g2", EVIL, "good2:443")], "evil:443", EVIL, keep=True)
        good, second = trust.at("good:443"), trust.at("good2:443")
        assert good is not None and (good.host, good.thumbprint) == ("g1", GOOD)
        assert second is not None and second.thumbprint == NEXT
        assert trust.source_of("good:443", GOOD) == GOOD


def test_a_pool_that_sends_the_console_to_another_does_not_speak_for_that_one(tmp_path: Path):
    """With a password that both accept; its own claim of the place comes first."""
    trust = claimed(tmp_path, host("E", "x", GOOD, "good:443"))
    members = [host("G", "g1", GOOD, "good:443"), host("G", "g2", NEXT, "good2:443")]
    trust.hear(members, "good:443", GOOD, keep=True)
    trust.hear([host("G", "g2", EVIL, "good2:443")], "evil:443", EVIL, keep=True)

    second = trust.at("good2:443")
    assert second is not None and (second.thumbprint, second.source) == (NEXT, GOOD)


def test_a_member_that_is_typed_is_of_its_pool_if_each_tells_of_the_other(tmp_path: Path):
    trust = Trust(tmp_path / "known.json")
    trust.accept("good:443", Thumbprint.parse(GOOD))
    members = [host("G", "g1", GOOD, "good:443"), host("G", "g2", NEXT, "good2:443")]
    trust.hear(members, "good:443", GOOD, keep=True)
    trust.accept("good2:443", Thumbprint.parse(NEXT))
    trust.hear(members, "good2:443", NEXT, keep=True)

    assert trust.source_of("good2:443", NEXT) == GOOD
    trust.hear([host("G", "g1", EVIL, "good:443")], "good2:443", NEXT, keep=True)
    at = trust.at("good:443")
    assert at is not None and at.thumbprint == EVIL


def test_a_pool_that_tells_of_hosts_for_ever_fills_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hearsay, "MOST_OF_ONE", 5)
    trust = two_pools(tmp_path)
    for n in range(9):
        trust.hear([host("E", f"e{n}", EVIL, f"e{n}:443")], "evil:443", EVIL, keep=True)
    assert len(trust.known.entries) == 6
    trust.hear([host("E", "e1", NEXT, "evil:443")], "evil:443", EVIL, keep=True)
    at = trust.at("evil:443")
    assert at is not None and at.thumbprint == NEXT


def test_what_a_person_expects_at_a_place_no_pool_says_otherwise(tmp_path: Path):
    trust = two_pools(tmp_path)
    trust.accept("third:443", Thumbprint.parse(GOOD))
    trust.hear([host("E", "e3", EVIL, "third:443")], "evil:443", EVIL, keep=True)
    assert trust.at("third:443") is None


def test_a_changed_certificate_that_is_trusted_once_is_not_remembered(tmp_path: Path):
    trust = two_pools(tmp_path)
    trust.accept("good:443", Thumbprint.parse(NEXT))
    assert trust.is_kept("evil:443", EVIL) and not trust.is_kept("good:443", NEXT)


def test_a_known_certificate_at_a_name_that_was_just_typed_is_shown_first(tmp_path: Path):
    trust = Trust(tmp_path / "known.json")

    async def met(port: int) -> Stranger:
        with pytest.raises(Stranger) as why:
            await trust.dial(ADDRESS, port)
        return why.value

    async def sent(port: int, source: str) -> str:
        connection = await trust.dial(ADDRESS, port, sent_by=source)
        await connection.close()
        return str(connection.met.thumbprint)

    with big_pool(tmp_path) as (pool, where):
        port = int(where.rpartition(":")[2])
        shown = str(asyncio.run(met(port)).met.thumbprint)
        elsewhere = f"elsewhere:{find_free_port(ADDRESS)}"
        trust.hear([host("E", "e1", shown, elsewhere)], elsewhere, shown, keep=True)

        known = asyncio.run(met(port)).known
        assert known is not None and known.host == "e1" and pool.calls == []
        assert asyncio.run(sent(port, shown)) == shown
