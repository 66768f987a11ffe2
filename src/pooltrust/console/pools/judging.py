"""What a person is shown of a certificate that the console does not believe."""

from __future__ import annotations

from dataclasses import asdict

from pooltrust.console.pools.state import Standing, State
from pooltrust.console.trusting.book import utc_now
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.shown import Ordered, differences, doubts, facts, verdict
from pooltrust.console.trusting.trust import Changed, Stranger, place_of


def show_stranger(state: State, why: Stranger, at: tuple[str, int]) -> None:
    """A first meeting: who it is, and why it is not trusted yet."""
    now = utc_now()
    state.settle(Standing.STRANGER, _met_words(state, at))
    state.asked = place_of(*at)
    state.met = facts(why.met, now)
    state.doubts = doubts(why.met, at[0], now, why.unvouched)
    if why.known is not None:
        state.doubts[0] = _known_words(why.known, state.asked, why.unvouched)


def _known_words(known: Known, place: str, unvouched: str) -> str:
    if place in known.places and known.by_authority:
        return f"It shows the certificate that is known of {known.name}.  {unvouched}"
    sent = "it is sent the password that you typed for this one."
    if place in known.places:
        return (
            f"You have not been there yet.  The pool of {known.name} says that this is its host, "
            f"and names this certificate.  Trust it only if you mean that pool: {sent}"
        )
    return (
        f"It shows the certificate of {known.name}, which is known at "
        f"{', '.join(known.places[:3])} ({known.how}).  Trust it only if that is the server you "
        f"mean: {sent}"
    )


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
    state.verdict = verdict(why.old, why.met, ordered, why.proof, now)
