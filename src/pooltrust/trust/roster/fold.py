"""The fold: roster before + one signed entry = roster after, or a refusal.

A pure function: no time, no files, no memory of its own.  Here is who may write at all; what each
kind of entry requires is in rules.py.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from pooltrust.errors import BadEntry, TakeoverNeedsOrder, UpgradeThisHost
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import EntryHash
from pooltrust.trust.entries import Founded, TakenOver, TakeoverEndorsed
from pooltrust.trust.entry import FORMAT, Entry, Envelope, NotAnEntry, SignedEntry, UnknownKind
from pooltrust.trust.roster import rules
from pooltrust.trust.roster.breach import Breach, require
from pooltrust.trust.roster.roster import Roster


class _AnyOrder(Container[EntryHash]):
    def __contains__(self, entry: object) -> bool:
        return True


ANY_ORDER: Container[EntryHash] = _AnyOrder()
"""Follow every takeover made alone: for a log whose end this host adopted, or pinned, before."""


def fold(
    roster: Roster | None, signed: SignedEntry, *, ordered: Container[EntryHash] = frozenset()
) -> Roster:
    """The roster after this entry; None stands before the founding one.

    `ordered` names the takeovers without endorsement that an administrator ordered this host to
    follow.  Raises BadEntry, UpgradeThisHost for a properly signed entry that this release does not
    know, and TakeoverNeedsOrder.
    """
    number = roster.number + 1 if roster else 1
    try:
        envelope = signed.envelope
        _in_place(roster, envelope)
        if roster is None:
            return _founding(signed)
        _written_by(roster, signed, envelope)
        return _applied(roster, signed, ordered)
    except UnknownKind as why:
        raise UpgradeThisHost(number, envelope.kind) from why
    except NotAnEntry as why:
        raise BadEntry("form", number, str(why)) from why
    except Breach as why:
        raise BadEntry(why.rule, number, why.why) from why


def refold(roster: Roster | None, signed: SignedEntry) -> Roster:
    """The same for an entry that was folded before, without checking its signature again."""
    return _founding(signed) if roster is None else _applied(roster, signed, ANY_ORDER)


def _in_place(roster: Roster | None, envelope: Envelope) -> None:
    number = roster.number + 1 if roster else 1
    require(envelope.pool == (roster.pool if roster else ""), "foreign", "it is another pool's")
    require(envelope.number == number, "number", f"it has the number {envelope.number}")
    require(envelope.previous == (roster.head if roster else ""), "link", "it follows another one")


def _founding(signed: SignedEntry) -> Roster:
    try:
        body = signed.entry.body
    except UnknownKind as why:
        # Who signed it is known only after it is read, so this is no word of a newer release.
        raise Breach("founding", f"{why}: it was altered, or this host needs an upgrade") from why
    if not isinstance(body, Founded):
        raise Breach("founding", "the first entry does not found a pool")
    roster = rules.founded(signed, body)
    founder = roster.members[body.host].newest
    require(signed.entry.signer == founder.thumbprint, "writer", "its founder did not sign it")
    _signed_by(founder, signed)
    return replace(roster, number=1, head=signed.hash)


def _written_by(roster: Roster, signed: SignedEntry, envelope: Envelope) -> None:
    """The coordinator writes, but for a takeover."""
    host = roster.coordinator
    if roster.pending:
        endorsed = envelope.kind == TakeoverEndorsed.kind
        require(endorsed, "takeover", "the takeover before it must be endorsed first")
        host = roster.pending.taker
    elif envelope.kind == TakenOver.kind and envelope.format == FORMAT:
        host = roster.host_of(envelope.signer) or host
    certificate = roster.members[host].accepts(envelope.signer)
    if certificate is None:
        who = roster.host_of(envelope.signer)
        met = f"{who}, which may not write it" if who else "nobody that the pool accepts"
        raise Breach("writer", f"it is signed by {envelope.signer.short}…: {met}")
    _signed_by(certificate, signed)


def _signed_by(certificate: Certificate, signed: SignedEntry) -> None:
    valid = certificate.verify(signed.signature, signed.message)
    require(valid, "signature", "its signature is not valid: it was altered")


def _applied(roster: Roster, signed: SignedEntry, ordered: Container[EntryHash]) -> Roster:
    entry = signed.entry
    require(entry.kind in roster.kinds, "kinds", f"not every member understands {entry.kind}")
    after = rules.changed(roster, signed, entry)
    if _needs_order(entry) and signed.hash not in ordered:
        raise TakeoverNeedsOrder(after.coordinator, entry.number)
    return replace(after, number=entry.number, head=signed.hash)


def _needs_order(entry: Entry) -> bool:
    return isinstance(entry.body, TakenOver) and entry.alone
