"""What is measured of a simulated pool at one moment, each under the name that the tables show.

Whole times are of one run where one run is long; short things are done until half a second is over
and the median counts.  Nothing here knows what came before: growth.py puts moments side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.scale import thinking
from bench.scale.simulated import Simulated, Spent
from bench.scale.sizes import resident, size
from bench.scale.timing import seconds, timed
from pooltrust.trust.log import NOTHING_LOCAL, Adopted, Log, adopt
from pooltrust.trust.log.chain import RECENT, STRIDE
from pooltrust.trust.roster import Roster

MOST_PAIRS = 300
"""Hosts up to which enabling is thought through: a million pairs are a gigabyte of pictures."""


@dataclass(frozen=True)
class Figure:
    """One value, in the unit that its name gives."""

    name: str
    value: float


def figures(pool: Simulated, earlier: Log) -> Iterator[Figure]:
    """Everything, of this pool as it is; `earlier` is its log of some changes ago."""
    yield Figure("entries in the log", pool.log.head_number)
    yield Figure("this process: MB in memory", resident() / 1e6)  # before it verifies another copy
    yield from _changing(list(pool.spent.values()))
    yield from _catching_up(pool.log, earlier)
    yield from _starting(pool)
    yield from _holding(pool)
    yield from _looking_back(pool)
    yield from _thinking(pool)


def _changing(spent: list[Spent]) -> Iterator[Figure]:
    entries = sum(one.entries for one in spent)
    yield Figure("one entry: sign, µs", sum(one.signing for one in spent) / entries * 1e6)
    yield Figure("one entry: check and fold, µs", sum(one.folding for one in spent) / entries * 1e6)
    yield Figure("one entry: bytes of log", sum(one.bytes for one in spent) / entries)


def _catching_up(log: Log, earlier: Log) -> Iterator[Figure]:
    missed = log.tail(earlier.head_number)
    took, outcome = timed(lambda: adopt(earlier, missed, local=NOTHING_LOCAL))
    if not isinstance(outcome, Adopted) or outcome.log.head_hash != log.head_hash:
        raise RuntimeError(f"a member did not catch up: {outcome}")
    yield Figure("catch up: one missed entry, µs", took / len(missed) * 1e6)


def _starting(pool: Simulated) -> Iterator[Figure]:
    entries = pool.log.entries
    took, log = timed(lambda: Log.verify(entries))
    yield Figure("start: verify the whole log, s", took)
    before = pool.log
    pool.checkpoint()
    live = pool.log.from_checkpoint(pool.log.head_number)
    pool.log = before
    snapshot = log.roster.snapshot()
    took = seconds(lambda: Log.verify(live.entries, base=Roster.restore(snapshot)))
    yield Figure("start: from a checkpoint, ms", took * 1e3)


def _holding(pool: Simulated) -> Iterator[Figure]:
    roster = pool.log.roster
    yield Figure("roster: bytes of its snapshot", len(roster.snapshot()))
    yield Figure("roster: objects in memory", size(roster).objects)
    yield Figure("roster: snapshot and fingerprint, ms", seconds(roster.fingerprint) * 1e3)
    yield Figure("log: MB on disk", sum(len(signed.line()) for signed in pool.log.entries) / 1e6)
    yield Figure("log: rosters of the past at hand", len(pool.log._kept))


def _looking_back(pool: Simulated) -> Iterator[Figure]:
    log = pool.log
    last = log.head_number - RECENT - 1
    number = max(1, min(last, last // STRIDE * STRIDE - 1 if last >= STRIDE else last))
    yield Figure("look back: the worst roster, ms", timed(lambda: log.roster_at(number))[0] * 1e3)
    if pool.gone is not None:
        gone = pool.gone.certificate
        yield Figure("what a lost host may hear, ms", seconds(lambda: log.story_of(gone)) * 1e3)


def _thinking(pool: Simulated) -> Iterator[Figure]:
    refresh = thinking.of_a_refresh(pool)
    yield Figure("refresh of a host: all thinking, ms", refresh.whole * 1e3)
    yield Figure("refresh of a host: its steps", refresh.steps)
    if len(pool.keys) <= MOST_PAIRS:
        enabling = thinking.of_enabling(pool)
        yield Figure("enabling: all thinking, ms", enabling.whole * 1e3)
        yield Figure("enabling: its steps", enabling.steps)
