"""What an administrator is shown of each plan before anything is done: everything, and no secret."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Kind
from pooltrust.pool.plan.preview import preview

from ..fakes import minted
from .planned import H1, H2, H3, LOG, NEW, OLD, PLANS, THERE, UNVERIFIED, missing

PICTURES = {"enable": Picture.whole(UNVERIFIED, H1)} | dict.fromkeys(
    ("take over", "take over alone"), missing(H2, H1)
)
SHOWN = {
    "refresh": (["h1", "h2", "h3"], "No connection is closed."),
    "eject": (["h1", "h2", "h3"], "Every connection between h3 and another member is closed."),
    "enable": (["h1", "h2", "h3"], "No connection is closed."),
    "hand over": (["h1", "h2", "h3"], "No connection is closed."),
    "take over": (["h1", "h2", "h3"], "No connection is closed."),
    "take over alone": (["h1", "h2", "h3"], "No connection is closed."),
    "recover": (["h1", "h2", "h3"], "No connection is closed."),
}


def shown(kind: str, picture: Picture | None = None) -> Any:
    """The preview as it goes on the wire."""
    seen = preview(PLANS[kind], picture or PICTURES.get(kind, THERE))
    return json.loads(json.dumps(seen.to_wire()))


@pytest.mark.parametrize("kind", PLANS)
def test_it_says_whom_it_touches_and_what_closes_and_its_phases_in_order(kind: str) -> None:
    said, plan = shown(kind), PLANS[kind]
    hosts, drops = SHOWN[kind]
    assert (hosts, drops) == (said["hosts"], said["drops"])
    assert [phase.name for phase in plan.phases] == [line["name"] for line in said["order"]]
    assert [phase.final for phase in plan.phases] == [line["final"] for line in said["order"]]
    assert all(line["steps"] for line in said["order"])
    assert (str(plan.kind), plan.title) == (said["operation"], said["title"])
    assert said["blockers"] == []


def test_a_refresh_says_how_it_is_taken_back() -> None:
    assert [
        "h1, h2, h3 take in the trust log",
        f"h2 serves certificate {OLD.short}…",
        f"h2 deletes the key of {NEW.short}…",
        f"write into the trust log: certificate {NEW.short}… of h2 is accepted no longer",
        "h1, h2, h3 take in the trust log",
    ] == shown("refresh")["undo"]


def test_who_is_away_is_no_blocker_of_a_refresh_but_comes_later() -> None:
    said = shown("refresh", missing(H1, H3))
    assert (said["blockers"], said["later"]) == ([], ["h3"])


def test_everybody_who_is_away_blocks_enabling_each_with_the_cure() -> None:
    said = shown("enable", missing(H1, H2, H3, log=UNVERIFIED))
    assert [one["host"] for one in said["blockers"]] == [H2, H3]
    assert [one["words"] for one in said["blockers"]] == [
        "h2 does not answer",
        "h3 does not answer",
    ]
    assert all("pooltrust host status" in one["cure"] for one in said["blockers"])


def test_a_host_that_is_lost_blocks_its_own_refresh_and_not_its_ejection() -> None:
    assert [one["host"] for one in shown("refresh", missing(H1, H2))["blockers"]] == [H2]
    said = shown("eject", missing(H1, H3))
    assert (said["blockers"], said["later"]) == ([], ["h3"])


def test_a_takeover_that_too_few_can_endorse_names_the_order_that_needs_none() -> None:
    said = shown("take over", missing(H2, H1, H3))
    assert any("xe pool-emergency-reset-master" in one["cure"] for one in said["blockers"])
    assert shown("take over alone", missing(H2, H1, H3))["blockers"] == []


def bytes_in(record: object) -> Iterator[bytes]:
    """Every text in it, as it is and as what it encodes."""
    match record:
        case dict():
            for value in record.values():
                yield from bytes_in(value)
        case list():
            for value in record:
                yield from bytes_in(value)
        case str():
            yield record.encode()
            with suppress(ValueError):
                yield b64decode(record, validate=True)


@pytest.mark.parametrize("kind", PLANS)
def test_no_private_key_is_in_a_plan_nor_in_what_is_shown_of_it(kind: str) -> None:
    said = [*bytes_in(json.loads(PLANS[kind].to_wire())), *bytes_in(shown(kind))]
    for host in (H1, H2, H3):
        for generation in (1, 2):
            key = minted.identity(host, generation)._key
            assert isinstance(key, EllipticCurvePrivateKey)
            secret = key.private_numbers().private_value.to_bytes(32)
            for spelled in (secret, secret.hex().encode(), b64encode(secret)[:40]):
                assert not any(spelled in one for one in said)


def test_whatever_a_plan_holds_would_be_found_so() -> None:
    said = [*bytes_in(json.loads(PLANS["refresh"].to_wire()))]
    assert any(minted.identity(H2, 2).certificate.der in one for one in said)


def test_one_name_can_be_said_differently_everywhere() -> None:
    seen = preview(PLANS["refresh"], THERE).replacing(f"{NEW.short}…", "a new certificate")
    assert NEW.short not in json.dumps(seen.to_wire())


def test_there_is_a_preview_of_every_kind_of_operation() -> None:
    assert set(Kind) == {plan.kind for plan in PLANS.values()}
    assert LOG.roster.members.keys() == {H1, H2, H3}
