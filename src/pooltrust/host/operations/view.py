"""What one run of an operation has seen so far, and the picture that follows from it.

Facts come in one by one: who answered what, which handshakes were made, what was refused.  Who
holds which entry is read from the heads that this host has verified.  It asks nobody by itself.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from pooltrust.errors import Failure
from pooltrust.host.belief import Belief
from pooltrust.host.obeying.report import Report
from pooltrust.host.peers.sightings import Sightings
from pooltrust.pool.plan.picture import Known, Picture, Probed
from pooltrust.pool.plan.steps import Step
from pooltrust.terms import HostId

MOST_WORDS = 1000
"""Characters that a step's failure may have."""


class View:
    """The facts of one run."""

    def __init__(self, belief: Belief, sightings: Sightings) -> None:
        self._belief = belief
        self._sightings = sightings
        self._reports: dict[HostId, Report] = {}
        self._away: dict[HostId, Failure] = {}
        self._told: dict[HostId, int] = {}
        self._probes: set[Probed] = set()
        self._refused: dict[Step, Failure] = {}

    def answered(self, host: HostId, report: Report) -> None:
        """This host is there and says so much of itself."""
        self._reports[host] = report
        self._away.pop(host, None)

    def gone(self, host: HostId, why: Failure) -> None:
        """This host does not answer, or not as itself."""
        self._away[host] = why

    def met(self, probed: Probed) -> None:
        """A handshake was made."""
        self._probes.add(probed)

    def refused(self, step: Step, why: Failure) -> None:
        """This step was tried and can't be done in this run."""
        self._refused[step] = why

    def told(self, host: HostId, number: int) -> None:
        """A host that is no member any more was told of the log up to this entry."""
        self._told[host] = number

    def against(self, hosts: AbstractSet[HostId]) -> list[Failure]:
        """What was refused in this run, and why these hosts do not answer; each once."""
        silent = [self._away[host] for host in sorted(hosts & self._away.keys())]
        said = {str(why): why for why in (*self._refused.values(), *silent)}
        return list(said.values())

    def picture(self) -> Picture:
        """The pool as it is known now."""
        belief = self._belief
        log = belief.log
        held = {
            seen.host: seen.number
            for seen in self._sightings.seen()
            if log.hash_at(seen.number) == seen.hash  # more than ours is only its word
        }
        hosts = {host: self._known(host, held.get(host, 0)) for host in self._everybody()}
        return Picture(
            belief.me,
            log,
            hosts,
            frozenset(self._probes),
            {step: _short(why) for step, why in self._refused.items()},
            settled=belief.settled,
        )

    def _everybody(self) -> set[HostId]:
        return {*self._belief.roster.members, *self._reports, *self._told}

    def _known(self, host: HostId, held: int) -> Known:
        report = self._reports.get(host)
        known = Known(
            reachable=report is not None and host not in self._away,
            held=max(held, self._told.get(host, 0)),
            why=_short(self._away.get(host, "")),
        )
        if report is None:
            return known
        return replace(known, serves=report.serves, keys=report.keys, override=report.override)


def _short(why: object) -> str:
    """In words that can be stored: some of them are another host's."""
    words = str(why)
    return words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"
