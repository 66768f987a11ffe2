"""What a story of the model is about, and what is done next in it, each drawn as one number."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from pooltrust.pool.plan.plan import Kind

from ..fakes.hands import Fate


@dataclass(frozen=True)
class Story:
    """What administrators mostly do, and what else happens; an order and a mishap by number."""

    verification: bool
    """Whether the pool verifies from the beginning."""
    orders: tuple[Kind, ...]
    mishaps: tuple[str, ...]


REFRESH, EJECT, HAND_OVER = Kind.CERT_REFRESH, Kind.EJECT, Kind.DESIGNATE_NEW_MASTER
ENABLE = Kind.TLS_VERIFICATION_ENABLE
STORIES = {
    "identities": Story(
        True,
        (*[REFRESH] * 5, EJECT, HAND_OVER),
        (*["abandon"] * 4, "lose journal", "lose journal", "mend", "take over", "take over"),
    ),
    "members": Story(
        True,
        (EJECT, EJECT, HAND_OVER, REFRESH),
        ("abandon", "lose journal", "mend", *["take over"] * 4, "admit", "admit"),
    ),
    "verification": Story(
        False,
        (*[ENABLE] * 3, EJECT, REFRESH),
        ("abandon", "lose journal", "take over", "take over", "switch", "switch"),
    ),
    "alone": Story(
        True,
        (REFRESH, REFRESH, EJECT, HAND_OVER),
        (*["seize"] * 3, *["follow"] * 3, "take over", "abandon", "lose journal", "mend", "admit"),
    ),
}


@dataclass(frozen=True)
class Work:
    """What is ordered now, if anything; so many steps; then another one, with this fate."""

    order: int | None
    host: int
    steps: int
    pick: int
    fate: Fate

    @classmethod
    def number(cls, number: int) -> Work:
        """One of all: drawing a single number is what makes a story cheap to tell."""
        number, order = divmod(number, 2 * ORDERS)
        number, host = divmod(number, 5)
        number, steps = divmod(number, len(STEPS))
        pick, fate = divmod(number, len(FATES))
        return cls(order if order < ORDERS else None, host, STEPS[steps], pick, FATES[fate])


ORDERS, PICKS = 15, 20
STEPS = (0, 0, 1, 2, 4, 8, 16)
FATES = (Fate.DONE, Fate.LATE, *Fate)
THEN = st.integers(0, 2 * ORDERS * 5 * len(STEPS) * PICKS * len(FATES) - 1).map(Work.number)
