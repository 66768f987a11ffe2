"""The pool identities that this host has asked for, and that the trust log has never heard of.

Those minted a short while ago stay: a request that comes late must not delete the key that the
answer to another one has put into a plan.  Blocking: call it in a worker thread.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pooltrust.host.belief import Belief
from pooltrust.host.folder import StateFolder
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import mint_pool_identity
from pooltrust.pool.operations.mending import withdrawn
from pooltrust.terms import Thumbprint
from pooltrust.trust.store import delete_identity, read_identity, write_identity

MOST_STAGED = 4
STAGED_SECONDS = 3600.0


def held(folder: StateFolder) -> frozenset[Thumbprint]:
    """The pool certificates whose keys are on the disk."""
    files = folder.identity_files("pool")
    return frozenset(Thumbprint.parse(path.stem.partition("-")[2]) for path in files)


def minted(folder: StateFolder, belief: Belief, now: datetime, lifetime: timedelta) -> Identity:
    """A new pool identity, on the disk; what is left of earlier ones is deleted.

    Raises CannotStore.
    """
    new = mint_pool_identity(belief.me, now, lifetime=lifetime)
    fresh = new.certificate.not_after - timedelta(seconds=STAGED_SECONDS)
    ends = {one: _end(folder, one) for one in staged(folder, belief)}
    kept = sorted((end, one) for one, end in ends.items() if end and end > fresh)
    for one in ends.keys() - {one for _, one in kept[1 - MOST_STAGED :]}:
        delete_identity(folder.identity("pool", one))
    write_identity(folder.identity("pool", new.certificate.thumbprint), new)
    return new


def staged(folder: StateFolder, belief: Belief) -> frozenset[Thumbprint]:
    """The pool certificates that this host has the keys of and that its log does not know."""
    log, me = belief.log, belief.me
    known = {certificate.thumbprint for certificate in log.roster.members[me].certificates}
    served = belief.identities.pool.identity.certificate.thumbprint
    return held(folder) - known - withdrawn(log, me, log.head_number) - {served}


def _end(folder: StateFolder, thumbprint: Thumbprint) -> datetime | None:
    """When it expires; None if it can't be read."""
    try:
        return read_identity(folder.identity("pool", thumbprint)).identity.certificate.not_after
    except (OSError, ValueError):
        return None
