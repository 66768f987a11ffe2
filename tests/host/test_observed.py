"""What a host remembers of its TLS conversations: the last of each, bounded, and nothing secret."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from pooltrust.api.sessions import Origin, Principal, Sessions
from pooltrust.errors import CannotConnect, CannotVerify, NotAccepted
from pooltrust.host.peers.wire import PeerRefused
from pooltrust.host.telling.conversations import (
    LONGEST_WORDS,
    Conversation,
    Dialling,
    Outcome,
    Way,
    because,
    refused,
)
from pooltrust.host.telling.observed import MOST_STRANGERS, Observations, Observed
from pooltrust.terms import HostId, Thumbprint
from pooltrust.tls.answer import Refusal
from pooltrust.tls.endpoints import ENDPOINTS, Kind
from pooltrust.tls.reasons import CLIENT_REFUSED, CLIENT_UNKNOWN, UNKNOWN_TO_US, Reason, Side

BEGAN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
H2, H3 = HostId("2" * 8), HostId("3" * 8)
MET = Thumbprint.of(b"met")


class Clock:
    """A second goes by at each look."""

    def __init__(self) -> None:
        self.at = BEGAN

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def seen(peer: str = H2, **more: object) -> Conversation:
    given = {"kind": Kind.MEMBER, "way": Way.ANSWERED, "outcome": Outcome.VERIFIED, **more}
    return Conversation(peer=peer, **given)  # type: ignore[arg-type]


def rows(of: Observations) -> list[Observed]:
    return list(of.rows())


def test_of_each_peer_the_last_is_kept_with_how_many_there_were():
    observed = Observations(Clock())
    for version in ("TLSv1.2", "TLSv1.3"):
        observed.note(seen(tls_version=version))

    [row] = rows(observed)
    assert (row.conversation.tls_version, row.count) == ("TLSv1.3", 2)
    assert row.at - row.first == timedelta(seconds=1) and row.first > observed.since


def test_a_refusal_does_not_hide_what_was_verified_nor_one_way_the_other():
    observed = Observations(Clock())
    observed.note(seen())
    observed.note(seen(outcome=Outcome.REFUSED))
    observed.note(seen(way=Way.DIALLED))

    told = {(row["way"], row["outcome"], row["count"]) for row in observed.told()}
    assert told == {
        ("answered", "verified", "1"), ("answered", "refused", "1"), ("dialled", "verified", "1"),
    }  # fmt: skip


def test_strangers_from_many_addresses_take_places_from_strangers_only():
    observed = Observations(Clock())
    observed.note(seen())
    observed.note(seen("192.0.2.1", kind=Kind.API_CLIENT, outcome=Outcome.LET_IN, says="a script"))
    for n in range(10_000):
        stranger = f"198.51.{n // 250}.{n % 250}"
        for outcome in (Outcome.REFUSED, Outcome.BROKEN, Outcome.UNVERIFIED):
            observed.note(seen(stranger, kind=Kind.API_CLIENT, outcome=outcome))
        observed.note(seen(stranger, outcome=Outcome.REFUSED))

    kept = [row.conversation for row in rows(observed)]
    assert len(kept) == 2 + 4 * MOST_STRANGERS
    assert {one.says for one in kept if one.outcome is Outcome.LET_IN} == {"a script"}
    assert [one.peer for one in kept if one.outcome is Outcome.VERIFIED] == [H2]
    assert {row.forgotten for row in rows(observed)} == {0, 10_000 - MOST_STRANGERS}


def test_a_stranger_that_knocks_again_is_not_the_next_to_go():
    observed = Observations(Clock())
    for n in range(MOST_STRANGERS):
        observed.note(seen(f"198.51.100.{n}", outcome=Outcome.REFUSED))
    observed.note(seen("198.51.100.0", outcome=Outcome.REFUSED))
    observed.note(seen("203.0.113.1", outcome=Outcome.REFUSED))

    peers = {row.conversation.peer for row in rows(observed)}
    assert "198.51.100.0" in peers and "198.51.100.1" not in peers


def test_texts_of_others_are_cut_and_printable():
    observed = Observations(Clock())
    observed.note(seen("a\x1b[2J", says="\u202ex" * 9999, reason="r" * 9999))

    [row] = observed.told()
    assert row["peer"] == "a?[2J" and "\u202e" not in row["says"]
    assert len(row["says"]) < 200 and len(row["reason"]) == LONGEST_WORDS


def test_who_left_the_pool_is_forgotten_and_all_is_in_another_pool():
    observed = Observations(Clock())
    observed.note(seen(H2))
    observed.note(seen(H3))
    joined = {"kind": Kind.JOINER_MEETING, "outcome": Outcome.LET_IN}
    observed.note(seen("192.0.2.2", met=str(MET), **joined))
    observed.left({H2}, {str(MET)})
    assert [row.conversation.peer for row in rows(observed)] == [H3]

    before = observed.since
    observed.forget()
    assert rows(observed) == [] and observed.since > before


def test_a_client_is_called_what_it_calls_itself_and_the_appliance_by_where_it_is():
    observed, sessions = Observations(Clock()), Sessions()
    sessions.opened = observed.logged_in
    away = Origin("192.0.2.7", tls_version="TLSv1.2")
    for who in (
        Principal("root", away, originator="cli"),
        Principal("root", away, originator="pooltrust console"),
        Principal("root", away, originator="somebody's script"),
        Principal("root", Origin("", local=True), originator="on the host itself"),
        Principal("member", away, pool=True),
    ):
        sessions.open(who, who.originator, H2, BEGAN, 0.0)
    balancer = "192.0.2.8"
    at = {"kind": Kind.BALANCING, "way": Way.DIALLED, "address": balancer}
    observed.note(seen(f"{balancer}:8012", **at))
    observed.note(seen(balancer, kind=Kind.API_CLIENT, address=balancer))

    told = {
        row["kind"]: (row["outcome"], row["says"], row["tls_version"]) for row in observed.told()
    }
    assert told == {
        "command line": ("let in", "cli", "TLSv1.2"),
        "console": ("let in", "pooltrust console", "TLSv1.2"),
        "third-party API client": ("let in", "somebody's script", "TLSv1.2"),
        "Workload Balancing": ("verified", "", ""),
        "Workload Balancing, calling in": ("verified", "", ""),
    }


@pytest.mark.parametrize(
    ("outcome", "by", "why"),
    [
        (Outcome.REFUSED, Side.US, CannotVerify("a stranger's", met="x", certificate=MET)),
        (Outcome.REFUSED, Side.PEER, CannotVerify("it wants another", by=Side.PEER)),
        (Outcome.REFUSED, Side.PEER, NotAccepted("unknown to it")),
        (Outcome.REFUSED, Side.PEER, PeerRefused("SSL_VERIFY_ERROR", [], "it said no")),
        (Outcome.BROKEN, Side.NOBODY, CannotVerify("it hung up", by=Side.NOBODY)),
        (Outcome.BROKEN, Side.NOBODY, CannotConnect("192.0.2.1", 443, why="nobody there")),
    ],
)
def test_a_failure_says_which_side_refused_and_why(outcome: Outcome, by: Side, why: Exception):
    ended = because(seen(), why)  # type: ignore[arg-type]

    assert (ended.outcome, ended.by) == (outcome, by)
    assert ended.reason and ended.reason in str(why)


@pytest.mark.parametrize(
    ("name", "reason", "kind", "by"),
    [
        ("pool", UNKNOWN_TO_US, Kind.MEMBER, "this host"),
        ("pool-join", Reason("closed", "it left", by=Side.NOBODY), Kind.JOINER_LOOK, ""),
        (None, CLIENT_UNKNOWN, Kind.CERTIFIED, "this host"),
        (None, Reason("expired", "it has expired"), Kind.CERTIFIED, "this host"),
        ("pool", Reason("expired", "it has expired"), Kind.MEMBER, "this host"),
        (None, CLIENT_REFUSED, Kind.API_CLIENT, "the other side"),
    ],
)
def test_who_did_not_get_in_is_of_the_kind_that_it_asked_for(
    name: str | None, reason: Reason, kind: Kind, by: str
):
    refusal = Refusal(
        "192.0.2.9", name, reason.code, "…", cure=reason.remedy, why=reason.words, by=reason.by
    )
    told = refused(refusal, str(MET))

    assert (told.kind, told.by, told.reason) == (kind, by, reason.words)
    assert told.shown == str(MET) and told.peer == "192.0.2.9"


def test_a_dial_that_fails_is_told_and_raised():
    heard: list[Conversation] = []

    async def nobody() -> None:
        raise CannotConnect("192.0.2.1", 8012, why="nothing listens there")

    dialling = Dialling(heard.append, Kind.BALANCING, "192.0.2.1:8012", "192.0.2.1")
    with pytest.raises(CannotConnect):
        asyncio.run(dialling.told(nobody()))  # type: ignore[arg-type]

    assert [(one.outcome, one.reason) for one in heard] == [
        (Outcome.BROKEN, "nothing listens there")
    ]


def test_there_is_no_place_in_it_for_what_was_said():
    """A new field is a new place for a secret: think before it is added here."""
    assert {each.name for each in fields(Conversation)} == {
        "kind", "way", "peer", "outcome", "address", "says", "met", "shown", "tls_version",
        "expected", "reason", "cure", "by",
    }  # fmt: skip


def test_every_kind_is_in_the_table_once():
    assert [one.kind for one in ENDPOINTS] == list(Kind)
