"""One TLS conversation of this host, as a value: with whom, how it ended, and who refused it.

Made of what connections and failures say already: certificates by their thumbprints, words that
are for people.  Nothing that was said inside of the conversation is in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from pooltrust.errors import CannotVerify, Failure, NotAccepted, Unreachable
from pooltrust.host.peers.wire import PeerRefused
from pooltrust.terms import JOIN_NAME, POOL_NAME
from pooltrust.tls.answer import Refusal
from pooltrust.tls.dial import Connection
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.reasons import OF_THE_ONE_SHOWN, Side
from pooltrust.trust.expect import Anyone

LONGEST_WORDS, LONGEST_NAME = 600, 120
"""Characters that are kept of a reason or a cure, and of what the other side calls itself."""


class Way(StrEnum):
    """Who made the connection, as seen from this host."""

    DIALLED = "dialled"
    ANSWERED = "answered"


class Outcome(StrEnum):
    """How a conversation ended.

    `LET_IN`: by a password, a session or a code, not by a certificate.  `UNVERIFIED`: it came about
    and nobody compared a certificate.  `BROKEN`: there was nobody, or TLS did not come about.
    """

    VERIFIED = "verified"
    LET_IN = "let in"
    UNVERIFIED = "not verified"
    REFUSED = "refused"
    BROKEN = "no connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One of them.

    `peer` is the UUID of a member, else an address.  `met` is the thumbprint of the certificate
    that the other side showed, `shown` that of ours; empty means that none was, or that it is not
    known.  `says`: what the other side calls itself, which proves nothing.  `by`: who refused.
    """

    kind: Kind
    way: Way
    peer: str
    outcome: Outcome
    address: str = ""
    says: str = ""
    met: str = ""
    shown: str = ""
    tls_version: str = ""
    expected: str = ""
    reason: str = ""
    cure: str = ""
    by: str = Side.NOBODY

    def bounded(self) -> Conversation:
        """The same with texts of a bounded length, all printable."""
        long: dict[str, Any] = {
            name: _plain(text, most)
            for name, most in _MOST
            if len(text := getattr(self, name)) > most or not text.isprintable()
        }
        return replace(self, **long) if long else self


_MOST = (
    ("peer", LONGEST_NAME),
    ("address", LONGEST_NAME),
    ("says", LONGEST_NAME),
    ("expected", LONGEST_WORDS),
    ("reason", LONGEST_WORDS),
    ("cure", LONGEST_WORDS),
)


Tell: TypeAlias = Callable[[Conversation], None]
"""Is told of each conversation; must not wait and must not raise."""


def unheard(_: Conversation) -> None:
    """For parts that nobody has asked."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """One dial that somebody is told of."""

    tell: Tell
    kind: Kind
    peer: str
    address: str
    shown: str = ""
    expected: str = ""

    async def told(self, dialling: Awaitable[Connection]) -> Connection:
        """Wait for it, and tell how it went.  Raises what it raises."""
        try:
            connection = await dialling
        except Failure as why:
            self.failed(why)
            raise
        self.came(connection)
        return connection

    def came(self, connection: Connection, *, proved: bool = False) -> None:
        """It came about.  Whoever expects nobody has verified nobody, unless it was `proved`."""
        expected = connection.expected
        looking = isinstance(expected, Anyone) and not proved
        self.tell(
            Conversation(
                kind=self.kind,
                way=Way.DIALLED,
                peer=self.peer,
                outcome=Outcome.UNVERIFIED if looking else Outcome.VERIFIED,
                address=self.address,
                says=connection.met.subject,
                met=str(connection.met.thumbprint),
                shown=self.shown,
                tls_version=connection.tls_version,
                expected=self.expected or str(expected),
                reason=expected.because if isinstance(expected, Anyone) and looking else "",
            )
        )

    def failed(self, why: Failure, met: Connection | None = None) -> None:
        """It did not come about, or came to nothing after `met` had been made."""
        seen = Conversation(
            kind=self.kind,
            way=Way.DIALLED,
            peer=self.peer,
            outcome=Outcome.REFUSED,
            address=self.address,
            shown=self.shown,
            says=met.met.subject if met else "",
            met=str(met.met.thumbprint) if met else "",
            tls_version=met.tls_version if met else "",
        )
        self.tell(because(seen, why))


def because(seen: Conversation, why: Failure) -> Conversation:
    """The same, ended by this failure."""
    by = _side(why)
    found = replace(
        seen,
        outcome=Outcome.REFUSED if by else Outcome.BROKEN,
        reason=str(getattr(why, "why", "") or why),
        expected=getattr(why, "expected", "") or seen.expected,
        cure=getattr(why, "remedy", "") or why.cure,
        by=by,
    )
    if isinstance(why, CannotVerify):
        met = str(why.certificate or seen.met)
        version = why.tls_version or seen.tls_version
        says = _subject(why.met) or seen.says
        return replace(found, reason=why.reason, met=met, says=says, tls_version=version)
    return found


def refused(refusal: Refusal, shown: str) -> Conversation:
    """A connection that this host's listener did not let come about."""
    kind = _KINDS.get(refusal.name, Kind.API_CLIENT)
    if refusal.name is None and refusal.reason in OF_THE_ONE_SHOWN:
        kind = Kind.CERTIFIED
    broken = refusal.by is Side.NOBODY
    return Conversation(
        kind=kind,
        way=Way.ANSWERED,
        peer=refusal.address,
        outcome=Outcome.BROKEN if broken else Outcome.REFUSED,
        address=refusal.address,
        shown=shown,
        expected=refusal.expected,
        reason=refusal.why,
        cure=refusal.cure,
        by=refusal.by,
    )


_KINDS: dict[str | None, Kind] = {POOL_NAME: Kind.MEMBER, JOIN_NAME: Kind.JOINER_LOOK}


def _side(why: Failure) -> Side:
    match why:
        case NotAccepted() | PeerRefused():
            return Side.PEER
        case CannotVerify(by=by):
            return Side(by)
        case Unreachable():
            return Side.NOBODY
    return Side.US


def _subject(met: str) -> str:
    """Of the words that say whom a certificate shows, the subject in them."""
    return met.partition(" (")[2].removesuffix(")") if met.startswith("certificate ") else ""


def _plain(text: str, most: int) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:most])
