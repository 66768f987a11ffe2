"""Taking over from a lost coordinator: endorsed by more than half, or on a local order.

The plan is the taker's own.  Its entry `TakenOver` goes into the log together with the
endorsements that `Collected` gathers; who may endorse what is in trust/takeover.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pooltrust.errors import OperationNotAllowed
from pooltrust.pool.operations.asked import NO_CONNECTIONS, Asked, spread, the_member
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.plan import Demand, Kind, Phase, Plan
from pooltrust.pool.plan.steps import Adopt, Append
from pooltrust.terms import HostId
from pooltrust.trust.entries import Endorsement, TakenOver, TakeoverEndorsed
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.log import Adopted, Local, Log, Outcome, adopt
from pooltrust.trust.roster import Roster
from pooltrust.trust.takeover import behind


def take_over(picture: Picture, asked: Asked, *, alone: bool = False) -> Plan:
    """The plan by which `picture.me` becomes coordinator.

    `alone`: nobody endorses it, and every other host follows only when its administrator orders it;
    what the lost coordinator wrote last may be lost.  Raises OperationNotAllowed.
    """
    me, after = the_member(picture, picture.me), picture.log.head_number
    lost = picture.roster.members[picture.roster.coordinator]
    if lost.host == me.host:
        raise OperationNotAllowed(f"{me.name} is the coordinator already.")
    if picture.known(lost.host).reachable:
        raise OperationNotAllowed(
            f"The coordinator {lost.name} answers.  Ask it instead: xe pool-designate-new-master"
        )
    change = Append(TakenOver(me.host, lost.host), after, alone)
    demand = Demand.NOBODY if alone else Demand.MORE_THAN_HALF
    return Plan(
        id=asked.id,
        kind=Kind.EMERGENCY_TRANSITION,
        subject=me.host,
        after=after,
        phases=(
            Phase("gather", (Adopt(me.host),), Demand.NOBODY, (me.host,)),
            Phase("take over", (change,), demand, final=True),
            spread(Demand.NOBODY),
        ),
        undo=(),
        by=asked.by,
        call=asked.call,
        title=f"the takeover by {me.name}",
        standing=f"{lost.name} is the coordinator until the trust log says otherwise.",
        drops=NO_CONNECTIONS,
    )


def recover(picture: Picture, asked: Asked) -> Plan:
    """The plan by which a new coordinator brings its log to every member that is there.

    Raises OperationNotAllowed on a supporter.
    """
    if picture.me != picture.roster.coordinator:
        raise OperationNotAllowed("This host is not the coordinator.")
    return Plan(
        id=asked.id,
        kind=Kind.RECOVER,
        subject=HostId(""),
        after=picture.log.head_number,
        phases=(spread(Demand.NOBODY),),
        undo=(),
        by=asked.by,
        call=asked.call,
        title="recovering the members",
        standing="Members that were not reached follow when they return.",
        drops=NO_CONNECTIONS,
    )


@dataclass(frozen=True, slots=True)
class Collected:
    """A takeover that is signed and stored, and who endorsed it so far."""

    candidate: SignedEntry
    given: tuple[Endorsement, ...] = ()

    def with_endorsement(self, endorsement: Endorsement) -> Collected:
        """With one more; the same host's again replaces it."""
        others = tuple(one for one in self.given if one.host != endorsement.host)
        return replace(self, given=(*others, endorsement))

    def missing(self, roster: Roster) -> frozenset[HostId]:
        """The members that have not validly endorsed it, the replaced coordinator left out."""
        agreed = behind(roster, self.candidate, self.given)
        return frozenset(roster.members) - agreed - {roster.coordinator}

    def body(self, roster: Roster) -> TakeoverEndorsed | None:
        """The entry to follow the candidate at once; None while too few are behind it.

        `roster` is the one before the candidate.
        """
        agreed = behind(roster, self.candidate, self.given)
        if 2 * len(agreed) <= len(roster.members):
            return None
        good = sorted((one for one in self.given if one.host in agreed), key=lambda one: one.host)
        return TakeoverEndorsed(self.candidate.hash, tuple(good))


def standing_candidate(log: Log, me: HostId, known: Iterable[SignedEntry]) -> SignedEntry | None:
    """The takeover that this host signed before, for what follows its log now.

    `known` are those it stored and those that members hand back when they refuse a second one: a
    member votes once, so a candidate that was forgotten must be found again, not replaced.
    """
    for signed in known:
        said = signed.envelope
        if said.kind == TakenOver.kind and said.previous == log.head_hash:
            body = signed.entry.body
            if isinstance(body, TakenOver) and body.host == me and not signed.entry.alone:
                return signed
    return None


def follow(
    own: Log, offered: tuple[SignedEntry, ...], coordinator: HostId, local: Local
) -> Outcome:
    """What becomes of this host's log when its administrator orders it to follow `coordinator`.

    `offered` is that host's tail.  Raises OperationNotAllowed if it leads to another coordinator.
    """
    if not offered:
        return adopt(own, offered, local=local)
    ordered = local.ordered | {offered[-1].hash}
    outcome = adopt(own, offered, local=replace(local, ordered=ordered))
    if isinstance(outcome, Adopted) and outcome.log.roster.coordinator != coordinator:
        leads = outcome.log.roster.expect(outcome.log.roster.coordinator).name
        raise OperationNotAllowed(f"That host does not coordinate its pool: {leads} does.")
    return outcome
