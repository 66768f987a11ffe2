"""Whoever is not the expected one is refused, and everybody is told why: by the daemons themselves.

One row is one way in which a meeting goes wrong.  Both sides are judged by their own words, each
naming who was expected, who was met, why that is refused and what to do; and nobody hears more than
a hello.  How bytes and handshakes are refused is tested beside this, in tests/tls.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from daemons import run, running
from pooltrust.host.serving import guard
from tls.stage import client_hello

from . import clumsy, patience, scenes
from .listening import ASKED
from .patience import Scene as Patient
from .scenes import Outcome, Scene, Stage


@dataclass(frozen=True)
class Words:
    """What must be said; names in braces stand for hosts and thumbprints, see `Stage.names`."""

    expected: str
    met: str
    reason: str
    cure: str

    def missing_in(self, text: str, names: dict[str, str]) -> list[str]:
        wanted = (self.expected, self.met, self.reason, self.cure)
        assert all(wanted)
        return [words for each in wanted if (words := each.format_map(names)) not in text]


@pytest.fixture(autouse=True)
def nothing_asked_yet() -> None:
    ASKED.clear()


NOTHING = b""
A_HELLO = object()
THE_USUAL = None
SERVED = ""


@dataclass(frozen=True)
class Row:
    """One case: what the dialler is told, what is in the dialled side's journal, what is heard.

    An impostor has no journal; then it is the dialler's own.
    """

    name: str
    scene: Scene
    told: Words | str | None
    journal: Words | None
    heard: Any = NOTHING


H1, H2, H3 = (f"h{n} ({{h{n}_host}}) with certificate {{h{n}}}" for n in (1, 2, 3))
A_MEMBER = "a member, with a certificate that the roster accepts"


def dialled(name: str, who: str, reason: str, cure: str) -> Row:
    """h2 dials h1 and meets `who`."""
    words = Words(H1, "certificate {" + who + "} (", reason, cure)
    return Row(f"{name}, dialled", scenes.at_the_address_of_h1(who), words, words)


def calling(name: str, who: str) -> Row:
    """Somebody dials h1 as h2, with the identity of `who`."""
    return Row(
        f"{name}, calling",
        scenes.from_h2_with_the_identity_of(who),
        Words(H1, "certificate {h1} (", "it refused our certificate (unknown to it)", "log show"),
        UNKNOWN_FROM_H2,
    )


def not_here(call: str) -> Words:
    """A member's call where nobody has proved to be one."""
    met, cure = f"the call '{call}'", "A member asks under the pool's name"
    return Words("Expected a step of a first meeting", met, "nobody has proved", cure)


UNKNOWN_FROM_H2 = Words(
    f'expected="{A_MEMBER}"',
    'met="127.0.0.2, the address of h2"',
    "unknown certificate: not accepted from any member",
    'cure="If that host was ejected, this is right; else compare: pooltrust log show."',
)
NOT_THIS_ONE = "it names that host, but the roster does not accept this certificate from it"


TABLE = [
    dialled(
        "unknown certificate",
        "stranger",
        "it is the certificate of another host, {stranger_host}",
        "Check which host has that address",
    ),
    calling("unknown certificate", "stranger"),
    dialled("right subject, wrong key", "impostor_of_h1", NOT_THIS_ONE, "compare its thumbprint"),
    calling("right subject, wrong key", "impostor_of_h2"),
    dialled("signed by a member's key", "h1_signed_by_h3", NOT_THIS_ONE, "compare its thumbprint"),
    calling("signed by a member's key", "h2_signed_by_h3"),
    Row(
        "another member where a given one is expected, dialled",
        scenes.h3_at_the_address_of_h1,
        Words(H1, "certificate {h3} (", "certificate of another host, {h3_host}", "Check which"),
        Words(A_MEMBER, "the address of h2", "it closed the connection during", "other side's log"),
    ),
    Row(
        "another member where a given one is expected, calling",
        scenes.saying_hello("h3", claims="h2"),
        Words(H2, "certificate {h3} of h3", "belongs to another member", "Check the identities"),
        Words(H2, "certificate {h3} of h3", "belongs to another member", "Check the identities"),
        A_HELLO,
    ),
    Row(
        "a member that wanted another one",
        scenes.saying_hello("h2", wants="h3"),
        Words("Expected h3 ({h3_host})", "met h1 ({h1_host})", "another host was wanted", "Check"),
        Words("Expected h3 ({h3_host})", "met h1 ({h1_host})", "another host was wanted", "Check"),
        A_HELLO,
    ),
    Row(
        "an ejected member, calling",
        scenes.dismissed,
        Words(H1, "certificate {h1} (", "it refused our certificate", "this host was dismissed"),
        Words(
            A_MEMBER,
            'met="127.0.0.3, the address of no member"',
            "unknown certificate",
            "If that host was ejected, this is right",
        ),
    ),
    Row(
        "an ejected member, dialled",
        scenes.a_dismissed_host_dialled,
        Words("{h3_host}", "did not answer", "it is no member of this pool", "pooltrust host"),
        Words("{h3_host}", "did not answer", "it is no member of this pool", "pooltrust host"),
    ),
    Row(
        "no certificate under the pool's name",
        scenes.saying_hello(None),
        Words(H1, "certificate {h1} (", "requires a certificate and we showed none", "as a member"),
        Words(
            A_MEMBER,
            "127.0.0.9, the address of no member",
            "it gave no certificate",
            "Only members connect under the pool's name",
        ),
    ),
    Row(
        "expired, dialled, alert",
        scenes.refreshed_to("h1_expired", "h2", refuse=False),
        SERVED,
        Words("that is valid", "{h1_expired}", "its certificate expired on", "Renew it there"),
        THE_USUAL,
    ),
    Row(
        "not yet valid, dialled, alert",
        scenes.refreshed_to("h1_early", "h2", refuse=False),
        SERVED,
        Words("that is valid", "{h1_early}", "is not valid before", "Compare the clocks"),
        THE_USUAL,
    ),
    Row(
        "expired, calling, alert",
        scenes.refreshed_to("h1_expired", "h1", refuse=False),
        SERVED,
        Words("that is valid", "{h1_expired}", "its certificate expired on", "Renew it there"),
        THE_USUAL,
    ),
    Row(
        "expired, dialled, refuse",
        scenes.refreshed_to("h1_expired", "h2", refuse=True),
        Words("h1 ({h1_host})", "met certificate {h1_expired}", "expired on", "Renew it there"),
        Words("h1 ({h1_host})", "met certificate {h1_expired}", "expired on", "Renew it there"),
    ),
    Row(
        "not yet valid, dialled, refuse",
        scenes.refreshed_to("h1_early", "h2", refuse=True),
        Words("h1 ({h1_host})", "met certificate {h1_early}", "not valid before", "the clocks"),
        Words("h1 ({h1_host})", "met certificate {h1_early}", "not valid before", "the clocks"),
    ),
    Row(
        "expired, calling, refuse",
        scenes.refreshed_to("h1_expired", "h1", refuse=True),
        Words(H2, "certificate {h2} (", "refused our certificate as expired", "Refresh this host"),
        Words(A_MEMBER, "the address of h1", "its certificate has expired", "Renew it there"),
    ),
    Row(
        "not yet valid, calling, refuse",
        scenes.refreshed_to("h1_early", "h1", refuse=True),
        Words(H2, "certificate {h2} (", "as expired or not yet valid", "compare the clocks"),
        Words(A_MEMBER, "the address of h1", "its certificate is not valid yet", "the clocks"),
    ),
    Row(
        "a dial that lost its server name",
        scenes.lost_server_name,
        Words(H1, "certificate {h1_server} (", "the TLS server name was lost", "no proxy"),
        Words(H1, "certificate {h1_server} (", "the TLS server name was lost", "no proxy"),
    ),
    Row(
        "a member's call under a host's name",
        scenes.saying_hello("h2", name="h1"),
        Words("h1 ({h1_host})", "{h1_server} (", "it answered in HTTP", "under the pool's name"),
        None,
        A_HELLO,
    ),
    Row(
        "a member's call under no name",
        scenes.saying_hello("h2", name=None),
        Words("h1 ({h1_host})", "{h1_server} (", "it answered in HTTP", "under the pool's name"),
        None,
        A_HELLO,
    ),
    *(
        Row(
            f"a member's {call!r} under the name of first meetings",
            clumsy.asking_under_the_join_name(call),
            not_here(call),
            not_here(call),
            THE_USUAL,
        )
        for call in ("adopt", "probe", "api", "records")
    ),
    Row("a ClientHello in several packets", clumsy.cut(clumsy.in_packets), SERVED, None, THE_USUAL),
    Row(
        "a ClientHello in several records and packets",
        clumsy.cut(clumsy.in_records_and_packets),
        SERVED,
        None,
        THE_USUAL,
    ),
    Row(
        "plain HTTP",
        clumsy.sending(b"GET / HTTP/1.1\r\nHost: h1\r\n\r\n"),
        "This port speaks TLS: use https instead of http.",
        Words("a client that speaks TLS", "127.0.0.9", "it sent plain HTTP", "Use https there"),
    ),
    Row(
        "16 MB of noise",
        clumsy.sending(b"", megabytes=16),
        None,
        Words("a client that speaks TLS", "127.0.0.9", "not TLS", "Check the port"),
    ),
    Row(
        "16 MB of noise after half a ClientHello",
        clumsy.sending(client_hello("pool")[:200], megabytes=16),
        None,
        Words(A_MEMBER, "127.0.0.9", "it broke the rules of the TLS handshake", "may alter"),
    ),
]


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_who_is_not_expected_is_refused_in_words(row: Row, stage: Stage) -> None:
    names = dict(stage.names())
    judge(row, run(row.scene(stage)), names)


@dataclass(frozen=True)
class Wait(Row):
    """A row that takes its time: the seconds after which the host has had enough."""

    scene: Patient  # type: ignore[assignment]
    after: float = 0.0


REQUEST_SECONDS = 3.0  # instead of 20


WAITING = [
    Wait(
        "a verified member that never says its hello",
        patience.no_hello,
        SERVED,
        Words(
            "Expected the hello of h2 ({h2_host})",
            "met its certificate {h2}",
            "it did not say its hello: it said nothing for 5 s",
            "Look at that host's log",
        ),
        after=5,
    ),
    Wait(
        "a member that does not answer a hello",
        patience.no_answer_to_hello,
        Words(
            "Host {h3_host} did not answer",
            f"{H3} was met",
            "no hello: it said nothing for 5 s",
            "Check that the host is up",
        ),
        Words("{h3_host}", f"{H3} was met", "no hello: it said nothing for 5 s", "Check that"),
        A_HELLO,
        after=5,
    ),
    Wait(
        "half a ClientHello",
        patience.half_a_client_hello,
        SERVED,
        Words(
            "a client that speaks TLS",
            "met={at}",
            "it did not send a whole ClientHello in time",
            "Check the network to that address",
        ),
        after=5,
    ),
    Wait(
        "a ClientHello, byte by byte",
        patience.a_client_hello_by_drips,
        SERVED,
        Words(
            "a client that speaks TLS",
            "met={at}",
            "it did not send a whole ClientHello in time",
            "Check the network to that address",
        ),
        after=5,
    ),
    Wait(
        "half a handshake",
        patience.half_a_handshake,
        SERVED,
        Words(A_MEMBER, 'met="{at}, the', "was not finished in time", "Check the network"),
        after=10,
    ),
    Wait(
        "the head of a request, byte by byte",
        patience.a_head_by_drips,
        SERVED,
        Words("a whole request within 3 s", "less than one from {at}", "late", "Look for what"),
        THE_USUAL,
        after=REQUEST_SECONDS,
    ),
    Wait(
        "the body of a request, byte by byte",
        patience.a_body_by_drips,
        SERVED,
        Words("a whole request within 3 s", "less than one from {at}", "late", "Look for what"),
        THE_USUAL,
        after=REQUEST_SECONDS,
    ),
]


def test_whoever_holds_a_host_up_is_cut_off_in_time_and_costs_no_cpu(stage: Stage) -> None:
    names, places = dict(stage.names()), [f"127.0.0.{50 + n}" for n in range(len(WAITING))]
    spent = []

    async def all_at_once() -> list[Outcome]:
        async with running(stage.h1):
            playing = [row.scene(stage, at) for row, at in zip(WAITING, places, strict=True)]
            return await asyncio.gather(*playing, watch())

    async def watch() -> None:
        await asyncio.sleep(1)
        before = time.process_time()
        await asyncio.sleep(1.5)
        spent.append(time.process_time() - before)

    with patch.object(guard, "REQUEST_SECONDS", REQUEST_SECONDS):
        *outcomes, _ = run(all_at_once())
    for row, outcome, at in zip(WAITING, outcomes, places, strict=True):
        judge(row, outcome, names | {"at": at})
        assert row.after - 0.5 < outcome.seconds < row.after + 2, row.name
    assert spent[0] < 0.1


def judge(row: Row, outcome: Outcome, names: dict[str, str]) -> None:
    """All columns of one row."""
    said = "\n".join(["", *outcome.journal])
    if isinstance(row.told, Words):
        assert row.told.missing_in(outcome.told, names) == [], outcome.told
    elif row.told is not None:
        assert row.told in outcome.told and (row.told or not outcome.told)
    if row.journal is not None:
        assert any(not row.journal.missing_in(line, names) for line in outcome.journal), said
    if row.heard is A_HELLO:
        assert only_a_hello(outcome.heard), outcome.heard
    elif row.heard is not None:
        assert row.heard == outcome.heard
    if row.heard is not None:  # the other rows speak under the join name on purpose
        assert all(only_a_question(bytes(asked)) for asked in ASKED), ASKED


def frames_of(heard: bytes) -> list[dict[str, Any]]:
    """The whole frames in these bytes."""
    frames = []
    while heard:
        size = int.from_bytes(heard[:4])
        frames.append(orjson.loads(heard[4 : 4 + size]))
        heard = heard[4 + size :]
    return frames


def only_a_question(heard: bytes) -> bool:
    """Whether this asks for log entries, with a certificate and a signature, and says no more."""
    knock = {"call": "knock"}
    return all(
        frame == knock
        or (
            (frame.keys() == {"call", "after", "certificate", "signature"})
            and frame["call"] == "story"
        )
        for frame in frames_of(heard)
    )


def only_a_hello(heard: bytes) -> bool:
    """Whether these are hellos, one or, if it was dialled again, more, and the heads that end
    them."""
    keys = {"hello", "pool", "host", "expect", "nonce", "life"}
    frames = frames_of(heard)
    heads = [frame for frame in frames if frame.keys() == {"head"}]
    hellos = [frame for frame in frames if frame.keys() == keys]
    public = all(frame["life"].keys() == {"instance", "start", "run"} for frame in hellos)
    return public and bool(hellos) and len(heads) <= len(hellos) == len(frames) - len(heads)
