"""Requiring verification in the whole pool: every host, every pair, every obstacle at once.

Nothing is required before every member was reached and has met every other with the right
certificate; then one log entry says so, and each host enforces it from the moment it holds it.
"""

from __future__ import annotations

import asyncio

from pooltrust.errors import CannotContactHost, CannotVerify, Failure, OperationNotAllowed
from pooltrust.host.peers.link import Peers
from pooltrust.host.peers.probe import Prober, Seen, seen
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.peers.wire import PeerMisspoke
from pooltrust.pool.join import all_at_once
from pooltrust.terms import HostId
from pooltrust.trust.entries import VerificationRequired
from pooltrust.trust.roster import Roster

CALL = "pool.enable_tls_verification"
CALL = "pool.enable_tls_verification"
PROBE_SECONDS = 30.0


class Enabling:
    """Enables verification, on the coordinator."""

    def __init__(self, peers: Peers, prober: Prober, scribe: Scribe) -> None:
        self._peers = peers
        self._prober = prober
        self._scribe = scribe

    async def enable(self, *, by: str) -> None:
        """Require verification; nothing happens if it is required already.

        Raises one failure that names every obstacle; the pool is as it was then.
        """
        belief = self._peers.belief
        if belief.roster.verification:
            belief.override = False
            return
        await self._scribe.distribute()
        members = frozenset(belief.roster.members)
        found = await asyncio.gather(*(self._obstacles(host, members) for host in sorted(members)))
        if obstacles := [obstacle for some in found for obstacle in some]:
            raise all_at_once(obstacles)

        def check(roster: Roster) -> None:
            if members != roster.members.keys():
                raise OperationNotAllowed("The pool has changed meanwhile.  Enable it again.")

        await self._scribe.append(VerificationRequired(), by=by, call=CALL, check=check)

    async def _obstacles(self, host: HostId, members: frozenset[HostId]) -> list[Failure]:
        """What `host` has against it; silence about a member is an obstacle too."""
        try:
            found = {one.host: one for one in await self._seen_by(host)}
        except Failure as why:
            return [why]
        if self._scribe.lacks(host):
            return [CannotContactHost(host, why="it does not hold the whole log yet")]
        silent = [CannotContactHost(one, why=f"{host} says nothing of it") for one in members]
        return [why for why in silent if why.host not in found] + [
            _obstacle(one) for one in found.values() if not one.verified
        ]

    async def _seen_by(self, host: HostId) -> list[Seen]:
        if host == self._peers.belief.me:
            return await self._prober.probe_all()
        answer = await self._peers.call_verified(host, "probe", within=PROBE_SECONDS)
        content = answer.get("seen")
        if not isinstance(content, list):
            raise PeerMisspoke("no list of observations")
        return [one for one in map(seen, content) if one.observer == host]


def _obstacle(one: Seen) -> Failure:
    if not one.met:
        return CannotContactHost(one.host, why=f"{one.observer} can't reach it: {one.reason}")
    return CannotVerify(
        one.reason,
        expected=f"the identity of {one.host}, seen from {one.observer}",
        met=one.met,
        remedy=one.cure,
    )
