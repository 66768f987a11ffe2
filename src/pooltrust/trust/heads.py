"""Heads: what a member says its log ends with, and what follows from the heads of others.

Whether an entry is committed, whether this host is current, whether its coordinator may append,
and whether a host was restored from a copy.  Time comes in as monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Annotated

from pooltrust.pki.identity import Identity
from pooltrust.terms import EntryHash, HostId
from pooltrust.trust import canonical, fields
from pooltrust.trust.canonical import pae
from pooltrust.trust.fields import Recorded
from pooltrust.trust.roster import Roster

PAYLOAD_TYPE = "application/vnd.pooltrust.head+json"
HEAD_LIMIT = 4096
FRESH = 60.0
"""Seconds for which a head counts."""


class BadHead(ValueError):
    """This head does not count; the words say why."""


@dataclass(frozen=True, slots=True)
class Life:
    """One run of a host's daemon: which installation, its how manyth start, and a random word."""

    instance: str
    start: int
    run: str


@dataclass(frozen=True, slots=True)
class Head(Recorded):
    """What one host says its log ends with, in answer to the asker's nonce."""

    pool: fields.Pool
    number: fields.Number
    hash: fields.Hash
    nonce: fields.Nonce
    host: fields.Host
    signer: fields.Thumbprint
    start: fields.Count = 0
    """How often its daemon was started: it only grows, unless the host was restored."""
    instance: Annotated[str, fields.text(64)] = ""
    """Which installation this is: another one with the same keys is a copy."""
    run: Annotated[str, fields.text(64)] = ""
    """Chosen anew at each start: two of one count are two hosts."""
    vouches: fields.Flag = False
    """It coordinates and is current itself: whoever ends where it does has missed nothing.  One
    that has lost its pool can't know what the others did since."""

    @property
    def life(self) -> Life:
        """The start that it was signed in."""
        return Life(self.instance, self.start, self.run)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head as it was received."""

    payload: bytes
    signature: bytes = field(repr=False)

    @property
    def head(self) -> Head:
        """What it says, not yet verified.  Raises BadHead."""
        try:
            return Head.read(canonical.decode(self.payload, limit=HEAD_LIMIT))
        except ValueError as why:
            raise BadHead(str(why)) from why

    def verify(self, roster: Roster, *, nonce: bytes) -> Head:
        """The head, if a member of `roster` signed it in answer to this nonce.  Raises BadHead."""
        head = self.head
        if head.pool != roster.pool:
            raise BadHead("it is another pool's")
        if head.nonce != nonce:
            raise BadHead("it answers another question")
        member = roster.members.get(head.host)
        certificate = member.accepts(head.signer) if member else None
        if certificate is None:
            raise BadHead(f"{head.signer.short}… is not accepted from {head.host}")
        if not certificate.verify(self.signature, pae(PAYLOAD_TYPE, self.payload)):
            raise BadHead("its signature is not valid")
        return head


def sign_head(head: Head, identity: Identity) -> SignedHead:
    """Sign a head with the identity that it names.  Raises ValueError otherwise."""
    if identity.certificate.thumbprint != head.signer:
        raise ValueError("the head names another signer")
    payload = canonical.encode(head.record())
    return SignedHead(payload, identity.sign(pae(PAYLOAD_TYPE, payload)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A verified head, and when it was asked for (monotonic seconds)."""

    host: HostId
    number: int
    hash: EntryHash
    at: float
    vouches: bool


def committed(before: Roster, holders: Collection[HostId]) -> bool:
    """Whether an entry held by these hosts is committed, if the one before it is.

    `before` is the roster before the entry, because a takeover in its place would be endorsed by
    the members of that one: at least half of them, the coordinator included.
    """
    held = before.members.keys() & set(holders)
    return before.coordinator in held and 2 * len(held) >= len(before.members)


def is_current(
    roster: Roster, me: HostId, seen: Iterable[Seen], now: float, *, within: float = FRESH
) -> bool:
    """Whether this host may say and believe anything but heads and log.

    It needs a head at its own version, asked for less than `within` seconds ago, from its
    coordinator, if that is current itself, or, itself counted, from more than half of the members.
    A coordinator needs as many as it needs to write, at least half, and in a pool of two not only
    itself: it may have been restored from a copy.
    """
    if me not in roster.members:
        return False
    same = {
        head.host: head.vouches
        for head in seen
        if head.number == roster.number
        and head.hash == roster.head
        and 0 <= now - head.at < within
        and head.host in roster.members
        and head.host != me
    }
    count = 2 * (len(same) + 1)
    if me == roster.coordinator and same:
        return count >= len(roster.members)
    return same.get(roster.coordinator, False) or count > len(roster.members)


def may_append(
    roster: Roster,
    me: HostId,
    seen: Iterable[Seen],
    hash_at: Callable[[int], EntryHash | None],
) -> bool:
    """Whether a coordinator may append after a start.

    `seen` are the heads since that start, `hash_at` is that of its log.  At least half of the
    members, itself counted, have answered, and none of them holds an entry that this host lacks.
    Leave out the heads of members that claim more and do not hand it over when they are asked:
    one liar could stop the pool.
    """
    if me != roster.coordinator:
        return False
    heads = [head for head in seen if head.host in roster.members and head.host != me]
    # No hash is known from before a log that begins at a checkpoint: whoever is there is behind.
    if any(h.number > roster.number or hash_at(h.number) not in (None, h.hash) for h in heads):
        return False
    answered = {head.host for head in heads} | {me}
    return 2 * len(answered) >= len(roster.members)


def copied(before: Life, after: Life) -> str | None:
    """Why a host seems to be a copy or restored from one, by two of its lives; None if it does not.

    `before` is the latest one that was remembered, `after` what it shows now.
    """
    if after.instance != before.instance:
        return "another installation uses its keys"
    if after.start < before.start:
        return f"its start counter went back from {before.start} to {after.start}"
    if after.start == before.start and after.run != before.run:
        return f"two hosts are in their start {after.start}"
    return None
