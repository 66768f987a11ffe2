"""What a person is shown of a certificate that the console does not believe."""

from __future__ import annotations

from dataclasses import asdict

from pooltrust.console.pools.state import Standing, State
from pooltrust.console.trusting.shown import Ordered, differences, doubts, facts, verdict
from pooltrust.console.trusting.trust import Changed, place_of, utc_now
from pooltrust.pki.certificate import Certificate


def show_stranger(state: State, met: Certificate, at: tuple[str, int]) -> None:
    """A first meeting: who it is, and why it is not trusted yet."""
    now = utc_now()
    state.settle(Standing.STRANGER, _met_words(state, at))
    state.asked = place_of(*at)
    state.met = facts(met, now)
    state.doubts = doubts(met, at[0], now)


def _met_words(state: State, at: tuple[str, int]) -> str:
    if at == (state.address, state.port):
        return "This server was never met from here."
    return (
        f"{state.address} is a supporter and names {at[0]} as its coordinator, which was never met "
        "from here."
    )


def show_changed(state: State, why: Changed, ordered: Ordered | None, at: tuple[str, int]) -> None:
    """Another certificate than before: both, and a verdict in words."""
    now = utc_now()
    state.settle(Standing.CHANGED, "This server shows another certificate than before.")
    state.asked = place_of(*at)
    state.met = facts(why.met, now)
    state.old = asdict(why.old)
    state.differences = differences(why.old, why.met, now)
    state.verdict = verdict(why.old, why.met, ordered, now)
