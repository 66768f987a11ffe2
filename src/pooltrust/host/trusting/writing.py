"""Writing an entry that follows from the log as it is, however many others write meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pooltrust.host.belief import Belief
from pooltrust.host.peers.scribe import Scribe
from pooltrust.trust.entries import AnchorInstalled, AnchorRemoved
from pooltrust.trust.roster import Roster

Change = AnchorInstalled | AnchorRemoved | None
Decide = Callable[[Roster], Change]


class _Overtaken(Exception):
    """The log has grown, and another entry is right now."""


class Writing:
    """The coordinator's pen for what the pool trusts."""

    def __init__(self, belief: Belief, scribe: Scribe) -> None:
        self._belief = belief
        self._scribe = scribe

    async def write(self, decide: Decide, *, by: str, call: str) -> None:
        """Write what `decide` finds due, if anything, and return when it is committed.

        Raises what it raises, and as `Scribe.append`.
        """
        while (body := decide(self._belief.roster)) is not None:
            try:
                await self._scribe.append(body, by=by, call=call, check=partial(_due, decide, body))
            except _Overtaken:
                continue
            return


def _due(decide: Decide, body: Change, roster: Roster) -> None:
    if decide(roster) != body:
        raise _Overtaken
