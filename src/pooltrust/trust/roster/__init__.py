"""The roster: what a host believes of its pool, as the fold of the trust log."""

from pooltrust.trust.roster.fold import ANY_ORDER, fold
from pooltrust.trust.roster.membership import Anchor, Membership, Pending
from pooltrust.trust.roster.roster import Roster

__all__ = ["ANY_ORDER", "Anchor", "Membership", "Pending", "Roster", "fold"]
