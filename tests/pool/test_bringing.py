"""What a joiner trusted and the pool did not, what both did, and where they disagree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pki.offered.stage import Maker, made, private
from pooltrust.errors import Failure
from pooltrust.pki.certificate import read_pem
from pooltrust.pool.anchors import APPLIANCE, BY_NAME, CA, PINNED
from pooltrust.pool.bringing import (
    Shown,
    ShownList,
    conflicts,
    hidden,
    merged,
    packed,
    shown,
    shown_lists,
)
from pooltrust.pool.join import blockers
from pooltrust.terms import HostId, PoolId
from pooltrust.trust.roster import Anchor, Roster

from .test_join import JOINER, POOL

NOW = datetime(2020, 2, 1, tzinfo=UTC)
ROOT = read_pem(made("root", Maker.named("root").key, ca=True))[0]
OTHER = read_pem(made("other", Maker.named("other").key, ca=True))[0]
LEAF = read_pem(made("leaf", private("p256")))[0]
NAMED = tuple(sorted(BY_NAME))


def roster(*anchors: Anchor) -> Roster:
    made = Roster.empty(PoolId("a" * 64), 443, HostId("h"), verification=True)
    for anchor in anchors:
        made = made.with_anchor(anchor)
    return made


def anchor(name: str = "", sort: str = CA, of: object = ROOT, *purposes: str) -> Anchor:
    return Anchor(name, sort, of, tuple(sorted(purposes)))  # type: ignore[arg-type]


def met(*anchors: Anchor, side: str) -> tuple[Shown, ...]:
    """As the other side is shown them."""
    mine = shown(roster(*anchors), lambda sort, thumbprint: f"{side}:{sort}")
    return tuple(replace(one, name=one.hidden) for one in mine)


def told(joiner: Anchor, pool: Anchor) -> list[list[str]]:
    """The refusals as the joiner, which knows its own names, says them."""
    mine = shown(roster(joiner), lambda sort, thumbprint: f"host:{sort}")
    found = conflicts(mine, met(pool, side="pool"))
    return [[why.code, *why.parameters()] for why in found]


NAMES, TRUSTED = (f"POOL_JOINING_HOST_{one}_CERTIFICATES_CONFLICT" for one in ("CA", "TRUSTED"))


@pytest.mark.parametrize(
    ("joiner", "pool", "expected"),
    [
        (anchor("a.pem", CA, ROOT, *NAMED), anchor("a.pem", CA, ROOT, *NAMED), []),
        (anchor("a.pem", CA, ROOT, *NAMED), anchor("b.pem", CA, ROOT, *NAMED), []),
        (anchor("a.pem", CA, ROOT, *NAMED), anchor("b.pem", CA, OTHER, *NAMED), []),
        (anchor("a.pem", CA, ROOT, *NAMED), anchor("a.pem", CA, OTHER, *NAMED), [[NAMES, "a.pem"]]),
        (anchor("a.pem", CA, ROOT, *NAMED), anchor("", CA, ROOT, "ldaps"), []),
        (anchor("", CA, ROOT, "ldaps"), anchor("", CA, ROOT, "ldaps"), []),
        (anchor("", CA, ROOT, "ldaps"), anchor("", CA, ROOT, "general"), []),
        (
            anchor("", CA, ROOT, "ldaps"),
            anchor("", CA, ROOT, "ldaps", "licensing"),
            [[TRUSTED, "pool:ca", "host:ca"]],
        ),
        (
            anchor("", PINNED, LEAF, "ldaps"),
            anchor("", CA, LEAF, "licensing"),
            [[TRUSTED, "pool:ca", "host:pinned"]],
        ),
    ],
)
def test_the_two_sides_agree_or_say_where_they_do_not(
    joiner: Anchor, pool: Anchor, expected: list[list[str]]
) -> None:
    assert told(joiner, pool) == expected


def test_a_stranger_is_told_no_name_and_no_certificate() -> None:
    (one,) = met(anchor("a.pem", CA, ROOT, *NAMED), side="pool")
    assert one.name == hidden("a.pem") == hidden(hidden("a.pem")) != "a.pem"
    assert one.thumbprint == str(ROOT.thumbprint)
    (list_,) = shown_lists({"a.pem": b"der"})
    assert list_.hidden == hidden("a.pem") and len(list_.content) == 64


def test_a_list_of_one_name_that_says_something_else_is_in_the_way() -> None:
    mine, theirs = shown_lists({"a.pem": b"1", "b.pem": b"2"}), shown_lists({"a.pem": b"3"})
    hid = tuple(ShownList(one.hidden, one.content) for one in theirs)
    (why,) = conflicts((), (), (mine, hid))
    assert [why.code, *why.parameters()] == ["CRL_ALREADY_EXISTS", "a.pem"]
    assert not list(conflicts((), (), (mine, shown_lists({"a.pem": b"1"}))))


def test_all_of_it_is_said_at_once_with_everything_else() -> None:
    joiner = replace(
        JOINER,
        verification=False,
        anchors=shown(
            roster(anchor("a.pem", CA, ROOT, *NAMED), anchor("b.pem", CA, LEAF, *NAMED)),
            lambda sort, thumbprint: sort,
        ),
    )
    there = (anchor("a.pem", CA, OTHER, *NAMED), anchor("b.pem", CA, ROOT, *NAMED))
    pool = replace(POOL, anchors=met(*there, side="pool"))
    found = [[why.code, *why.parameters()] for why in blockers(joiner, pool, frozenset())]
    assert found == [["POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"], [NAMES, "a.pem", "b.pem"]]


def test_what_the_pool_lacked_is_added_and_what_it_had_is_not_written_again() -> None:
    mine = roster(
        anchor("a.pem", CA, ROOT, "ldaps", *NAMED), anchor("", PINNED, LEAF, "ldaps", APPLIANCE)
    )
    brought = packed(mine, {"l.pem": b"der"})
    assert brought.lists == (("l.pem", b"der"),)
    pool = roster(anchor("", CA, ROOT, "licensing"))
    for one in brought.anchors:
        entry = merged(pool, one)
        assert entry is not None
        pool = pool.with_anchor(
            Anchor(entry.name, entry.sort, ROOT if entry.sort == CA else LEAF, entry.purposes)
        )
        assert merged(pool, one) is None
    assert pool.anchors[ROOT.thumbprint].purposes == (APPLIANCE, "client", "ldaps", "licensing")
    assert pool.anchors[ROOT.thumbprint].name == "a.pem"
    # The pin of the appliance of a pool that ends is not brought.
    assert pool.anchors[LEAF.thumbprint].purposes == ("ldaps",)


def test_what_was_installed_meanwhile_stands() -> None:
    (one,) = packed(roster(anchor("a.pem", CA, ROOT, *NAMED)), {}).anchors
    with pytest.raises(Failure) as why:
        merged(roster(anchor("a.pem", CA, OTHER, *NAMED)), one)
    assert why.value.code == NAMES
