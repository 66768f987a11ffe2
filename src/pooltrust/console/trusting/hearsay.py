"""Whose word counts about which host.

A pool speaks for the hosts that it introduced, and for nobody else: whatever UUIDs and addresses it
claims, another pool's hosts keep their certificates and places.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pooltrust.console.trusting.known import Known
from pooltrust.terms import Thumbprint

MOST_OF_ONE = 2000
"""Hosts that are known by one source's word: more than any pool has."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells: from which place, by which certificate (thumbprint), and for which source."""

    place: str
    met: str
    source: str


def believable(
    told: Iterable[Known], everybody: Sequence[Known], said: Mapping[str, Thumbprint], by: Teller
) -> Iterator[Known]:
    """What may be believed of what is told `by` somebody; `said`: what a person said of places.

    A host of another source is followed to a new name or pool by the same certificate only; and it
    keeps that source, unless a person has just judged this very certificate.
    """
    source = by.source
    count = len({one.host for one in everybody if one.lineage == source})
    for new in told:
        old = [one for one in everybody if one.host == new.host]
        others = [one for one in old if one.lineage != source]
        count += not old
        if any(one.thumbprint != new.thumbprint for one in others) or count > MOST_OF_ONE:
            continue
        places = tuple(place for place in new.places if _free(place, new, everybody, said, by))
        keeps = others and not (source == new.thumbprint and said.keys() & {*places})
        if places:
            yield replace(new, places=places, source=others[0].lineage if keeps else source)


def mutual(
    candidates: Iterable[str], told: Sequence[Known], everybody: Sequence[Known], met: str
) -> str:
    """The source among these to which whoever was `met` belongs, by what it tells; or itself.

    Each of them has told of that certificate, which anybody can.  So it must tell, in turn, of the
    certificate that a person judged of that source, or of a host of it where a person was.
    """
    hosts = {(one.host, one.thumbprint) for one in told}
    shown = {one.thumbprint for one in told} - {met}
    for source in candidates:
        judged = (one for one in everybody if one.lineage == source and one.judged)
        known = {(one.host, one.thumbprint) for one in judged if one.thumbprint != met}
        if source in shown or known & hosts:
            return source
    return met


def _free(
    place: str,
    new: Known,
    everybody: Sequence[Known],
    said: Mapping[str, Thumbprint],
    by: Teller,
) -> bool:
    holders = [one for one in everybody if place in one.places]
    if place in said:
        # What a person said of a place nobody else takes for his own.
        ours = by.source == new.thumbprint or any(one.lineage == by.source for one in holders)
        itself = (place, new.thumbprint) == (by.place, by.met)
        return (itself or ours) and str(said[place]) == new.thumbprint
    return all(one.lineage == by.source for one in holders if one.host != new.host)
