"""The daemon as API calls see it: each port of the api floor's `Context`, nothing of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeVar

import orjson

from pooltrust.api import roles
from pooltrust.api.classes.fields.pool import Pool
from pooltrust.api.context import Edit
from pooltrust.api.declare.call import Call
from pooltrust.api.declare.record import evented
from pooltrust.api.declare.values import Ref
from pooltrust.api.dispatch import carry_out
from pooltrust.api.sessions import Caller, Origin, Principal, Sessions
from pooltrust.api.tasks import Tasks
from pooltrust.api.wire.jsonrpc import encode
from pooltrust.errors import Failure, HostIsSlave, InvalidValue, NotLocalSuperuser
from pooltrust.errors.telling import TaskCancelled
from pooltrust.host.accounts.local import ADMINISTRATOR
from pooltrust.host.accounts.logins import Logins
from pooltrust.host.accounts.subjects import Subjects
from pooltrust.host.appliances.balancing import Balancing
from pooltrust.host.belief import Belief
from pooltrust.host.configuration.config import Config
from pooltrust.host.meeting.joining import Joining
from pooltrust.host.obeying.emergency import Emergency
from pooltrust.host.obeying.requesting import Requesting
from pooltrust.host.obeying.server_identity import ServerIdentity
from pooltrust.host.operations import ordering
from pooltrust.host.operations.desk import Desk
from pooltrust.host.operations.order import Moment, Order
from pooltrust.host.operations.refreshing import Refreshing
from pooltrust.host.operations.shelf import State, Stored
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Peers
from pooltrust.host.peers.probe import Prober, Seen
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.place import split
from pooltrust.host.records.store import Store
from pooltrust.host.serving.access.people import People
from pooltrust.host.serving.hub import Hub
from pooltrust.host.serving.objects import Objects
from pooltrust.host.serving.status import status
from pooltrust.host.takeover.following import Following
from pooltrust.host.telling.alerting import TABLE as ALERTS
from pooltrust.host.telling.journal import Journal
from pooltrust.host.telling.observed import Observations
from pooltrust.host.trusting.trusted import Trusted
from pooltrust.pki.offered.leaf import server_identity
from pooltrust.pool.breaks import next_break
from pooltrust.pool.code import SECRET_BYTES, CodeLedger, JoinCode
from pooltrust.pool.plan.plan import Kind
from pooltrust.pool.report import report
from pooltrust.terms import HostId
from pooltrust.tls.endpoints import ENDPOINTS
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.roster import Roster

R = TypeVar("R")

Installed = tuple[str, Sequence[str]]
FORWARD_SECONDS = 120.0
LONGEST_USER = 64


@dataclass(slots=True, kw_only=True)
class DaemonContext:
    """What calls may ask of this daemon.  `monotonic`: seconds; `now`: UTC."""

    config: Config
    belief: Belief
    peers: Peers
    scribe: Scribe
    prober: Prober
    server_identity: ServerIdentity
    emergency_switch: Emergency
    desk: Desk
    refreshing: Refreshing
    following: Following
    joining: Joining
    codes: CodeLedger
    logins: Logins
    subjects: Subjects
    people: People
    trusting: Trusted
    dialling: Balancing
    certificate_requests: Requesting
    store: Store
    objects: Objects
    observations: Observations
    journal: Journal
    monotonic: Callable[[], float]
    clock: Callable[[], datetime]
    sessions: Sessions = field(default_factory=Sessions)
    tasks: Tasks = field(init=False)
    events: Hub = field(init=False)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.events = Hub(lambda: evented(self), whose=secrets.randbits(63))
        self._begin(self.sessions)

    @property
    def this_host(self) -> HostId:
        """The host that this daemon is."""
        return self.belief.me

    @property
    def is_coordinator(self) -> bool:
        """Whether it coordinates its pool."""
        return self.belief.is_coordinator

    @property
    def coordinator_address(self) -> str:
        """Where clients find the coordinator."""
        roster = self.belief.roster
        return roster.members[roster.coordinator].address

    @property
    def roster(self) -> Roster:
        """Who belongs to the pool."""
        return self.belief.roster

    @property
    def emergency(self) -> Failure | None:
        """None: this host answers everything it can answer."""
        return None

    def now(self) -> datetime:
        """The moment, UTC."""
        return self.clock()

    def random_uuid(self) -> str:
        """A UUID that nobody can guess."""
        return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))

    def spawn(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Have this done in the background; returns what cuts it off."""
        task = asyncio.create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task.cancel

    async def close(self) -> None:
        """Cut off what is done in the background."""
        for task in self.background:
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)

    def defect(self, why: Exception) -> str:
        """Log an exception that no call declares; returns its id."""
        number = secrets.token_hex(4)
        self.journal.defect("call-defect", why, id=number)
        return number

    def begin_anew(self) -> None:
        """This host belongs to another pool now: what was its old one's is forgotten."""
        self._begin(Sessions(self.sessions.idle))
        self.objects.forget()
        self.events.end_all()

    def _begin(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.sessions.ended = self.events.end_session
        self.sessions.opened = self.observations.logged_in
        self.tasks = Tasks(self.events.changed_task)

    def records(self, cls: type[R]) -> Mapping[Ref, R]:
        """The objects of a class by reference."""
        return self.objects.of(cls)

    async def change(self, cls: type, ref: Ref, field: str, edit: Edit, caller: Caller) -> None:
        """Set one field of an object that exists."""
        await self.objects.change(cls, ref, field, edit)

    async def create(self, cls: type, values: Mapping[str, Any], caller: Caller) -> Ref:
        """Keep a new object of these fields."""
        return await self.objects.create(cls, self.random_uuid(), values)

    async def destroy(self, cls: type, refs: Sequence[Ref], caller: Caller) -> None:
        """Remove kept objects, all at once."""
        await self.objects.destroy(cls, refs)

    async def login(self, username: str, password: str, origin: Origin) -> Principal:
        """Check a password; whoever has it may do what its subject may."""
        await self.logins.login(username, password, origin.address)
        who = await self.subjects.principal(username, origin)
        if not self.is_coordinator:  # it joined another pool while the password was checked
            raise HostIsSlave(self.coordinator_address)
        return who

    async def login_here(self, username: str, password: str, origin: Origin) -> Principal:
        """Check the superuser's password, by what this host has last heard of it."""
        await self.logins.login(username, password, origin.address)
        if username != ADMINISTRATOR:
            raise NotLocalSuperuser(f"Only {ADMINISTRATOR} may log in to one host alone")
        return await self.subjects.principal(username, origin)

    async def forward(
        self,
        call: Call,
        arguments: Sequence[Any],
        principal: Principal,
        to: HostId | Literal["coordinator"],
    ) -> Any:
        """Have another member carry out a call."""
        host = self.roster.coordinator if to == "coordinator" else to
        answer = await self.peers.call_verified(
            host,
            "api",
            within=FORWARD_SECONDS,
            name=call.name,
            arguments=orjson.loads(encode(list(arguments))),
            principal=principal.carried(),
        )
        return answer.get("value")

    async def forwarded(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Carry out a call that another member forwards."""
        arguments = frame.get("arguments")
        if not isinstance(arguments, list):
            raise wire.PeerMisspoke("a forwarded call without arguments")
        principal = self._carried(peer, frame)
        value = await carry_out(self, wire.text(frame, "name"), arguments, principal)
        return {"value": orjson.loads(encode(value))}

    def _carried(self, peer: HostId, frame: wire.Frame) -> Principal:
        """Who calls, by the word of the member that forwards: its name stands beside theirs."""
        try:
            said = Principal.from_carried(frame.get("principal"))
        except ValueError as why:
            raise wire.PeerMisspoke("a forwarded call by nobody") from why
        member = self.roster.members[peer]
        user = f"{said.user[:LONGEST_USER]} via {member.name}"
        held = said.roles | ({roles.POOL_ADMIN} if said.is_local_superuser else set())
        origin = Origin(member.address)
        # What only a host's own root may do is not forwarded: root elsewhere is an administrator.
        return replace(
            said, user=user, origin=origin, roles=held, is_local_superuser=False, pool=False
        )

    async def join(self, address: str, username: str, password: str, caller: Caller) -> None:
        """Join the pool whose coordinator is at ``address[:port]``."""
        host, port = split(address, self.roster.port)
        await self.joining.by_password(host, port, username, password)

    async def join_with_code(self, code: str, caller: Caller) -> None:
        """Join the pool that made this code."""
        await self.joining.by_code(JoinCode.parse(code))

    async def create_join_code(self, lifetime: int, caller: Caller) -> str:
        """Make a one-time code that is good for so many seconds."""
        code = JoinCode(
            id=secrets.token_hex(8),
            pool=self.roster.pool,
            thumbprint=self.belief.identities.pool.identity.certificate.thumbprint,
            addresses=(self.coordinator_address,),
            port=self.roster.port,
            secret=secrets.token_bytes(SECRET_BYTES),
            expires=self.now().replace(microsecond=0) + timedelta(seconds=lifetime),
        )
        self.codes.add(code, self.this_host)
        self.journal.event("join-ticket-made", id=code.id, by=caller.user, expires=code.expires)
        return code.text()

    async def enable_tls_verification(self, caller: Caller) -> None:
        """Require verification in the whole pool, after every pair of hosts was probed."""
        done = await self._carry_out(ordering.enabling(by=caller.user), caller)
        await self._reenable_everywhere()
        if done is None:
            await self.finish(Kind.TLS_VERIFICATION_ENABLE)

    async def finish(self, kind: Kind) -> None:
        """The last step of an operation: verification includes the appliance from now on."""
        if kind is not Kind.TLS_VERIFICATION_ENABLE:
            return
        ((ref, pool),) = self.records(Pool).items()
        if not pool.wlb_verify_cert:
            with suppress(HostIsSlave):  # whoever leads now ends the operation, and does this
                await self.objects.change(Pool, ref, "wlb_verify_cert", lambda _: True)

    async def _reenable_everywhere(self) -> None:
        """Switch off each host's emergency, which has no object any more."""
        await self.emergency_switch.clear()
        for host, known in (await self.desk.seen()).hosts.items():
            if known.override and host != self.this_host:
                await self.peers.call_verified(host, "reenable")

    async def disable_verification_here(
        self, reason: str, lasting: int | None, caller: Caller
    ) -> None:
        """Stop verifying whom this host dials, for so many seconds at the most."""
        limit = timedelta(seconds=lasting) if lasting else None
        await self.emergency_switch.disable(reason, limit)

    async def reenable_verification_here(self, caller: Caller) -> None:
        """Verify again."""
        await self.emergency_switch.reenable()

    async def refresh(self, host: HostId, caller: Caller) -> None:
        """Give a host a new pool identity."""
        order = self.refreshing.ordered(host, by=caller.user, call=caller.call)
        await self._carry_out(order, caller)

    async def refresh_pool(self, caller: Caller) -> Collection[HostId]:
        """Give every host one; returns those whose turn comes later."""
        return await self.refreshing.whole_pool(by=caller.user, call=caller.call)

    async def eject(self, host: HostId, caller: Caller) -> None:
        """Dismiss a host."""
        await self._carry_out(ordering.ejecting(host, by=caller.user), caller)

    async def hand_over(self, host: HostId, caller: Caller) -> None:
        """Let another member coordinate."""
        await self._carry_out(ordering.handing_over(host, by=caller.user), caller)

    async def take_over(self, alone: bool, caller: Caller) -> None:
        """Coordinate instead of a coordinator that is lost."""
        await self._carry_out(ordering.taking_over(alone=alone, by=caller.user), caller)

    async def follow(self, address: str, caller: Caller) -> str:
        """Follow the coordinator at this address, whatever the others say; in words what was given
        up."""
        host, _ = split(address, self.roster.port)
        return (await self.following.follow(host)).words

    async def recover(self, caller: Caller) -> Collection[HostId]:
        """Bring the log to every member that answers; returns who holds it."""
        await self._carry_out(ordering.recovering(by=caller.user), caller)
        me = frozenset((self.this_host,))
        return (self.peers.sightings.holders(self.roster.number) & self.roster.members.keys()) - me

    def alerts(self) -> Sequence[Mapping[str, Any]]:
        """The alerts that have a cause now, the most urgent first."""
        rows = self.store.rows(ALERTS).values()
        return sorted(rows, key=lambda row: (row["priority"], row["raised"], row["name"]))

    def certificate_report(self) -> Mapping[str, Any]:
        """Every certificate with what can be said of it now."""
        roster, now = self.roster, self.now()
        names = {self.this_host: (self.config.name, *self.config.names)}
        breaks = next_break(roster, now, check_dates=self.belief.check_dates)
        return report(roster, now, names=names, next=breaks)

    async def _carry_out(self, order: Order, caller: Caller) -> Stored | None:
        """To its end; the caller's task tells how far it is, and may give it up."""
        task = caller.task
        if task is None:
            return await self.desk.order(order)
        done = await self.desk.order(replace(order, told=partial(self._told, task)))
        if done is not None and done.state is State.ABANDONED:
            raise TaskCancelled(task)
        return done

    def _told(self, task: Ref, moment: Moment) -> None:
        tick = self.monotonic()
        self.tasks.edit(task, tick, progress=moment.progress)
        stop = partial(self.desk.give_up, moment.id) if moment.may_stop else None
        self.tasks.may_stop(task, stop, tick)

    def operations(self) -> Sequence[Stored]:
        """Every operation that is known, oldest first."""
        return self.desk.all()

    async def resume_operation(self, id: str) -> str:
        """Go on with an operation; how it ended, in words."""
        return (await self.desk.resume(id)).words

    async def abandon_operation(self, id: str) -> str:
        """Take an operation back; how it ended, in words."""
        return (await self.desk.abandon(id)).words

    async def plan(self, call: str, host: HostId | None, caller: Caller) -> Mapping[str, Any]:
        """What a call would do, before it does it; empty if there is nothing to do."""
        if call == "host.refresh_server_certificate" and host:
            shown = await self.refreshing.preview(host, by=caller.user, call=call)
        else:
            shown = await self.desk.preview(self._order(call, host, caller.user))
        return shown.to_wire() if shown else {}

    async def join_plan(self, address: str) -> Mapping[str, Any]:
        """What a join to the pool at ``address[:port]`` would do."""
        host, port = split(address, self.roster.port)
        return (await self.joining.preview(host, port)).to_wire()

    def _order(self, call: str, host: HostId | None, by: str) -> Order:
        match call:
            case "pool.enable_tls_verification":
                return ordering.enabling(by=by)
            case "pool.recover_slaves":
                return ordering.recovering(by=by)
            case "pool.emergency_transition_to_master":
                return ordering.taking_over(alone=False, by=by)
            case "pooltrust.take_over_alone":
                return ordering.taking_over(alone=True, by=by)
            case "pool.eject" if host:
                return ordering.ejecting(host, by=by)
            case "pool.designate_new_master" if host:
                return ordering.handing_over(host, by=by)
        raise InvalidValue("method", call)

    async def install_server_certificate(
        self, leaf: str, key: str, chain: str, caller: Caller
    ) -> Installed:
        """Serve clients this identity, if it may be installed here."""
        config = self.config
        names = (config.name, *config.names, config.address)
        judged = await asyncio.to_thread(
            server_identity, leaf, key, chain, now=self.now(), names=names
        )
        await self.server_identity.install(judged.identity, by=caller.user, call=caller.call)
        for warning in judged.warnings:
            self.journal.warning("server-identity-installed", words=warning)
        return str(judged.identity.certificate.thumbprint), judged.warnings

    async def reset_server_certificate(self, caller: Caller) -> str:
        """Serve clients a new self-signed identity; returns its thumbprint."""
        return str(await self.server_identity.reset(by=caller.user, call=caller.call))

    async def emergency_reset_server_certificate(self, caller: Caller) -> str:
        """The same, whatever the pool says; returns its thumbprint."""
        return str(await self.server_identity.emergency_reset())

    async def probe(self) -> Sequence[Seen]:
        """One handshake from this host with each member."""
        return await self.prober.probe_all()

    def observed(self) -> Sequence[Mapping[str, str]]:
        """What this host has observed of its TLS conversations."""
        return self.observations.told()

    def endpoints(self) -> Sequence[Mapping[str, str]]:
        """Every kind of connection with its rule."""
        return [{name: str(one) for name, one in asdict(each).items()} for each in ENDPOINTS]

    def host_status(self) -> Mapping[str, str]:
        """How this host is, in one flat map; its members are a list in JSON."""
        current = self.peers.sightings.current(self.monotonic())
        said = status(self.belief, self.now(), current=current)
        return {
            name: one if isinstance(one, str) else json.dumps(one) for name, one in said.items()
        }

    def log_entries(self, after: int, count: int) -> Sequence[SignedEntry]:
        """At most so many entries of the trust log, after this number."""
        return self.belief.log.tail(after, count)
