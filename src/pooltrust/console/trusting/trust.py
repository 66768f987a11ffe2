"""The console's one trust decision: every connection of it to any host is dialled here.

A place that is known is dialled as the holder of its certificate; one that is not is looked at,
told nothing, and shown to a person.  What a person or a trusted coordinator says is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pooltrust.console.trusting.hearsay import believable
from pooltrust.console.trusting.known import Known, KnownServers, load, read_known, stamp, store
from pooltrust.errors import CannotVerify
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import Thumbprint
from pooltrust.tls.dial import Connection, dial
from pooltrust.trust.expect import Anyone, Pinned

LEARNED = "told by its pool over a verified connection"


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


class Stranger(Exception):
    """Nobody is known at this place; `met` was looked at and told nothing.

    `known`: who is known by that certificate elsewhere.
    """

    def __init__(self, met: Certificate, known: Known | None = None) -> None:
        super().__init__(str(met.thumbprint))
        self.met = met
        self.known = known


class Changed(Exception):
    """At this place `old` is known, and somebody else was met; nothing was told."""

    def __init__(self, old: Known, met: Certificate) -> None:
        super().__init__(str(met.thumbprint))
        self.old = old
        self.met = met


class Trust:
    """Whom the console believes: from its file, and for this run."""

    def __init__(self, file: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._file = file
        self._now = now
        self._known = load(file)
        self._brief = KnownServers()
        self._said: dict[str, Thumbprint] = {}
        self._seen: dict[str, Certificate] = {}

    @property
    def known(self) -> KnownServers:
        """Who is known now, from the file."""
        return self._known

    def at(self, place: str) -> Known | None:
        """Who is believed at this place."""
        return self._brief.at(place) or self._known.at(place)

    def is_kept(self, place: str, met: str) -> bool:
        """Whether the one who was met there is remembered beyond this run, as such."""
        if self._brief.at(place) is not None or place in self._said:
            return False
        known = self._known.at(place) or self._known.holding(Thumbprint.parse(met))
        return known is not None and known.thumbprint == met

    def source_of(self, place: str, met: str) -> str:
        """For whose hosts the one who was met there can speak."""
        known = self.at(place) or self._holding(Thumbprint.parse(met))
        return known.lineage if known else met

    def _holding(self, thumbprint: Thumbprint) -> Known | None:
        return self._brief.holding(thumbprint) or self._known.holding(thumbprint)

    def known_of(self, host: str) -> Iterator[Known]:
        """What is known of a host, by its UUID."""
        entries = (*self._brief.entries, *self._known.entries)
        return (one for one in entries if one.host == host)

    def members_of(self, pool: str) -> list[Known]:
        """The hosts of a pool, as they are believed now."""
        found = {one.host: one for one in (*self._known.of(pool), *self._brief.of(pool))}
        return list(found.values())

    async def dial(self, address: str, port: int, sent_by: str = "") -> Connection:
        """A connection to whom is believed there; `sent_by`: the source that named the address.

        Raises Stranger and Changed, with whom it met; CannotConnect, CannotVerify.
        """
        place = place_of(address, port)
        known = self.at(place)
        accepted = self._said.get(place)
        if accepted is None and known is None:
            met = await self._look(address, port)
            known = self._holding(met.thumbprint)
            # A known host by another of its names, if its own pool says so.  A person who typed
            # this name may have meant another one, and typed that one's password.
            if known is None or known.lineage != sent_by:
                raise Stranger(met, known)
        expected = accepted or Thumbprint.parse(known.thumbprint if known else "")
        try:
            connection = await dial(address, port, expect=Pinned(expected), name=_name(address))
        except CannotVerify as why:
            met = await self._look(address, port)
            if met.thumbprint == expected:
                raise  # it shows now one and now another
            self._said.pop(place, None)
            raise (Changed(known, met) if known else Stranger(met)) from why
        self._seen[str(expected)] = connection.met
        return connection

    async def _look(self, address: str, port: int) -> Certificate:
        """Whom one meets there: nothing is sent, and the connection is closed."""
        look = Anyone(because="a first look, to be shown to a person")
        connection = await dial(address, port, expect=look, name=_name(address))
        connection.writer.transport.abort()
        return connection.met

    def accept(self, place: str, thumbprint: Thumbprint) -> None:
        """A person said to believe this certificate at this place."""
        self._said[place] = thumbprint

    def hear(self, told: Iterable[Known], place: str, met: str, *, keep: bool) -> None:
        """Believe what the one who was met there tells of hosts, as far as it can speak for them.

        Raises BadKnownServers.
        """
        everybody = (*self._brief.entries, *self._known.entries)
        source = self.source_of(place, met)
        self.learn(believable(told, everybody, self._said, source), keep=keep)

    def learn(self, hosts: Iterable[Known], *, keep: bool) -> None:
        """Believe these hosts by their certificates; `keep` them in the file too.

        Raises BadKnownServers; then what was known before still is.
        """
        hosts = [self._whole(host) for host in hosts]
        base = self._known if keep else self._brief
        known = base
        for host in hosts:
            known = known.learned(host)
        if known != base:
            if keep:
                store(self._file, known)
                self._known = known
            else:
                self._brief = known
        if keep:
            self._brief = self._brief.forgotten(host.host for host in hosts)
        for place in (place for host in hosts for place in host.places):
            self._said.pop(place, None)

    def _whole(self, host: Known) -> Known:
        """With its certificate, if that was seen."""
        seen = self._seen.get(host.thumbprint)
        return replace(host, certificate=seen.pem()) if seen else host

    def forget(self, hosts: Iterable[str]) -> None:
        """Know these hosts no more.  Raises BadKnownServers."""
        gone = list(hosts)
        known = self._known.forgotten(gone)
        store(self._file, known)
        self._known = known
        self._brief = self._brief.forgotten(gone)

    def take_in(self, data: bytes) -> int:
        """Import known servers; returns how many are known then.  Raises BadKnownServers."""
        self.learn(read_known(data, "the import").entries, keep=True)
        return len(self._known.entries)

    def stamp(self) -> str:
        """The time as it is kept with a known server."""
        return stamp(self._now())


def place_of(address: str, port: int) -> str:
    """How a place is called."""
    return f"{address.lower()}:{port}"


def _name(address: str) -> str | None:
    """The TLS server name to ask for: none for an address."""
    return None if address.replace(".", "").isdigit() or ":" in address else address
