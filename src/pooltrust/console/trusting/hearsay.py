"""Whose word counts about which host.

A pool speaks for the hosts that it introduced, and for nobody else: whatever UUIDs and addresses it
claims, another pool's hosts keep their certificates and places.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pooltrust.console.trusting.known import Known
from pooltrust.terms import Thumbprint


def believable(
    told: Iterable[Known], everybody: Sequence[Known], said: Mapping[str, Thumbprint], source: str
) -> Iterator[Known]:
    """What may be believed of what `source` tells; `said`: what a person said of places.

    A host of another source is followed to a new name or pool by the same certificate only.
    """
    for new in told:
        old = [one for one in everybody if one.host == new.host and one.lineage != source]
        if any(one.thumbprint != new.thumbprint for one in old):
            continue
        places = tuple(place for place in new.places if _free(place, new, everybody, said, source))
        if places:
            yield replace(new, places=places, source=old[0].lineage if old else source)


def _free(
    place: str,
    new: Known,
    everybody: Sequence[Known],
    said: Mapping[str, Thumbprint],
    source: str,
) -> bool:
    if place in said and str(said[place]) != new.thumbprint:
        return False
    holders = [one for one in everybody if place in one.places and one.host != new.host]
    return all(one.lineage == source for one in holders)
