"""Why entries that somebody offers are not followed: each case by its own event, code and words.

Also what was given up by moving to another branch, with the command that orders it again.  Values
only: who tells an administrator is the scribe's matter and that of following.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pooltrust.errors import (
    BadEntry,
    Failure,
    Refused,
    Suspended,
    TakeoverNeedsOrder,
    Untrusted,
    UpgradeThisHost,
    failure,
)
from pooltrust.terms import HostId
from pooltrust.trust.log import Fork, GivenUp
from pooltrust.trust.roster import Roster


@failure(
    "TRUST_LOG_FOREIGN",
    cure="See who answers there, and compare the pools: pooltrust host status, on both hosts.",
)
class ForeignLog(Untrusted):
    """{peer} offers the trust log of another pool."""

    peer: str


@failure(
    "TRUST_LOG_FORGED",
    cure="Nothing of it was taken.  See who answers there; if it is that host, it may be broken "
    "into: xe pool-eject",
)
class ForgedLog(Untrusted):
    """{peer} offers entry {number} of the trust log, which breaks the rule "{rule}": {why}."""

    peer: str
    number: int
    rule: str
    why: str


@failure(
    "TAKEOVER_FORGED",
    cure="Nothing of it was taken.  If that host should not take over, it may be broken into: "
    "xe pool-eject",
)
class ForgedTakeover(Untrusted):
    """{peer} offers a takeover at entry {number} of the trust log that the members did not endorse:
    {why}."""

    peer: str
    number: int
    why: str


@failure(
    "TRUST_LOG_CUT_SHORT",
    cure="It asks the other members by itself, and says nothing confidential until it is current.",
)
class CutShort(Untrusted):
    """{peer} does not hand over all that it must have: {what}."""

    peer: str
    what: str


@failure("TRUST_LOG_FORKED")
class TwoBranches(Suspended):
    """{peer} holds another entry {number} of the trust log than this host, and neither branch is a
    takeover that more than half of the members endorsed.  Nothing is merged.  Decide which one is
    right, and order the hosts of the other one to follow: xe pool-emergency-reset-master"""

    peer: str
    number: int


@failure("TRUST_LOG_FORK_STANDS", cure="It moves over by itself when it hears of this one.")
class OtherMoves(Suspended):
    """{peer} holds another entry {number} of the trust log than this host, whose own is a takeover
    that more than half of the members endorsed."""

    peer: str
    number: int


@failure(
    "OWN_CERTIFICATE_WITHDRAWN",
    cure="See why: pooltrust log show.  If its key is lost, have the host admitted again: "
    "xe pool-eject on the coordinator, then xe pool-join here",
)
class OwnCertificateWithdrawn(Refused):
    """{host} is a member of its pool, but has no key for a certificate that is accepted from it;
    the last one was withdrawn at entry {number} of the trust log."""

    host: str
    number: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """An event of the journal and the failure that explains it."""

    event: str
    failure: Failure


def refused(why: BadEntry | UpgradeThisHost | TakeoverNeedsOrder, peer: str) -> Verdict:
    """Of entries that `peer` offered."""
    match why:
        case BadEntry(rule="foreign"):
            return Verdict("log-foreign", ForeignLog(peer))
        case BadEntry(rule="takeover"):
            return Verdict("takeover-forged", ForgedTakeover(peer, why.number, why.why))
        case BadEntry():
            return Verdict("log-forged", ForgedLog(peer, why.number, why.rule, why.why))
        case UpgradeThisHost():
            return Verdict("log-too-new", why)
    return Verdict("takeover-needs-order", why)


def forked(fork: Fork, peer: str) -> Verdict:
    """Of a fork with the log of `peer`."""
    if fork.ours_stands:
        return Verdict("log-forked", OtherMoves(peer, fork.number))
    return Verdict("log-forked", TwoBranches(peer, fork.number))


def given_up_words(given_up: GivenUp, roster: Roster) -> tuple[str, ...]:
    """What a host had taken for done and lost, by name, each with the command to order it again."""
    return tuple(_given_up(given_up, roster))


def _given_up(given_up: GivenUp, roster: Roster) -> Iterator[str]:
    for host, name in given_up.dismissed:
        yield f"{name} is a member again.  Eject it again: xe pool-eject host-uuid={host}"
    for host, name, thumbprint in given_up.withdrawn:
        yield (
            f"certificate {thumbprint.short}… of {name} is accepted again.  Refresh it again: "
            f"xe host-refresh-server-certificate host={host}"
        )
    for thumbprint in given_up.anchors:
        anchor = roster.anchors.get(thumbprint)
        name = anchor.name if anchor else ""
        command = f"xe pool-uninstall-ca-certificate name={name}"
        if not name:
            command = "xe pool-uninstall-trusted-certificate"
        yield (
            f"certificate {name or thumbprint.short} is trusted again.  Remove it again: {command}"
        )


def no_own_key(roster: Roster, me: HostId, number: int) -> Verdict:
    """Of this host, whose last accepted certificate was withdrawn at entry `number`."""
    return Verdict(
        "own-certificate-withdrawn", OwnCertificateWithdrawn(roster.expect(me).name, number)
    )
