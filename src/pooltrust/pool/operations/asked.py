"""Who asked for an operation, and the refusals that several planners share."""

from __future__ import annotations

from dataclasses import dataclass

from pooltrust.errors import OperationNotAllowed
from pooltrust.pool.plan.everyone import AllAdopt
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Phase
from pooltrust.terms import HostId
from pooltrust.trust.roster import Membership

NO_CONNECTIONS = "No connection is closed."


@dataclass(frozen=True, slots=True)
class Asked:
    """The operation's id (a UUID), the user who ordered it and the call: for the audit trail."""

    id: str
    by: str
    call: str


def the_member(picture: Picture, host: HostId) -> Membership:
    """The member of that name.  Raises OperationNotAllowed."""
    member = picture.roster.members.get(host)
    if member is None:
        raise OperationNotAllowed(f"{host} is no member of this pool.")
    return member


def spread(demand: Demand, *needs: HostId, commits: bool = False, name: str = "adopt") -> Phase:
    """The phase in which every member takes in the log.  Two phases of a plan have two names."""
    return Phase(name, (AllAdopt(),), demand, needs, commits=commits)
