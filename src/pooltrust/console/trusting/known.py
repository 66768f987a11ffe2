"""The servers that the console knows: which certificate each host of each pool is believed by.

One entry for each host, by the UUIDs of its pool and itself, whatever addresses it is reached by.
A file of JSON, replaced whole; it holds no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from pooltrust.errors import Refused, failure
from pooltrust.terms import Thumbprint
from pooltrust.trust.store import files

MOST_PLACES = 16


@failure("KNOWN_SERVERS_REFUSED")
class BadKnownServers(Refused):
    """The known servers in {file} can't be used: {why}."""

    file: str
    why: str
    remedy: str = "Correct the file, or move it away: then every server is met for the first time."


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

    def learned(self, new: Known) -> KnownServers:
        """With this host, in place of what was known of it; no other keeps its places."""
        old = next((one for one in self.entries if one.host == new.host), None)
        if old is not None:
            new = _merged(old, new)
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
    return replace(
        new,
        places=places,
        first_seen=old.first_seen,
        before=old.thumbprint if changed else old.before,
        how=new.how if changed or old.pool != new.pool else old.how,
        certificate=new.certificate or ("" if changed else old.certificate),
    )


def _without(one: Known, places: Iterable[str]) -> Known:
    gone = set(places)
    if not gone & set(one.places):
        return one
    return replace(one, places=tuple(place for place in one.places if place not in gone))


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
    one = Known(places=places, **{name: str(value) for name, value in fields.items()})
    return replace(one, thumbprint=str(Thumbprint.parse(one.thumbprint)))


def written(known: KnownServers) -> bytes:
    """As JSON, to be kept or exported."""
    records = [asdict(one) for one in known.entries]
    return orjson.dumps({"format": 1, "servers": records}, option=orjson.OPT_INDENT_2) + b"\n"


def load(file: Path) -> KnownServers:
    """What is in this file; nothing if there is none.  Raises BadKnownServers."""
    try:
        return read_known(file.read_bytes(), str(file))
    except FileNotFoundError:
        return KnownServers()
    except OSError as why:
        raise BadKnownServers(str(file), why.strerror or str(why)) from why


def store(file: Path, known: KnownServers) -> None:
    """Keep them in this file.  Raises BadKnownServers."""
    replace_file(file, written(known))


def replace_file(file: Path, data: bytes) -> None:
    """Replace the file; a crash leaves the old one or the new one.  Raises BadKnownServers."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never into a file that is there: in a folder of many it may be another user's.
        files.replace_file(file, data, 0o600)
    except OSError as why:
        raise BadKnownServers(str(file), why.strerror or str(why)) from why


def stamp(now: datetime) -> str:
    """A time as it is kept."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
