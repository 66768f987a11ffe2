"""Endorsements of a takeover, and giving one's own up: what is signed, and who did sign it."""

from __future__ import annotations

from collections.abc import Iterable

from pooltrust.terms import EntryHash, HostId, PoolId
from pooltrust.trust.canonical import statement
from pooltrust.trust.entries import Endorsement
from pooltrust.trust.roster.roster import Roster


def endorsement_statement(pool: PoolId, host: HostId, taken_over: EntryHash) -> bytes:
    """What `host` signs to endorse that takeover; its hash names the entry it follows as well."""
    return statement("endorsement", {"pool": pool, "host": host, "taken_over": taken_over})


def abandonment_statement(pool: PoolId, host: HostId, taken_over: EntryHash) -> bytes:
    """What `host` signs to say that it never writes that takeover of its own."""
    return statement("abandonment", {"pool": pool, "host": host, "taken_over": taken_over})


def endorsers(
    roster: Roster, taken_over: EntryHash, endorsements: Iterable[Endorsement]
) -> set[HostId]:
    """The members of this roster whose endorsement of that takeover is valid."""
    behind = set()
    for endorsement in endorsements:
        member = roster.members.get(endorsement.host)
        said = endorsement_statement(roster.pool, endorsement.host, taken_over)
        if member is not None and member.signed(endorsement.signature, said):
            behind.add(endorsement.host)
    return behind
