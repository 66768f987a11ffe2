"""A host's public facts on the wire of a first meeting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from pooltrust.api.declare.values import named_uuid, ref_of
from pooltrust.errors import Refused, failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.pool.anchors import MOST_ANCHORS
from pooltrust.pool.bringing import Shown, ShownList, shown, shown_lists
from pooltrust.pool.join import Facts
from pooltrust.pool.revocations import MOST_LISTS
from pooltrust.terms import PoolId, Thumbprint
from pooltrust.trust.entries import KINDS


@failure("HOST_WAS_EJECTED", cure="It founds its own pool; try again in a minute.")
class Ejected(Refused):
    """This host was ejected from its pool and is no member of any at this moment."""


def own_facts(belief: Belief, lists: Mapping[str, bytes]) -> Facts:
    """What this host says of itself; `lists` are its revocation lists by name.

    Raises Ejected while it has no pool.
    """
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
        anchors=shown(roster, _reference),
        lists=shown_lists(lists),
    )


def _reference(sort: str, thumbprint: Thumbprint) -> str:
    return ref_of("Certificate", named_uuid("Certificate", sort, "", str(thumbprint)))


def facts_content(facts: Facts) -> wire.Frame:
    """Facts as a frame's content."""
    return {
        **asdict(facts),
        "kinds": list(facts.kinds),
        "anchors": [{**asdict(one), "name": one.hidden} for one in facts.anchors],
        "lists": [{**asdict(one), "name": one.hidden} for one in facts.lists],
    }


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
        anchors=tuple(map(_shown, wire.objects(content, "anchors", most=MOST_ANCHORS))),
        lists=tuple(map(_shown_list, wire.objects(content, "lists", most=MOST_LISTS))),
    )


def _shown(content: wire.Frame) -> Shown:
    return Shown(
        ref=wire.text(content, "ref", limit=64),
        thumbprint=wire.text(content, "thumbprint", limit=128),
        sort=wire.text(content, "sort", limit=16),
        name=wire.text(content, "name", limit=128),
        purposes=wire.texts(content, "purposes", most=16),
    )


def _shown_list(content: wire.Frame) -> ShownList:
    return ShownList(wire.text(content, "name", limit=128), wire.text(content, "content", limit=64))
