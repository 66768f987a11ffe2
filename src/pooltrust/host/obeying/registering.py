"""Having the coordinator write what this host says of itself into the trust log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pooltrust.errors import CannotVerify, Failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.peers.scribe import Scribe
from pooltrust.pool.plan.steps import in_effect
from pooltrust.terms import HostId
from pooltrust.trust.entries import AddressChanged, KindsDeclared, ServerIdentityChanged

REGISTER_SECONDS = 30.0
Word = ServerIdentityChanged | AddressChanged | KindsDeclared
REQUESTS: Mapping[str, type[Word]] = {
    "server-changed": ServerIdentityChanged,
    "address-changed": AddressChanged,
    "kinds-declared": KindsDeclared,
}
"""What a host may say of itself, by the request that says it."""


class Registrar(Protocol):
    """Has a host's own word written into the trust log."""

    async def register(self, body: Word, by: str, call: str) -> None:
        """Return when it is committed and this host holds it.  Raises why not."""


class Registering:
    """Both sides: a member that asks, and the coordinator that writes."""

    def __init__(self, belief: Belief, peers: Peers, scribe: Scribe) -> None:
        self._belief = belief
        self._peers = peers
        self._scribe = scribe

    async def register(self, body: Word, by: str, call: str) -> None:
        """Return when it is committed and this host holds it.  Raises why not."""
        if self._belief.is_coordinator:
            await self._scribe.append(body, by=by, call=call)
            return
        coordinator = self._belief.roster.coordinator
        try:
            await self._peers.call_verified(
                coordinator,
                next(name for name, kind in REQUESTS.items() if isinstance(body, kind)),
                within=REGISTER_SECONDS,
                body=body.record(),
                by=by,
                by_call=call,
            )
        except Failure:
            await self._peers.look(coordinator)  # it may have written it all the same
            if not self._holds(body):
                raise
        if not self._holds(body):
            await self._peers.look(coordinator)

    async def take(self, kind: type[Word], peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Write it, on the coordinator.  Raises CannotVerify for the word of another host."""
        try:
            body = kind.read(frame.get("body"))
        except ValueError as why:
            raise wire.PeerMisspoke(f"a change that can't be read: {why}") from why
        member = self._belief.roster.members[peer]
        if body.host != peer:
            raise CannotVerify(
                "a host speaks for itself only",
                expected=f"a change of {member.name}",
                met=f"one of {self._belief.roster.expect(body.host).name}",
                remedy="Look at that host: it may be broken into.",
            )
        by = f"{wire.text(frame, 'by', limit=64)} via {member.name}"
        await self._scribe.append(body, by=by[:256], call=wire.text(frame, "by_call", limit=128))
        return {}

    def _holds(self, body: Word) -> bool:
        return in_effect(body, self._belief.roster)
