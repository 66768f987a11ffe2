"""Telling the pool where this host is found and which entries it can read, when that has changed.

Both are its own word, as its configuration and its release have them at the start, and neither is
believed for anything: an address is a hint, and whoever answers there must prove who it is.  It is
told once in each start, so that two hosts with one identity do not write about it for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pooltrust.errors import Failure
from pooltrust.host.belief import Belief
from pooltrust.host.obeying.registering import Registrar
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.offered.coverage import covers
from pooltrust.trust.entries import KINDS, AddressChanged, KindsDeclared

CALL = "pooltrust host run"
Word = AddressChanged | KindsDeclared


class Whereabouts:
    """What this host has to tell of itself.  `address`: where its configuration says it is."""

    def __init__(
        self, belief: Belief, address: str, registrar: Registrar, journal: Journal
    ) -> None:
        self._belief = belief
        self._address = address
        self._registrar = registrar
        self._journal = journal
        self._kinds = tuple(sorted(KINDS))
        self._told: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """A member answers: what the log does not say yet can be told."""
        if (self._task is None or self._task.done()) and any(self._owed()):
            self._task = asyncio.create_task(self._tell(), name="whereabouts")

    async def close(self) -> None:
        """Stop; what is owed is told after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _owed(self) -> Iterator[Word]:
        belief = self._belief
        member = belief.roster.members.get(belief.me)
        if member is None:
            return
        if member.address != self._address and AddressChanged.kind not in self._told:
            yield AddressChanged(belief.me, self._address)
        if member.kinds != self._kinds and KindsDeclared.kind not in self._told:
            yield KindsDeclared(belief.me, self._kinds)

    async def _tell(self) -> None:
        for body in list(self._owed()):
            try:
                await self._registrar.register(body, by="root", call=CALL)
            except Failure as why:
                self._journal.damped("whereabouts", peer="", reason=why.code, words=str(why))
                return
            self._told.add(body.kind)
            if isinstance(body, AddressChanged):
                self._moved()

    def _moved(self) -> None:
        server = self._belief.identities.server.identity.certificate
        self._journal.event(
            "address-changed",
            address=self._address,
            cure=""
            if covers(server, self._address)
            else "Clients there meet a server certificate for another address: "
            "xe host-reset-server-certificate, or install one that names it",
        )
