"""A joiner's last step: the pool comes to trust what its new member trusted.

The member owes it to the pool, on its disk, until its coordinator has taken all of it.  What the
coordinator can't take, because of something that was installed meanwhile, is told and left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from pooltrust.errors import Failure, OperationNotAllowed
from pooltrust.host.belief import Belief
from pooltrust.host.folder import StateFolder
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change
from pooltrust.host.telling.journal import Journal
from pooltrust.host.trusting import luggage
from pooltrust.host.trusting.writing import Writing
from pooltrust.pool import revocations
from pooltrust.pool.bringing import CaConflict, Luggage, TrustedConflict, merged
from pooltrust.terms import HostId
from pooltrust.trust.entries import AnchorInstalled
from pooltrust.trust.roster import Roster

CALL = "brought"
BRING_SECONDS = 30.0
JOIN = "pool.join"

CAN_NOT = (CaConflict, TrustedConflict, revocations.CrlAlreadyExists, OperationNotAllowed)
"""What stands against one thing that is brought, for good."""


class Bringing:
    """Both sides: a member that brings, and its coordinator that takes."""

    def __init__(
        self,
        belief: Belief,
        folder: StateFolder,
        peers: Peers,
        scribe: Scribe,
        guarded: Guarded,
        journal: Journal,
    ) -> None:
        self._belief = belief
        self._folder = folder
        self._peers = peers
        self._writing = Writing(belief, scribe)
        self._guarded = guarded
        self._journal = journal
        self._task: asyncio.Task[None] | None = None
        self._owes = True  # until it was looked

    def soon(self) -> None:
        """Bring what is owed, if anything is: a coordinator may be there."""
        if self._owes and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._bring(), name="bringing")

    def joined(self) -> None:
        """This host has become a member of another pool."""
        self._owes = True
        self.soon()

    async def done(self) -> None:
        """Wait until what is owed is brought, or can't be now."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        """Stop; what is owed is brought after the next start."""
        if self._task is not None:
            self._task.cancel()
        await self.done()

    async def take(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Have the pool trust what this member brings; the answer says what it can't."""
        name = self._belief.roster.members[peer].name
        left = await self._taken(luggage.luggage(frame), by=name)
        return {"left": left}

    async def _bring(self) -> None:
        path, pool = self._folder.brought, self._belief.roster.pool
        try:
            owed = await asyncio.to_thread(luggage.read, path, pool)
            for piece in luggage.pieces(owed):
                for words in await self._given(piece):
                    self._journal.warning("not-brought", words=words)
            await asyncio.to_thread(luggage.remove, path)
            self._owes = False
        except Failure as why:
            self._journal.damped("bringing", peer="", reason=why.code, words=str(why))

    async def _given(self, piece: Luggage) -> Sequence[str]:
        belief = self._belief
        if belief.is_coordinator:
            name = belief.roster.members[belief.me].name
            return await self._taken(piece, by=name)
        answer = await self._peers.call_verified(
            belief.roster.coordinator, CALL, within=BRING_SECONDS, **luggage.content(piece)
        )
        return wire.texts(answer, "left", most=1000)

    async def _taken(self, brought: Luggage, by: str) -> list[str]:
        left = []
        for anchor in brought.anchors:
            try:
                await self._writing.write(partial(_merged, anchor), by=by, call=JOIN)
            except CAN_NOT as why:
                left.append(str(why)[: wire.MAX_TEXT])
        for name, der in brought.lists:
            try:
                await self._guarded.change(partial(self._with_list, name, der))
            except CAN_NOT as why:
                left.append(str(why)[: wire.MAX_TEXT])
        return left

    def _with_list(self, name: str, der: bytes) -> list[Change]:
        known = revocations.lists(self._guarded.store.rows(revocations.TABLE))
        if known.get(name) == der:
            return []
        revocations.check_room(known, name, der)
        return [Change(revocations.TABLE, name, revocations.row(der))]


def _merged(anchor: AnchorInstalled, roster: Roster) -> AnchorInstalled | None:
    return merged(roster, anchor)
