"""What each kind of entry requires and what becomes true by it.

Each rule has a short name, which an error carries and a test names.  Who wrote the entry was
checked before (fold.py), what a pool certificate must be is in pool_certificate.py; nothing here
reads time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pooltrust.pki.certificate import Certificate
from pooltrust.terms import HostId, PoolId
from pooltrust.trust import entries as e
from pooltrust.trust.entry import Entry, SignedEntry
from pooltrust.trust.roster.breach import Breach, require
from pooltrust.trust.roster.endorsing import endorsers
from pooltrust.trust.roster.membership import Anchor, Membership, Pending
from pooltrust.trust.roster.pool_certificate import pool_certificate, readable
from pooltrust.trust.roster.roster import Roster
from pooltrust.trust.transcript import (
    certificate_request,
    server_statement,
    statement,
    transcript,
)


def founded(signed: SignedEntry, body: e.Founded) -> Roster:
    """The roster of a new pool, which is named by the hash of this entry."""
    _understands(body.kinds, frozenset(e.KINDS))
    founder = Membership(
        body.host,
        body.name,
        body.address,
        (pool_certificate(body.host, body.certificate),),
        readable(body.server),
        (),
        body.kinds,
    )
    pool = PoolId(signed.hash)
    empty = Roster.empty(pool, body.port, body.host, verification=body.verification)
    return empty.with_member(founder)


def changed(roster: Roster, signed: SignedEntry, entry: Entry) -> Roster:
    """The roster after this entry, its number and head apart.  Raises Breach."""
    body = entry.body
    match body:
        case e.Founded():
            raise Breach("founding", "the pool is founded already")
        case e.HostAdmitted():
            return _admitted(roster, body)
        case e.CertificateAccepted():
            return _accepted(roster, body)
        case e.CertificateWithdrawn():
            return _withdrawn(roster, entry, body)
        case e.ServerIdentityChanged():
            return _server_changed(roster, body)
        case e.AnchorInstalled():
            return _anchored(roster, body)
        case e.AnchorRemoved():
            require(body.thumbprint in roster.anchors, "anchor", "there is no such anchor")
            return roster.without_anchor(body.thumbprint)
        case e.AddressChanged():
            return roster.with_member(replace(member(roster, body.host), address=body.address))
        case e.KindsDeclared():
            _understands(body.kinds, roster.kinds)
            return roster.with_member(replace(member(roster, body.host), kinds=body.kinds))
        case e.VerificationRequired():
            require(not roster.verification, "verification", "verification is required already")
            return replace(roster, verification=True)
        case e.CoordinatorChanged():
            require(body.host != roster.coordinator, "coordinator", "it is the coordinator")
            return replace(roster, coordinator=member(roster, body.host).host)
        case e.TakenOver():
            return _taken_over(roster, signed, entry, body)
        case e.TakeoverEndorsed():
            return _endorsed(roster, body)
        case e.HostDismissed():
            require(body.host != roster.coordinator, "coordinator", "it is the coordinator")
            return roster.without_member(member(roster, body.host).host)
        case e.Checkpoint():
            same = body.roster == roster.fingerprint()
            require(same, "checkpoint", "the roster here is another one")
            return roster
        case _:
            assert_never(body)


def member(roster: Roster, host: HostId) -> Membership:
    """The member of that name.  Raises Breach."""
    found = roster.members.get(host)
    if found is None:
        raise Breach("member", f"{host} is no member")
    return found


def _admitted(roster: Roster, body: e.HostAdmitted) -> Roster:
    require(body.host not in roster.members, "member", f"{body.host} is a member already")
    _understands(body.kinds, roster.kinds)
    certificate = pool_certificate(body.host, body.certificate)
    _own_key(roster, certificate)
    require(_met(roster, body, certificate), "meeting", "the joiner did not sign this meeting")
    return roster.with_member(
        Membership(
            body.host,
            body.name,
            body.address,
            (certificate,),
            readable(body.server),
            (),
            body.kinds,
        )
    )


def _met(roster: Roster, body: e.HostAdmitted, joiner: Certificate) -> bool:
    """Whether the joiner signed a first meeting with this pool's present coordinator."""
    return any(
        joiner.verify(
            body.signature,
            statement(
                "joiner",
                transcript(
                    roster.pool,
                    coordinator.der,
                    body.certificate,
                    body.server,
                    body.coordinator_nonce,
                    body.joiner_nonce,
                ),
            ),
        )
        for coordinator in roster.members[roster.coordinator].certificates
    )


def _accepted(roster: Roster, body: e.CertificateAccepted) -> Roster:
    host = member(roster, body.host)
    require(len(host.certificates) == 1, "third-certificate", "two are accepted already")
    old = host.newest
    new = pool_certificate(body.host, body.certificate)
    require(body.replaces == old.thumbprint, "request", "it asks to replace another certificate")
    require(new.thumbprint not in host.abandoned, "request", "that one was withdrawn before")
    require(new.subject != old.subject, "subject", "two certificates must not share a subject")
    _own_key(roster, new)
    asked = certificate_request(roster.pool, body.host, body.certificate, body.replaces)
    require(old.verify(body.old_signature, asked), "request", "its accepted key did not ask for it")
    require(new.verify(body.new_signature, asked), "request", "its new key did not ask for it")
    return roster.with_member(replace(host, certificates=(old, new)))


def _withdrawn(roster: Roster, entry: Entry, body: e.CertificateWithdrawn) -> Roster:
    host = member(roster, body.host)
    gone = host.accepts(body.thumbprint)
    if gone is None:
        raise Breach("certificate", "no such certificate is accepted from it")
    require(len(host.certificates) > 1, "last-certificate", "it is the host's last: dismiss it")
    require(entry.signer != body.thumbprint, "own-withdrawal", "it can't sign its own withdrawal")
    kept = tuple(c for c in host.certificates if c != gone)
    # Only a request to replace the certificate that stays could be played again.
    abandoned = () if gone == host.certificates[0] else (*host.abandoned, body.thumbprint)
    return roster.with_member(replace(host, certificates=kept, abandoned=abandoned))


def _server_changed(roster: Roster, body: e.ServerIdentityChanged) -> Roster:
    host = member(roster, body.host)
    change = host.changes + 1
    said = server_statement(roster.pool, body.host, body.server, body.chain, change)
    require(host.signed(body.signature, said), "server-statement", "the host did not sign it")
    server, chain = readable(body.server), tuple(readable(der) for der in body.chain)
    return roster.with_member(replace(host, server=server, chain=chain, changes=change))


def _anchored(roster: Roster, body: e.AnchorInstalled) -> Roster:
    """A second time it is only ever trusted for more: less takes its removal, which shows."""
    certificate = readable(body.certificate)
    known = roster.anchors.get(certificate.thumbprint)
    if known is not None:
        require(known.sort == body.sort, "anchor", "it is installed as another sort")
        require(known.name in ("", body.name), "anchor", "it is installed by another name")
        more = (known.name, set(known.purposes)) != (body.name, set(body.purposes))
        widens = more and set(known.purposes) <= set(body.purposes)
        require(widens, "anchor", "it is installed, and not for less")
    return roster.with_anchor(Anchor(body.name, body.sort, certificate, body.purposes))


def _taken_over(roster: Roster, signed: SignedEntry, entry: Entry, body: e.TakenOver) -> Roster:
    require(roster.host_of(entry.signer) == body.host, "writer", "the taker did not sign it")
    require(body.replaced == roster.coordinator, "takeover", "it replaces another coordinator")
    require(body.host != roster.coordinator, "takeover", "it is the coordinator")
    if entry.alone:
        return replace(roster, coordinator=body.host)
    return replace(roster, pending=Pending(signed.hash, body.host, body.replaced))


def _endorsed(roster: Roster, body: e.TakeoverEndorsed) -> Roster:
    pending = roster.pending
    if pending is None:
        raise Breach("takeover", "there is no takeover before it")
    require(body.taken_over == pending.entry, "takeover", "it endorses another takeover")
    named = [endorsement.host for endorsement in body.endorsements]
    require(named == sorted(set(named)), "takeover", "the endorsements are not in order")
    behind = endorsers(roster, pending.entry, body.endorsements)
    require(behind >= set(named), "takeover", "not every endorsement is that of a member")
    behind = (behind | {pending.taker}) - {pending.replaced}
    enough = 2 * len(behind) > len(roster.members)
    require(enough, "takeover", f"{len(behind)} of {len(roster.members)} members are behind it")
    return replace(roster, coordinator=pending.taker, pending=None)


def _own_key(roster: Roster, certificate: Certificate) -> None:
    owner = roster.host_with_key(certificate.spki)
    require(owner is None, "one-key", f"its key is that of {owner} already")


def _understands(declared: tuple[str, ...], needed: frozenset[str]) -> None:
    missing = ", ".join(sorted(needed - set(declared)))
    require(not missing, "kinds", f"the host does not understand {missing}: upgrade it first")
