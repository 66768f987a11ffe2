"""The TLS contexts that follow from a roster and a host's identities, made anew where they change.

Making one may take long, so it is done off the event loop; a context is never changed in place.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pooltrust.pool.anchors import CLIENT, authorities
from pooltrust.tls.answer import Faces
from pooltrust.tls.contexts import PoolContext, join_context, pool_context, server_context
from pooltrust.trust.roster import Roster
from pooltrust.trust.store import IdentityFile


@dataclass(frozen=True, slots=True)
class Identities:
    """The two identities that a host serves."""

    pool: IdentityFile
    server: IdentityFile


@dataclass(frozen=True, slots=True)
class _Wanted:
    """All that the contexts are made of."""

    identities: Identities
    accepted: frozenset[bytes]
    authorities: frozenset[bytes]


class Facing:
    """Makes the faces of one host.  `check_dates`: an expired pool identity is refused.

    `asks_clients`: for a certificate, if the pool has an authority that issues them.
    """

    def __init__(self, *, check_dates: bool) -> None:
        self.check_dates = check_dates
        self.asks_clients = False
        self._made: tuple[_Wanted, Faces] | None = None

    async def of(self, roster: Roster, identities: Identities) -> Faces:
        """What is served with these.  Raises OSError and ssl.SSLError."""
        authorities = client_authorities(roster) if self.asks_clients else frozenset[bytes]()
        accepted = frozenset(certificate.der for certificate in roster.certificates())
        wanted = _Wanted(identities, accepted, authorities)
        if self._made is None or self._made[0] != wanted:
            self._made = wanted, await asyncio.to_thread(self._make, wanted, self._made)
        return self._made[1]

    def _make(self, wanted: _Wanted, made: tuple[_Wanted, Faces] | None) -> Faces:
        pool, server = wanted.identities.pool, wanted.identities.server
        if made is None:
            return Faces(
                server=server_context(server.path, wanted.authorities),
                pool=self._pool(wanted),
                join=join_context(pool.path),
            )
        old, faces = made
        same_server = (old.identities.server, old.authorities) == (server, wanted.authorities)
        same_pool = old.identities.pool == pool
        same_members = same_pool and old.accepted == wanted.accepted
        return Faces(
            server=faces.server if same_server else server_context(server.path, wanted.authorities),
            pool=faces.pool if same_members else self._pool(wanted),
            join=faces.join if same_pool else join_context(pool.path),
        )

    def _pool(self, wanted: _Wanted) -> PoolContext:
        path = wanted.identities.pool.path
        return pool_context(path, sorted(wanted.accepted), check_dates=self.check_dates)


def client_authorities(roster: Roster) -> frozenset[bytes]:
    """Whose certificates a client may come in by: the authorities that were installed by name."""
    return frozenset(authorities(roster, CLIENT))
