"""Whom the console believes, from its files and for this run; and who may add to that.

What a person said of a place, what pools tell of their hosts, and the authorities that were given.
No connection is made here: trust.py dials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pooltrust.console.trusting import authorities as a
from pooltrust.console.trusting.hearsay import Teller, believable, mutual
from pooltrust.console.trusting.kept import Kept
from pooltrust.console.trusting.known import Known, KnownServers, read_known, stamp, written
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import Thumbprint


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


class Book:
    """Whom the console believes.  Whatever reads or writes its files raises BadKnownServers."""

    def __init__(self, file: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._kept = Kept(file, empty=KnownServers(), read=read_known, written=written)
        self._given = Kept(
            a.beside(file), empty=a.Authorities(), read=a.read_authorities, written=a.written
        )
        self._brief = KnownServers()
        self._said: dict[str, Thumbprint] = {}
        self._seen: dict[str, tuple[Certificate, Certificate | None]] = {}
        """What was met at somebody who is believed, with its issuer if that was shown."""
        self._vouched: dict[tuple[str, str], tuple[Certificate, str]] = {}
        """Which authority's word was taken for which name, by place and certificate."""
        self._sources: dict[tuple[str, str], str] = {}
        self._sent: dict[str, tuple[str, str]] = {}
        """Which certificate we were told to meet at a place, and by which source."""

    @property
    def known(self) -> KnownServers:
        """Who is known now, from the file."""
        return self._kept.now()

    @property
    def authorities(self) -> a.Authorities:
        """Whose word for a name is believed now."""
        return self._given.now()

    def believe(self, data: bytes) -> tuple[Certificate, ...]:
        """Believe the authorities in this file of PEM or DER.  Raises NoAuthority too."""
        new = a.offered(data, self._now())
        self._given.change(lambda given: given.with_(new))
        return new

    def disbelieve(self, thumbprint: str) -> int:
        """Believe an authority no longer, nor whom it vouched for and those whom they told of.

        Returns how many hosts are forgotten.
        """
        self._given.change(lambda given: given.without(thumbprint))
        gone = self.known.by_word_of(thumbprint) | self._brief.by_word_of(thumbprint)
        self.forget(gone)
        return len(gone)

    def at(self, place: str) -> Known | None:
        """Who is believed at this place."""
        return self._brief.at(place) or self.known.at(place)

    def is_kept(self, place: str, met: str) -> bool:
        """Whether the one who was met there is remembered beyond this run, as such."""
        if self._brief.at(place) is not None or place in self._said:
            return False
        known = self.known.at(place) or self.known.holding(Thumbprint.parse(met))
        return known is not None and known.thumbprint == met

    def source_of(self, place: str, met: str) -> str:
        """For whose hosts the one who was met there can speak, as far as it is known yet."""
        known = self.at(place)
        if known is not None and (place in known.judged or place not in self._said):
            return known.lineage
        return met

    def _source(self, place: str, met: str, told: Sequence[Known]) -> str:
        """The same, knowing what it tells."""
        known = self.at(place)
        if known is not None and (
            place in known.judged or (known.judged and place not in self._said)
        ):
            return known.lineage
        everybody = (*self._brief.entries, *self.known.entries)
        sent = [self._sources[place, met]] if (place, met) in self._sources else []
        claims = [one.lineage for one in self.holders(Thumbprint.parse(met))]
        return mutual([*sent, *claims], told, everybody, met)

    def holders(self, thumbprint: Thumbprint) -> list[Known]:
        """Everyone who is known by this certificate, wherever."""
        text = str(thumbprint)
        everybody = (*self._brief.entries, *self.known.entries)
        return [one for one in everybody if one.thumbprint == text]

    def vouched_for(self, place: str, met: str) -> str:
        """By whose word the one who was met there was believed, in words; empty if by nobody's."""
        return as_issued(*self._vouched[place, met]) if (place, met) in self._vouched else ""

    def send_on(self, place: str, told: str, source: str) -> None:
        """A supporter sends us to this place, and tells (or not) whom to meet there."""
        with suppress(ValueError):
            self._sent[place] = str(Thumbprint.parse(told)), source

    def was_sent(self, place: str, met: str) -> bool:
        """Whether the one who was met there is believed by a supporter's word."""
        return (place, met) in self._sources and self._sent.get(place, ("",))[0] == met

    def known_of(self, host: str) -> Iterator[Known]:
        """What is known of a host, by its UUID."""
        entries = (*self._brief.entries, *self.known.entries)
        return (one for one in entries if one.host == host)

    def members_of(self, pool: str) -> list[Known]:
        """The hosts of a pool, as they are believed now."""
        found = {one.host: one for one in (*self.known.of(pool), *self._brief.of(pool))}
        return list(found.values())

    def accept(self, place: str, thumbprint: Thumbprint) -> None:
        """A person said to believe this certificate at this place."""
        self._said[place] = thumbprint

    def hear(self, told: Iterable[Known], place: str, met: str, *, keep: bool) -> None:
        """Believe what the one who was met there tells of the hosts that it can speak for."""
        told = list(told)
        everybody = (*self._brief.entries, *self.known.entries)
        by = Teller(place, met, self._source(place, met, told))
        self.learn(list(believable(told, everybody, self._said, by)), keep=keep)

    def learn(self, hosts: Iterable[Known], *, keep: bool) -> None:
        """Believe these hosts by their certificates; `keep` them in the file too.

        If they can't be kept, what was known before still is.
        """
        hosts = [self._whole(host) for host in hosts]

        def with_them(known: KnownServers) -> KnownServers:
            for host in hosts:
                known = known.learned(host)
            return known

        if keep:
            self._kept.change(with_them)
            self._brief = self._brief.forgotten(host.host for host in hosts)
        else:
            self._brief = with_them(self._brief)
        for place in (place for host in hosts for place in host.places):
            self._said.pop(place, None)

    def _whole(self, host: Known) -> Known:
        """With its certificate, if that was seen; and who spoke for it beside its pool."""
        if host.thumbprint in self._seen:
            met, issuer = self._seen[host.thumbprint]
            host = replace(host, certificate=met.pem(), issuer=issuer.pem() if issuer else "")
        judged = [one for one in host.places if str(self._said.get(one)) == host.thumbprint]
        if judged:
            return replace(host, judged=tuple(judged))
        vouched = [one for one in host.places if (one, host.thumbprint) in self._vouched]
        if vouched:
            authority = str(self._vouched[vouched[0], host.thumbprint][0].thumbprint)
            host = replace(host, authority=authority, vouched=host.thumbprint)
        return replace(host, judged=(*host.judged, *vouched))

    def forget(self, hosts: Iterable[str]) -> None:
        """Know these hosts no more."""
        gone = list(hosts)
        self._kept.change(lambda known: known.forgotten(gone))
        self._brief = self._brief.forgotten(gone)

    def take_in(self, data: bytes) -> int:
        """Import known servers; returns how many are known then."""
        self.learn(read_known(data, "the import").entries, keep=True)
        return len(self.known.entries)

    def stamp(self) -> str:
        """The time as it is kept with a known server."""
        return stamp(self._now())


def as_issued(authority: Certificate, name: str) -> str:
    """How somebody came to be trusted by an authority's word."""
    return f"as issued by {authority.subject} for {name}"
