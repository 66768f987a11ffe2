"""What happens by itself: the heartbeat to the coordinator, a join left open, and dates that near.

Timers only: what they start is elsewhere.  Waiting uses the monotonic clock; dates the wall clock.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from pooltrust.errors import Failure
from pooltrust.host.belief import Belief
from pooltrust.host.peers.link import Peers
from pooltrust.host.telling.journal import Journal
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.expiry import Validity, days_left, validity
from pooltrust.terms import HostId
from pooltrust.tls.reasons import Reason, outdated
from pooltrust.trust.roster import Membership, Roster

HEARTBEAT_SECONDS = 25.0
CHANCE_SECONDS = 120.0
DAY_SECONDS = 86_400.0
NEAR_DAYS = 30
TELL_SECONDS = 60.0


RETURNING_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Between attempts of a host that may have missed something; then it is heartbeat by heartbeat."""


class Watch:
    """This host's timers.  `now`: UTC.

    `lead` makes a coordinator compare its log with those of the members, once after a start; `tell`
    makes a supporter tell it what it noticed.
    """

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        journal: Journal,
        now: Callable[[], datetime],
        *,
        lead: Callable[[], Awaitable[None]],
        tell: Callable[[], Awaitable[None]],
    ) -> None:
        self._lead = lead
        self._tell_coordinator = tell
        self._belief = belief
        self._peers = peers
        self._journal = journal
        self._now = now
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the timers; whoever is new is looked at when the roster changes."""
        self._belief.watch(self._changed)
        self._tasks = [
            asyncio.create_task(self._heartbeat(), name="heartbeat"),
            asyncio.create_task(self._every(DAY_SECONDS, self._look_at_dates), name="dates"),
            asyncio.create_task(self._later(CHANCE_SECONDS, self._look_at_one), name="chance"),
            asyncio.create_task(self._every(TELL_SECONDS, self._tell), name="tell"),
        ]

    async def close(self) -> None:
        """Stop them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Every so many seconds, but not at the start, when the other hosts start too."""
        await asyncio.sleep(seconds)
        await self._every(seconds, work)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._surely(work)
            await asyncio.sleep(seconds)

    async def _heartbeat(self) -> None:
        """At once and every so many seconds; sooner while this host may have missed something."""
        failed = 0
        while True:
            failed = 0 if await self._surely(self._beat) else failed + 1
            waits = RETURNING_SECONDS[failed - 1 : failed] if failed else ()
            await asyncio.sleep(*waits or (HEARTBEAT_SECONDS,))

    async def _surely(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether it went well; a timer outlives what does not."""
        try:
            await work()
            return True
        except Failure as why:
            self._journal.damped("timer-failed", peer="", reason=why.code, words=str(why))
        except Exception as why:  # noqa: BLE001 - a timer outlives a defect, and reports it
            self._journal.defect("timer-defect", why)
        return False

    async def _tell(self) -> None:
        self._journal.flush()

    async def _beat(self) -> None:
        """Show the coordinator that this host is there, and know that it has missed nothing."""
        if self._belief.me not in self._belief.roster.members:
            return
        if self._belief.is_coordinator:
            await self._lead()
            return
        there = await self._peers.look(self._belief.roster.coordinator)
        await self._peers.become_current()
        if there:
            await self._tell_coordinator()

    async def _look_at_one(self) -> None:
        """One member by chance: a coordinator that shows each another log is found out."""
        if self._belief.is_coordinator:
            return
        coordinator = self._belief.roster.coordinator
        others = sorted(set(self._belief.roster.members) - {coordinator, self._belief.me})
        if others:
            await self._peers.look(secrets.choice(others))

    async def _look_at_dates(self) -> None:
        self._look_at(self._belief.roster, {})

    def _changed(self, before: Roster, after: Roster) -> None:
        self._look_at(after, before.members)

    def _look_at(self, roster: Roster, known: Mapping[HostId, Membership]) -> None:
        for host, member in roster.members.items():
            if known.get(host) is not member:  # a roster shares what has not changed
                for certificate in (*member.certificates, member.server):
                    self._report(member.host, member.name, certificate)

    def _report(self, host: str, name: str, certificate: Certificate) -> None:
        now = self._now()
        left = days_left(certificate, now)
        state = validity(certificate, now)
        if state is not Validity.VALID or left < NEAR_DAYS:
            why = outdated(certificate, now) or _near(certificate)
            self._journal.damped(
                "certificate-dates",
                peer=f"{host}/{certificate.thumbprint.short}",
                reason=str(state),
                host=name,
                expected=f"a certificate of {name} that is valid for {NEAR_DAYS} days or more",
                met=f"certificate {certificate.thumbprint}",
                words=why.words,
                days_left=round(left, 1),
                cure=why.remedy,
            )


def _near(certificate: Certificate) -> Reason:
    words = f"its certificate expires on {certificate.not_after:%F %T} UTC"
    return Reason("near", words, "Renew it there before that day.")
