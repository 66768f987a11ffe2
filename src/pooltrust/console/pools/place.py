"""One server that the console was given: it is connected, listened to, and connected again.

A loop for each.  Whom to believe is trusting/trust.py's; what a person says to that comes in by
`answer`.  The password is in memory only, and forgotten when the server is removed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from pooltrust.console.pools.judging import show_changed, show_stranger
from pooltrust.console.pools.learning import hosts_of
from pooltrust.console.pools.mirror import CLASSES, Mirror
from pooltrust.console.pools.orders import Orders
from pooltrust.console.pools.state import Standing, State
from pooltrust.console.speaking.channel import Channel, ConnectionLost, Reported
from pooltrust.console.speaking.shapes import Odd, shaped
from pooltrust.console.trusting.known import LEARNED
from pooltrust.console.trusting.trust import Changed, Stranger, Trust, place_of
from pooltrust.errors import Failure, Unreachable
from pooltrust.terms import Thumbprint

EVENT_SECONDS = 25.0
FIRST_SECONDS = 5.0
LONGEST_WAIT = 30.0
MOST_HOPS = 4
MOST_METHODS = 10_000
"""Names of calls that a host may tell, and of those permitted."""
UNLIKE_AN_API = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What an answer of another form than the published one leads to."""
LOGIN_FAILED = ("SESSION_AUTHENTICATION_FAILED", "SESSION_AUTHORIZATION_FAILED")
RENEW = ("SESSION_INVALID", "EVENTS_LOST", "EVENT_FROM_TOKEN_PARSE_FAILURE")

Tell = Callable[[Mapping[str, Any]], None]


class Place:
    """One server."""

    def __init__(self, state: State, password: str, trust: Trust, tell: Tell) -> None:
        self.state = state
        self.mirror = Mirror()
        self.orders = Orders()
        self._password = password
        self._trust = trust
        self._tell = tell
        self._channel: Channel | None = None
        self._session = ""
        self._met = ""
        self._sent_by = ""
        """The source of the host that sent us on, if one did."""
        self._how = "trusted for this run only"
        self._learned: frozenset[tuple[str, ...]] = frozenset()
        self._wake = asyncio.Event()
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._at = (state.address, state.port)
        self._hops = 0
        """From one supporter to the next, without a coordinator among them."""
        self._channel_was_up = False

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self._once()
            except Stranger as why:
                show_stranger(self.state, why, self._at)
                await self._judged(why.met.thumbprint, why)
            except Changed as why:
                show_changed(self.state, why, self.orders.behind(why.old), self._at)
                await self._judged(why.met.thumbprint, why)
            except Reported as why:
                await self._reported(why)
            except Unreachable as why:
                self._try_another()
                await self._wait(str(why))
            except Failure as why:
                await self._wait(str(why))
            except UNLIKE_AN_API as why:
                self._at = (self.state.address, self.state.port)
                await self._wait(f"It does not speak the API as published ({why!r}).")

    def _try_another(self) -> None:
        """The next time at another host of the pool, which knows who coordinates it now."""
        if self._channel_was_up:
            self._channel_was_up = False  # it may only have closed this connection
            return
        port = self.state.port
        pool = self.mirror.one("pool")
        known = self._trust.members_of(str(pool[1]["uuid"])) if pool else []
        addresses = [place.rpartition(":")[0] for one in known for place in one.places[:1]]
        candidates = list(dict.fromkeys([self.state.address, *addresses]))
        at = candidates.index(self._at[0]) if self._at[0] in candidates else -1
        self._at = (candidates[(at + 1) % len(candidates)], port)

    async def _reported(self, why: Reported) -> None:
        if why.code in RENEW:
            await self._wait("The session has ended; a new one is opened.", soon=True)
        elif why.code == "HOST_IS_SLAVE" and any(why.parameters()) and self._hops < MOST_HOPS:
            self._hops += 1
            self._sent_by = self._trust.source_of(place_of(*self._at), self._met)
            self._at = (why.parameters()[0], self.state.port)
            self._trust.send_on(place_of(*self._at), why.coordinator, self._sent_by)
        elif why.code in LOGIN_FAILED:
            self.state.settle(Standing.FAILED, "The user name or the password is wrong.")
            await self._woken()
        else:
            # From the beginning: who was sent in a circle may be sent to a coordinator later.
            self._hops, self._at = 0, (self.state.address, self.state.port)
            await self._wait(str(why))

    async def _once(self) -> None:
        """Connect, log in, and listen until something fails."""
        state = self.state
        if state.standing not in (Standing.WAITING, Standing.CONNECTED):
            state.settle(Standing.CONNECTING)
        self._told()
        address, port = self._at
        channel = Channel(place_of(address, port), self._dialled)
        try:
            self._session = await channel.call(
                "session.login_with_password",
                state.user, self._password, "2.21", "pooltrust console", seconds=60.0,
            )  # fmt: skip
            self._channel = channel
            self._hops = 0
            await self._learn_session(channel)
            await self._listen(channel)
        except Reported:  # it answers, and will answer what else it was asked
            channel.end()
            raise
        except BaseException:
            channel.close()
            raise
        finally:
            self._channel_was_up = self._channel is not None
            self._channel = None

    async def _dialled(self) -> Any:
        typed = self._at == (self.state.address, self.state.port)
        connection = await self._trust.dial(*self._at, sent_by=self._sent_by, typed=typed)
        self._met = str(connection.met.thumbprint)
        if by := self._trust.vouched_for(place_of(*self._at), self._met):
            # As good as a person's word, which was given for the authority.
            self._how, self.state.kept = by, True
        elif self._trust.was_sent(place_of(*self._at), self._met):
            self._how = LEARNED
        self.state.tls_version = connection.tls_version
        return connection

    async def _learn_session(self, channel: Channel) -> None:
        state, session = self.state, self._session
        told = await channel.call("system.listMethods")
        state.methods = [str(one)[:200] for one in told[:MOST_METHODS]]
        with suppress(Reported):
            state.superuser = bool(
                await channel.call("session.get_is_local_superuser", session, session)
            )
            told = await channel.call("session.get_rbac_permissions", session, session)
            state.permissions = [str(one)[:200].lower() for one in told[:MOST_METHODS]]

    async def _listen(self, channel: Channel) -> None:
        token, first = "", True
        while True:
            seconds = FIRST_SECONDS if first else EVENT_SECONDS
            answer = await channel.call(
                "event.from", self._session, CLASSES, token, seconds, seconds=seconds + 30.0
            )
            token = str(answer["token"])
            if first:
                self.mirror.clear()
            changes = self.mirror.take(answer["events"])
            self._learn()
            if first:
                self.state.settle(Standing.CONNECTED)
                self.state.attempt, self.state.expected = 0, False
                self.state.reached = place_of(*self._at)
                self._told()
            if first or changes:
                self._tell(
                    {"kind": "objects", "id": self.state.id, "all": first, "changes": changes}
                )
            first = False

    def _learn(self) -> None:
        """Believe the pool's hosts as their coordinator tells of them, over this connection."""
        how = self._how
        found = list(
            hosts_of(
                self.mirror, self._met, place_of(*self._at), self.state.port,
                self._trust.stamp(), how,
            )
        )  # fmt: skip
        now = frozenset((one.host, one.thumbprint, one.name, *one.places) for one in found)
        place = place_of(*self._at)
        keep = self.state.kept or self._trust.is_kept(place, self._met)
        self.state.kept = keep
        if now == self._learned:
            return
        self._trust.hear(found, place, self._met, keep=keep)
        self._learned = now
        self._tell({"kind": "known"})

    async def _judged(self, thumbprint: Thumbprint, why: Stranger | Changed) -> None:
        """Wait for a person's answer about this certificate."""
        while not self._answers.empty():
            self._answers.get_nowait()
        self._told()
        answer = await self._answers.get()
        if answer == "refuse":
            self.state.settle(Standing.REFUSED, "You refused its certificate.  Nothing was sent.")
            await self._woken()
            return
        self._trust.accept(place_of(*self._at), thumbprint)
        self.state.kept = answer == "remember"
        kind = "a changed certificate accepted" if isinstance(why, Changed) else "accepted"
        self._how = f"{kind} by you when it was shown"
        self._learned = frozenset()

    def expected(self, thumbprint: Thumbprint | None) -> None:
        """Its certificate was named before it was met: it is remembered like one that was shown."""
        if thumbprint is not None:
            self.state.kept = True
            self._how = "expected by the thumbprint that you gave"

    def answer(self, said: str, thumbprint: str) -> bool:
        """A person's answer: remember, once or refuse.  False if that is not what was shown."""
        shown = (self.state.met or {}).get("thumbprint")
        if said not in ("remember", "once", "refuse") or thumbprint != shown:
            return False
        self._answers.put_nowait(said)
        return True

    async def _wait(self, words: str, *, soon: bool = False) -> None:
        state = self.state
        state.expected = self.orders.any_recent()
        soon = soon or (state.expected and state.attempt == 0)
        seconds = 0.5 if soon else min(LONGEST_WAIT, 2.0**state.attempt)
        attempt = state.attempt + 1
        state.settle(Standing.WAITING, words)
        state.attempt = attempt
        state.until = time.time() + seconds
        self._told()
        await self._woken(seconds)

    async def _woken(self, seconds: float | None = None) -> None:
        self._wake.clear()
        self._told()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def now(self, password: str | None = None) -> None:
        """Try again now, maybe with another password."""
        if password is not None:
            self._password = password
        if self.state.standing in (Standing.REFUSED, Standing.FAILED):
            self.state.settle(Standing.CONNECTING)
        self._wake.set()

    async def call(self, method: str, parameters: list[Any]) -> Any:
        """Make a call in this server's session.  Raises Reported with the host's own words."""
        channel, session = self._channel, self._session
        if channel is None:
            raise ConnectionLost(place_of(*self._at), "it is not connected now")
        self.orders.note(method, parameters, self.mirror, self._trust)
        try:
            result = await channel.call(method, session, *parameters)
        except Reported as why:
            raise Reported(why.code, why.parameters(), await self._words(channel, why)) from why
        self._take_in(method, parameters, result)
        try:
            return shaped(method, result)
        except Odd as why:
            words = f"The host answered {method} in another form than the published one: {why}."
            raise Reported("ODD_ANSWER", [method], words) from why

    async def _words(self, channel: Channel, why: Reported) -> str:
        if "pooltrust.get_last_failure" not in self.state.methods:
            return ""
        with suppress(Failure):
            told = await channel.call("pooltrust.get_last_failure", self._session)
            if told["code"] == why.code:
                return str(told["words"])
        return ""

    def _take_in(self, method: str, parameters: list[Any], result: Any) -> None:
        """A new thumbprint that the host itself tells is believed at once."""
        told = self.orders.thumbprint(method, result)
        host = self.mirror.objects["host"].get(str(parameters[0])) if parameters else None
        if told and host is not None:
            place = place_of(*self._at)
            for known in list(self._trust.known_of(str(host["uuid"]))):
                new = self.orders.renewed(known, told)
                self._trust.hear([new], place, self._met, keep=self.state.kept)

    async def log_out(self) -> None:
        """End the session, if it can be done quickly."""
        if self._channel is not None:
            with suppress(Failure, TimeoutError, Stranger, Changed):
                async with asyncio.timeout(2.0):
                    await self._channel.call("session.logout", self._session)

    def shown(self) -> dict[str, Any]:
        """Its state, for the browser."""
        return asdict(self.state)

    def _told(self) -> None:
        self._tell({"kind": "place", "place": self.shown()})
