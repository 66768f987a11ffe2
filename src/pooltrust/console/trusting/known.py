"""The servers that the console knows: which certificate each host of each pool is believed by.

One entry for each host, by the UUIDs of its pool and itself, whatever addresses it is reached by.
As JSON, which holds no secret.  Pure; the file is kept.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from pooltrust.console.trusting.kept import BadKnownServers
from pooltrust.terms import Thumbprint

MOST_PLACES = 16
LEARNED = "told by its pool over a verified connection"


@dataclass(frozen=True, slots=True)
class Known:
    """One host, and the certificate that it is believed by.  Times are UTC in ISO 8601."""

    pool: str
    host: str
    name: str
    thumbprint: str
    places: tuple[str, ...]
    """``address:port``, the newest first."""
    first_seen: str
    last_seen: str
    how: str
    """How it came to be trusted, in words."""
    before: str = ""
    """The certificate that it was believed by before, if it changed."""
    certificate: str = ""
    """PEM, if it was ever seen whole: what a changed certificate is compared with."""
    source: str = ""
    """Whose word it is known by: the certificate that a person judged when its pool was met."""
    issuer: str = ""
    """PEM of who issued the certificate, if the host showed it; good for this host alone."""
    authority: str = ""
    """The authority (its thumbprint) by whose word for the name this host is believed."""
    vouched: str = ""
    """The certificate that was believed by that word, and not by another's."""
    judged: tuple[str, ...] = ()
    """The places at which a person, or an authority, spoke for it; of others only its pool did."""

    @property
    def by_authority(self) -> bool:
        """Whether nothing but an authority's word speaks for its certificate."""
        return bool(self.authority) and self.vouched == self.thumbprint

    @property
    def lineage(self) -> str:
        """The source; a file of an earlier release tells none, and its pool stands for it."""
        return self.source or self.pool


@dataclass(frozen=True, slots=True)
class KnownServers:
    """All of them; a change is a new value."""

    entries: tuple[Known, ...] = ()

    def at(self, place: str) -> Known | None:
        """Who was last met at this place, whatever pool it is of now."""
        found = [one for one in self.entries if place in one.places]
        return max(found, key=lambda one: one.last_seen, default=None)

    def holding(self, thumbprint: Thumbprint) -> Known | None:
        """Who is believed by this certificate, wherever it is met."""
        text = str(thumbprint)
        return next((one for one in self.entries if one.thumbprint == text), None)

    def of(self, pool: str) -> Iterator[Known]:
        """The hosts of one pool."""
        return (one for one in self.entries if one.pool == pool)

    def by_word_of(self, authority: str) -> set[str]:
        """The hosts that rest on this authority's word (its thumbprint), or on theirs."""
        by_name = [one for one in self.entries if one.authority == authority]
        sources = {one.lineage for one in by_name}
        told = (one for one in self.entries if one.lineage in sources and not one.judged)
        return {one.host for one in (*by_name, *told)}

    def learned(self, new: Known) -> KnownServers:
        """With this host, in place of what was known of it; no other keeps its places."""
        old = next((one for one in self.entries if one.host == new.host), None)
        if old is not None:
            new = _merged(old, new)
        # A typed place that has moved to another host of its pool is still one that was judged.
        judged = {place for one in self.entries for place in one.judged} | {*new.judged}
        new = replace(new, judged=tuple(place for place in new.places if place in judged))
        others = [_without(one, new.places) for one in self.entries if one.host != new.host]
        kept = [one for one in others if one.places]
        return KnownServers(tuple(sorted([*kept, new], key=lambda one: (one.pool, one.name))))

    def forgotten(self, hosts: Iterable[str]) -> KnownServers:
        """Without these hosts."""
        gone = set(hosts)
        return KnownServers(tuple(one for one in self.entries if one.host not in gone))


def _merged(old: Known, new: Known) -> Known:
    places = tuple(dict.fromkeys([*new.places, *old.places]))[:MOST_PLACES]
    changed = new.thumbprint != old.thumbprint
    # Whoever was believed by a certificate is not believed by a name from now on; and whom a
    # person judged, no longer by one.
    by_name = bool(old.authority) and (not new.judged or bool(new.authority))
    return replace(
        new,
        places=places,
        first_seen=old.first_seen,
        before=old.thumbprint if changed else old.before,
        how=new.how if changed or old.pool != new.pool or new.judged else old.how,
        certificate=new.certificate or ("" if changed else old.certificate),
        issuer=new.issuer or old.issuer,
        authority=old.authority if by_name else "",
        vouched=(new.vouched or old.vouched) if by_name else "",
        judged=(*old.judged, *new.judged),
    )


def _without(one: Known, places: Iterable[str]) -> Known:
    gone = set(places)
    if not gone & set(one.places):
        return one
    left = tuple(place for place in one.places if place not in gone)
    return replace(one, places=left, judged=tuple(place for place in one.judged if place in left))


def read_known(data: bytes, file: str) -> KnownServers:
    """Read `written`.  Raises BadKnownServers, naming the first fault."""
    try:
        records = orjson.loads(data)["servers"]
        return KnownServers(tuple(_read(record) for record in records))
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError) as why:
        raise BadKnownServers(file, f"{type(why).__name__}: {why}") from why


def _read(record: dict[str, Any]) -> Known:
    fields = {name: record[name] for name in Known.__slots__ if name in record}
    places = tuple(str(place) for place in fields.pop("places"))
    # A file of an earlier release does not tell.
    usual = () if fields.get("how") == LEARNED else places
    judged = tuple(str(place) for place in fields.pop("judged", usual))
    texts = {name: str(value) for name, value in fields.items()}
    one = Known(places=places, judged=judged, **texts)
    return replace(one, thumbprint=str(Thumbprint.parse(one.thumbprint)))


def written(known: KnownServers) -> bytes:
    """As JSON, to be kept or exported."""
    records = [asdict(one) for one in known.entries]
    return orjson.dumps({"format": 1, "servers": records}, option=orjson.OPT_INDENT_2) + b"\n"


def stamp(now: datetime) -> str:
    """A time as it is kept."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
