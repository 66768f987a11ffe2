"""The console's one trust decision: every connection of it to any host is dialled here.

A place that is known is dialled as the holder of its certificate, or by its name where it is an
authority that is believed.  One that is not known is looked at, told nothing, and shown to a
person, unless an authority of this console vouches for the very name.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from pooltrust.console.trusting.book import Book
from pooltrust.console.trusting.known import Known
from pooltrust.console.trusting.shown import before_of
from pooltrust.console.trusting.vouching import (
    At,
    Proof,
    exactly,
    follows,
    issuer_shown,
    kept_issuer,
    provable,
    prove,
    vouched,
)
from pooltrust.errors import CannotVerify
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import Thumbprint
from pooltrust.tls.dial import Connection, dial
from pooltrust.trust.expect import Anyone, Pinned


class Stranger(Exception):
    """Nobody is believed at this place; `met` was looked at and told nothing.

    `known`: who is known by that certificate, or at this place by the word of a pool alone.
    `unvouched`: why no authority of this console vouches for it, if it has any.
    """

    def __init__(self, met: Certificate, known: Known | None = None, unvouched: str = "") -> None:
        super().__init__(str(met.thumbprint))
        self.met = met
        self.known = known
        self.unvouched = unvouched


class Changed(Exception):
    """At this place `old` is known, and somebody else was met; nothing was told."""

    def __init__(self, old: Known, met: Certificate, proof: Proof | None = None) -> None:
        super().__init__(str(met.thumbprint))
        self.old = old
        self.met = met
        self.proof = proof


class Trust(Book):
    """Whom the console believes, and the connections to them."""

    async def dial(
        self, address: str, port: int, *, sent_by: str = "", typed: bool = False
    ) -> Connection:
        """A connection to whom is believed there.

        `sent_by`: the source that named the address.  `typed`: a person did, with the password
        that is about to be sent; what a pool told of that address is no reason to send it there.

        Raises Stranger and Changed, with whom it met; CannotConnect, CannotVerify.
        """
        at, place = (address, port), place_of(address, port)
        known, accepted = self.at(place), self._said.get(place)
        if accepted is not None:
            return await self._pinned(at, accepted, known)
        if known is None:
            return await self._first(at, sent_by)
        if known.by_authority:
            connection = await self._by_name(at, known)
        else:
            connection = await self._pinned(at, Thumbprint.parse(known.thumbprint), known)
        if typed and place not in known.judged and not await self._is_vouched(at, connection.met):
            connection.writer.transport.abort()
            raise Stranger(connection.met, known)
        return connection

    async def _first(self, at: At, sent_by: str) -> Connection:
        """Nobody is known there."""
        met = await self._look(at)
        holders = self.holders(met.thumbprint)
        told = self._sent.get(place_of(*at)) == (str(met.thumbprint), sent_by)
        if sent_by and (told or any(one.lineage == sent_by for one in holders)):
            # A host of that pool, as its supporter says, or a known one by another of its names.  A
            # person who typed this name may have meant another one, and typed that one's password.
            self._sources[place_of(*at), str(met.thumbprint)] = sent_by
            return await self._pinned(at, met.thumbprint, None)
        known = holders[0] if holders else None
        if not self.authorities.certificates:
            raise Stranger(met, known)
        try:
            connection = await vouched(at, at[0], self.authorities)
        except CannotVerify as why:
            words = f"No authority of this console vouches for it: {why.reason}."
            raise Stranger(met, known, words) from why
        if not self._taken(at, at[0], connection):
            connection.writer.transport.abort()
            words = f"An authority of this console signed it, but not for the very name {at[0]}."
            raise Stranger(met, known, words)
        return connection

    def _taken(self, at: At, name: str, connection: Connection) -> bool:
        """Take the word of the authority that this connection was verified by, if it is exact."""
        if not exactly(connection.met, name):
            return False
        met = str(connection.met.thumbprint)
        self._vouched[place_of(*at), met] = connection.verified()[-1], name
        self._note(connection)
        return True

    async def _is_vouched(self, at: At, met: Certificate) -> bool:
        proof = await prove(at, at[0], met, self.authorities.certificates, given=True)
        if proof is not None:
            self._vouched[place_of(*at), str(met.thumbprint)] = proof.anchor, at[0]
        return proof is not None

    async def _by_name(self, at: At, known: Known) -> Connection:
        """Whoever its authority vouches for by its name, as long as it can be the same server."""
        authority = self.authorities.named(known.authority)
        before = before_of(known)
        name = provable(before, at[0]) if before else ""
        if authority is not None and before is not None and name:
            with suppress(CannotVerify):
                connection = await vouched(at, name, [authority])
                if self._follows(at, name, before, connection):
                    self._renewed(at, known, connection.met)
                    return connection
                connection.writer.transport.abort()
        met = await self._look(at)
        if str(met.thumbprint) == known.thumbprint:
            raise Stranger(met, known, _no_more(authority))
        raise await self._changed(at, known, met)

    def _follows(self, at: At, name: str, before: Certificate, connection: Connection) -> bool:
        met = connection.met
        return (met == before or follows(before, met)) and self._taken(at, name, connection)

    def _renewed(self, at: At, known: Known, met: Certificate) -> None:
        """Know it by its new certificate, if it is one."""
        place, thumbprint = place_of(*at), str(met.thumbprint)
        if thumbprint != known.thumbprint:
            how = f"renewed by the same authority: {self.vouched_for(place, thumbprint)}"
            new = replace(known, thumbprint=thumbprint, how=how, last_seen=self.stamp())
            self.learn([new], keep=self._brief.at(place) is None)

    async def _pinned(self, at: At, expected: Thumbprint, known: Known | None) -> Connection:
        """The holder of this certificate."""
        try:
            connection = await dial(*at, expect=Pinned(expected), name=_name(at[0]))
        except CannotVerify as why:
            met = await self._look(at)
            if met.thumbprint == expected:
                raise  # it shows now one and now another
            self._said.pop(place_of(*at), None)
            if known is None:
                raise Stranger(met) from why
            if known.authority:
                return await self._by_name(at, known)
            raise (await self._changed(at, known, met)) from why
        self._note(connection)
        return connection

    def _note(self, connection: Connection) -> None:
        """Keep what was shown by somebody who is believed: a renewal is compared with it."""
        met = connection.met
        self._seen[str(met.thumbprint)] = met, issuer_shown(connection)

    async def _changed(self, at: At, known: Known, met: Certificate) -> Changed:
        """With the proof that it is the same server, if there is one."""
        before = before_of(known)
        name = provable(before, at[0]) if before else ""
        given, shown = self.authorities.certificates, kept_issuer(known.issuer)
        proof = await prove(at, name, met, given, given=True)
        proof = proof or await prove(at, name, met, shown, given=False)
        return Changed(known, met, proof)

    async def _look(self, at: At) -> Certificate:
        """Whom one meets there: nothing is sent, and the connection is closed."""
        look = Anyone(because="a first look, to be shown to a person")
        connection = await dial(*at, expect=look, name=_name(at[0]))
        connection.writer.transport.abort()
        return connection.met


def _no_more(authority: Certificate | None) -> str:
    """Why the word by which a server was believed is not good any more."""
    if authority is None:
        return "The authority that vouched for it is none of this console any more."
    return f"{authority.subject} vouched for it, and does so no longer: see its dates."


def place_of(address: str, port: int) -> str:
    """How a place is called."""
    return f"{address.lower()}:{port}"


def _name(address: str) -> str | None:
    """The TLS server name to ask for: none for an address."""
    return None if address.replace(".", "").isdigit() or ":" in address else address
