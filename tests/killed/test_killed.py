"""A daemon is killed at every moment of what its pool does, and is started again.

In a soak at every single one, otherwise at some by the seed.  Nobody helps: after each death the
pool is whole by itself, with the change or without it, and without it the change can be ordered
again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import soak
from nemesis.quiet import settled

from .acts import EJECT, ENABLE, HANDOVER, JOIN, OWN, REFRESH, TAKEOVER, Act
from .stage import Moment, Mortals, mortals


@pytest.fixture(scope="module")
def verified() -> Iterator[Mortals]:
    """Four hosts, one pool at first.  Each act begins by making of it what it needs."""
    with mortals(4) as pool:
        pool.join("h2", "h3", "h4")
        yield pool


@pytest.fixture
def unverified() -> Iterator[Mortals]:
    """A pool of three in which verification was never on."""
    with mortals(3, off=["h1", "h2", "h3"]) as pool:
        pool.join("h2", "h3")
        pool.keep()
        yield pool


@pytest.mark.parametrize(
    "act", [JOIN, REFRESH, OWN, EJECT, HANDOVER, TAKEOVER], ids=lambda act: act.name
)
def test_a_pool_survives_every_death(verified: Mortals, act: Act):
    survives(verified, act, 1)


def test_enabling_survives_every_death(unverified: Mortals):
    survives(unverified, ENABLE, 1)


def survives(pool: Mortals, act: Act, count: int) -> None:
    """Have one host die in this act, over and over; so often unless everything is asked for."""
    act.begin(pool)
    seen = pool.moments(lambda: act.do(pool), act.victims)
    assert act.known(pool)
    settled(pool.pool)
    every = [(name, at) for name in act.victims for at in range(1, len(seen[name]) + 1)]
    ends = [survived(pool, act, moment, seen) for moment in soak.sample(every, count, act.name)]
    soak.record(f"killed in {act.name}", f"{len(ends)} of {len(every)} moments")


def survived(pool: Mortals, act: Act, moment: Moment, seen: dict[str, list[str]]) -> str:
    """One death, and what became of it."""
    name, at = moment
    soak.progress(f"{act.name}: {name} dies before {at}, {seen[name][at - 1]}")
    try:
        act.begin(pool)
        end = pool.killed(lambda: act.do(pool), moment)
        happened = act.known(pool)
        soak.progress(f"  {end}; {'it happened' if happened else 'it did not happen'}")
        assert happened or end != "done"
        if happened or not act.leaderless:
            settled(pool.pool)
        pool.agree()
        if not happened:
            act.do(pool)
            assert act.known(pool)
            settled(pool.pool)
    except BaseException:
        pool.tell()
        raise
    return end
