"""A roster's snapshot: read strictly, because a joiner takes it from a stranger."""

from __future__ import annotations

import copy
from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooltrust.trust import canonical
from pooltrust.trust import entries as e
from pooltrust.trust.roster import Roster

from .pools import B, C, Pool, pool_identity, server_identity

POOL = Pool.found(B, C)
POOL.append(POOL.accepted(B, pool_identity(B, 2)))
for name in ("one", "two"):
    POOL.append(e.AnchorInstalled(name, "ca", server_identity(name).certificate.der, ()))
SNAPSHOT = POOL.log.roster.snapshot()
SAID = orjson.loads(SNAPSHOT)
FIRST, SECOND, THIRD = SAID["members"]
ONE, TWO = SAID["anchors"]


def test_a_snapshot_gives_back_the_roster():
    assert Roster.restore(SNAPSHOT) == POOL.log.roster


@pytest.mark.parametrize(
    "changed",
    [
        {"members": 5},
        {"members": {}},
        {"members": {"a": FIRST}},
        {"members": [5]},
        {"members": None},
        {"members": []},
        {"members": [SECOND, THIRD]},
        {"members": [FIRST, SECOND, FIRST]},
        {"members": [FIRST, FIRST, SECOND]},
        {"members": [SECOND, FIRST, THIRD]},
        {"members": [FIRST, SECOND | {"certificates": FIRST["certificates"]}]},
        {"members": [FIRST, SECOND | {"certificates": THIRD["certificates"] * 2}]},
        {"members": [FIRST, SECOND | {"certificates": []}]},
        {"members": [FIRST, SECOND | {"certificates": SECOND["certificates"][0]}]},
        {"anchors": 5},
        {"anchors": {}},
        {"anchors": [None]},
        {"anchors": [TWO, ONE]},
        {"anchors": [ONE, ONE]},
        {"standing": []},
        {"standing": SAID["standing"] | {"coordinator": pool_identity(C, 9).certificate.sha1}},
        {"more": 1},
    ],
)
def test_what_no_roster_would_write_is_refused(changed):
    with pytest.raises(ValueError):
        Roster.restore(canonical.encode(SAID | changed))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_of_an_altered_snapshot_only_a_refusal_or_a_sound_roster_comes_out(data):
    said = copy.deepcopy(SAID)
    odd = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
    odd |= st.sampled_from([[], {}, FIRST, [FIRST], ONE, FIRST["certificates"]])
    part = data.draw(st.sampled_from([*said["members"], *said["anchors"], said, said["standing"]]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(odd)
    snapshot = canonical.encode(said)
    with suppress(ValueError):
        roster = Roster.restore(snapshot)
        assert roster.snapshot() == snapshot
        for host in roster.members:
            roster = roster.without_member(host)
