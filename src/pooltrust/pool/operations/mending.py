"""What to do about a refresh whose stored operation was lost, and about a host's own keys.

The log and the keys tell enough: nothing that was begun needs its journal to be finished.
"""

from __future__ import annotations

from collections.abc import Collection

from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.refresh import plan_refresh
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.picture import Picture
from pooltrust.pool.plan.steps import Promote, Retire
from pooltrust.terms import HostId, Thumbprint
from pooltrust.trust.entries import CertificateAccepted, CertificateWithdrawn
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Membership


def mend(picture: Picture, asked: Asked) -> Operation | None:
    """The operation that finishes, or undoes, a refresh that no stored operation knows of.

    It is finished if the host has its new key, and undone if it has lost it.  Hosts that are away
    wait.  None if there is nothing to mend.
    """
    for host in sorted(picture.roster.members):
        member, known = picture.roster.members[host], picture.known(host)
        if len(member.certificates) == 1 or not known.reachable or known.keys is None:
            continue
        request, number = _request(picture.log, member)
        operation = Operation(plan_refresh(member, request, asked, number - 1))
        has_key = member.newest.thumbprint in known.keys
        return operation if has_key else operation.abandoned()
    return None


def own_steps(
    log: Log,
    me: HostId,
    keys: Collection[Thumbprint],
    serves: Thumbprint | None,
    *,
    settled: int,
) -> tuple[Promote | Retire, ...]:
    """What a host does about its own keys when it has taken in entries, and when it starts.

    It serves an identity that is accepted, if it has any, and deletes keys whose certificates were
    withdrawn up to entry `settled`, which it knows to be committed: a later withdrawal may be lost
    by a takeover, and the key wanted again.  `keys` are the pool certificates that it has the keys
    of; a staged key, which the log has not heard of, stays.
    """
    member = log.roster.members.get(me)
    if member is None:
        return ()
    accepted = [c.thumbprint for c in member.certificates if c.thumbprint in keys]
    steps: list[Promote | Retire] = []
    if serves not in accepted and accepted:
        serves = accepted[0]  # of two the older one: members that are behind believe it as well
        steps.append(Promote(me, serves))
    spare = set(keys) - set(accepted) - {serves}
    # As a rule there is none, and the log, which may be long, is not read.
    gone = withdrawn(log, me, settled) & spare if spare else frozenset()
    return (*steps, *(Retire(me, thumbprint) for thumbprint in sorted(gone)))


def withdrawn(log: Log, host: HostId, until: int) -> frozenset[Thumbprint]:
    """The certificates of this host that the live log withdrew, up to entry `until`."""
    kind, about = CertificateWithdrawn.kind.encode(), host.encode()
    said = (s for s in log.tail(0) if kind in s.payload and about in s.payload)
    entries = (signed.entry for signed in said)
    return frozenset(
        entry.body.thumbprint
        for entry in entries
        if isinstance(entry.body, CertificateWithdrawn)
        and entry.body.host == host
        and entry.number <= until
    )


def _request(log: Log, member: Membership) -> tuple[CertificateAccepted, int]:
    """The entry that accepted the member's newer certificate, and its number."""
    old, new = member.certificates
    kind, about = CertificateAccepted.kind.encode(), member.host.encode()
    for signed in reversed(log.tail(0)):
        if kind in signed.payload and about in signed.payload:
            body = signed.entry.body
            if isinstance(body, CertificateAccepted) and body.certificate == new.der:
                return body, signed.entry.number
    # Archived: it is in effect, so it is never written again and needs no signatures.
    none = b"\0"
    return CertificateAccepted(member.host, new.der, old.thumbprint, none, none), log.first
