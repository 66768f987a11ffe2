"""The pool's Workload Balancing appliance: connected, asked, pinned, forgotten.  See the port
`Dialling` of the api floor.

Where it is and who we are there is a record; the password is an object of class `secret`.  Both
are guarded: a takeover does not lose them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pooltrust.api.classes.appliances.dialling import Credentials
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.declare.values import Ref
from pooltrust.api.sessions import Caller
from pooltrust.api.views import APPLIANCES, BALANCER, pool_uuid
from pooltrust.errors import CannotConnect, Failure
from pooltrust.errors.appliances import WlbDisabled, WlbMalformedResponse, WlbNotInitialized
from pooltrust.host.appliances import expecting, soap
from pooltrust.host.appliances.posting import Broken, post
from pooltrust.host.appliances.talking import SECONDS, Talk
from pooltrust.host.belief import Belief
from pooltrust.host.place import bracketed, named
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change
from pooltrust.host.serving.objects import Objects
from pooltrust.host.telling.conversations import Tell, unheard
from pooltrust.host.telling.journal import Journal
from pooltrust.host.trusting.trusted import Trusted
from pooltrust.pki.certificate import Certificate
from pooltrust.terms import Thumbprint
from pooltrust.tls.endpoints import Kind
from pooltrust.tls.reasons import no_connection
from pooltrust.trust.expect import Expectation, Pinned

SECRETS, POOLS = "secret", "pool"
LONGEST_WAIT = 3600.0
LONGEST_REPLY = 256 * 1024
ANYTHING = Credentials("", "")


class Balancing:
    """The daemon's answer to the calls about appliances.  `random_uuid` makes a secret's name."""

    def __init__(
        self,
        belief: Belief,
        guarded: Guarded,
        objects: Objects,
        trusted: Trusted,
        journal: Journal,
        random_uuid: Callable[[], str],
    ) -> None:
        self._belief = belief
        self._guarded = guarded
        self._objects = objects
        self._trusted = trusted
        self._journal = journal
        self._random_uuid = random_uuid
        self._one = asyncio.Lock()
        self.observe: Tell = unheard

    async def initialize(
        self, url: str, there: Credentials, here: Credentials, caller: Caller
    ) -> None:
        """Tell the appliance of the pool, and remember it."""
        async with self._one:
            talk = self._talk(url, there, here.password)
            result = await talk.ask(
                "AddXenServer",
                soap.leaf("Password", here.password),
                self._pool_uuid(),
                soap.leaf("UserName", here.username),
                soap.leaf("XenServerUrl", self._own_url()),
            )
            if not any(one.name == "Id" for one in result.children):
                raise WlbMalformedResponse("AddXenServer", "it gave the pool no Id", "")
            await self._guarded.change(partial(self._remembered, url, there, self._random_uuid()))
        self._tell("wlb-initialized", caller, url=url, user=there.username)

    async def deconfigure(self, caller: Caller) -> None:
        """Forget the appliance, even if it can't be told."""
        async with self._one:
            url = str(self._known()["url"])
            try:
                await self._talking().ask("RemoveXenServer", self._pool_uuid())
            except Failure as why:
                self._journal.warning("wlb-not-told", url=url, reason=why.code, words=str(why))
            await self._guarded.change(self._forgotten)
        self._tell("wlb-deconfigured", caller, url=url)

    async def configure(self, settings: Mapping[str, str]) -> None:
        """Send it settings."""
        told = soap.settings("OptimizationParms", settings)
        await self._talking().ask("SetXenPoolConfiguration", told, self._pool_uuid())

    async def configuration(self) -> Mapping[str, str]:
        """Its settings."""
        method = "GetXenPoolConfiguration"
        result = await self._talking().ask(method, self._pool_uuid())
        try:
            pairs = result.child("OptimizationParms").children
            return {one.child("Key").text: one.child("Value").text for one in pairs}
        except soap.Unreadable as why:
            raise WlbMalformedResponse(method, str(why), "") from why

    async def recommendations(self) -> Mapping[Ref, Sequence[str]]:
        """Which machine it would move: none, since there is none here."""
        return await self._recommended("GetOptimizationRecommendations", "VmToMoveUuid")

    async def evacuation(self, host: str) -> Mapping[Ref, Sequence[str]]:
        """Where it would move the machines of a host: none."""
        inside = soap.leaf("HostUuid", host)
        return await self._recommended("HostGetRecommendations", "VmUuid", inside)

    async def look(
        self, url: str, expected: Thumbprint | None, caller: Caller
    ) -> Mapping[str, str]:
        """What certificate is shown there; pinned, if it is the expected one."""
        talk = Talk(
            url, expecting.sight(expected), ANYTHING, self._seconds(),
            observe=self.observe, kind=Kind.BALANCING_LOOK,
        )  # fmt: skip
        connection = await talk.look()
        await connection.close()
        met = connection.met
        if expected is not None:
            await self._trusted.pin_appliance(met, caller)
            self._tell("wlb-pinned", caller, url=url, certificate=str(met.thumbprint))
        return _shown(met) | {"pinned": "true" if expected else "false"}

    async def post(self, host: str, port: int, body: str) -> str:
        """Send this to a web server that is believed, and return its answer."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._posted(host, port, body.encode())
        except Broken as why:
            raise CannotConnect(host, port, expected="a web server", why=str(why)) from why
        except OSError as why:
            words = no_connection(why)
            raise CannotConnect(host, port, expected="a web server", why=words) from why

    async def _posted(self, host: str, port: int, body: bytes) -> str:
        connection = await expecting.connected(
            host,
            port,
            self._expected(host, port),
            deadline=SECONDS,
            check_dates=self._belief.check_dates,
            seen=expecting.seen(self.observe, Kind.TEST_POST, host, port),
        )
        headers = {"Host": named(host, port), "Content-Type": "text/xml; charset=utf-8"}
        try:
            answer = await post(connection, "/", headers, body, most=LONGEST_REPLY)
        finally:
            await connection.close()
        if answer.status != 200:
            raise Broken(f"it answered with the HTTP status {answer.status}")
        return answer.body.decode("utf-8", "replace")

    def _expected(self, host: str, port: int) -> Sequence[Expectation]:
        """A host of the pool by its server identity, anybody else as an appliance."""
        if not self._belief.enforcing:
            return expecting.unverified()
        roster = self._belief.roster
        for member in roster.members.values():
            if port == roster.port and host in (member.address, member.name):
                return (Pinned(member.server.thumbprint),)
        return expecting.verified(roster, host, self._trusted.lists().values())

    async def _recommended(
        self, method: str, machine: str, *inside: str
    ) -> Mapping[Ref, Sequence[str]]:
        if not self._pool().wlb_enabled:
            self._known()
            raise WlbDisabled
        result = await self._talking().ask(method, *inside, self._pool_uuid())
        groups = [one for one in result.children if one.name == "Recommendations"]
        for one in groups[0].children if groups else ():
            if one.said(machine):
                raise WlbMalformedResponse(method, "it names a machine that is not here", "")
        return {}

    def _talking(self) -> Talk:
        known = self._known()
        row = self._guarded.store.get(SECRETS, str(known["password"]))
        if row is None:
            raise WlbNotInitialized
        return self._talk(str(known["url"]), Credentials(str(known["username"]), str(row["value"])))

    def _talk(self, url: str, login: Credentials, *unsaid: str) -> Talk:
        host, _ = expecting.place(url)
        belief = self._belief
        expects = expecting.unverified()
        if self._pool().wlb_verify_cert or belief.enforcing:
            expects = expecting.verified(belief.roster, host, self._trusted.lists().values())
        return Talk(url, expects, login, self._seconds(), belief.check_dates, unsaid, self.observe)

    def _known(self) -> Mapping[str, Any]:
        known = self._guarded.store.get(APPLIANCES, BALANCER)
        if known is None:
            raise WlbNotInitialized
        return known

    def _remembered(self, url: str, there: Credentials, uuid: str) -> Sequence[Change]:
        known = {"url": url, "username": there.username, "password": uuid}
        return [
            *self._without_secret(),
            Change(SECRETS, uuid, {"value": there.password, "other_config": {}}),
            Change(APPLIANCES, BALANCER, known),
        ]

    def _forgotten(self) -> Sequence[Change]:
        uuid = pool_uuid(self._belief.roster)
        row = self._guarded.store.get(POOLS, uuid) or {}
        return [
            *self._without_secret(),
            Change(APPLIANCES, BALANCER, None),
            Change(POOLS, uuid, {**row, "wlb_enabled": False}),
        ]

    def _without_secret(self) -> Sequence[Change]:
        known = self._guarded.store.get(APPLIANCES, BALANCER)
        return [Change(SECRETS, str(known["password"]), None)] if known else []

    def _pool(self) -> Pool:
        (pool,) = self._objects.of(Pool).values()
        return pool

    def _pool_uuid(self) -> str:
        return soap.leaf("PoolUuid", pool_uuid(self._belief.roster))

    def _own_url(self) -> str:
        """Where the appliance logs in: over TLS, since what it says there is a password."""
        roster = self._belief.roster
        address = roster.members[roster.coordinator].address
        return f"https://{bracketed(address)}:{roster.port}/"

    def _seconds(self) -> float:
        try:
            said = float(self._pool().other_config.get("wlb_timeout", SECONDS))
        except ValueError:
            return SECONDS
        return said if 0 < said <= LONGEST_WAIT else SECONDS

    def _tell(self, event: str, caller: Caller, **facts: str) -> None:
        self._journal.event(event, by=caller.user, peer=caller.origin.address or "-", **facts)


def _shown(met: Certificate) -> dict[str, str]:
    return {
        "thumbprint": str(met.thumbprint),
        "subject": met.subject,
        "issuer": met.issuer,
        "not_before": met.not_before.isoformat(),
        "not_after": met.not_after.isoformat(),
        "names": ", ".join((*met.names, *met.addresses)),
        "self_signed": "true" if met.self_signed else "false",
    }
