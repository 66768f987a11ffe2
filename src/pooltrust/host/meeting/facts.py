"""A host's public facts on the wire of a first meeting."""

from __future__ import annotations

from dataclasses import asdict

from pooltrust.errors import Refused, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.pool.join import Facts
from pooltrust.terms import PoolId
from pooltrust.trust.entries import KINDS


@failure("HOST_WAS_EJECTED", cure="It founds its own pool; try again in a minute.")
class Ejected(Refused):
    """This host was ejected from its pool and is no member of any at this moment."""


def own_facts(belief: Belief) -> Facts:
    """What this host says of itself.  Raises Ejected while it has no pool."""
    roster = belief.roster
    me = roster.members.get(belief.me)
    if me is None:
        raise Ejected()
    return Facts(
        host=belief.me,
        name=me.name,
        address=me.address,
        port=roster.port,
        pool=roster.pool,
        verification=roster.verification,
        members=len(roster.members),
        coordinator=roster.coordinator,
        coordinator_address=roster.members[roster.coordinator].address,
        kinds=tuple(sorted(KINDS)),
    )


def facts_content(facts: Facts) -> wire.Frame:
    """Facts as a frame's content."""
    return {**asdict(facts), "kinds": list(facts.kinds)}


def facts(frame: wire.Frame, field: str = "facts") -> Facts:
    """Read facts.  Raises PeerMisspoke."""
    content = frame.get(field)
    if not isinstance(content, dict):
        raise wire.PeerMisspoke(f"{field!r} are no facts")
    return Facts(
        host=wire.host(content, "host"),
        name=wire.text(content, "name", limit=256),
        address=wire.text(content, "address", limit=255),
        port=wire.number(content, "port"),
        pool=PoolId(wire.text(content, "pool", limit=64)),
        verification=wire.flag(content, "verification"),
        members=wire.number(content, "members"),
        coordinator=wire.host(content, "coordinator"),
        coordinator_address=wire.text(content, "coordinator_address", limit=255),
        kinds=wire.texts(content, "kinds"),
    )
