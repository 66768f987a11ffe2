"""The daemon: everything of one host, put together, started and stopped.

Nothing is decided here; each part knows its own business.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import uvloop

from pooltrust.api.sessions import Sessions
from pooltrust.errors import (
    CannotVerify,
    Failure,
    NotAccepted,
    OperationNotAllowed,
    OtherOperationInProgress,
    Refused,
    failure,
)
from pooltrust.host.accounts.local import Accounts
from pooltrust.host.accounts.logins import Logins
from pooltrust.host.accounts.standing import Standing
from pooltrust.host.accounts.subjects import Subjects
from pooltrust.host.accounts.system.chosen import chosen
from pooltrust.host.appliances.balancing import Balancing
from pooltrust.host.belief import Belief
from pooltrust.host.configuration.config import Config
from pooltrust.host.configuration.descriptors import allow_descriptors
from pooltrust.host.configuration.readiness import READY, STOPPING, tell_manager
from pooltrust.host.folder import StateFolder
from pooltrust.host.leaving.leaving import Leaving
from pooltrust.host.meeting.joining import Joining
from pooltrust.host.meeting.proofs import PasswordProof
from pooltrust.host.meeting.receiver import Receiver
from pooltrust.host.meeting.story import Returning
from pooltrust.host.obeying.emergency import Emergency
from pooltrust.host.obeying.keys import Keys
from pooltrust.host.obeying.orders import Orders
from pooltrust.host.obeying.registering import Registering
from pooltrust.host.obeying.requesting import Requesting
from pooltrust.host.obeying.server_identity import ServerIdentity
from pooltrust.host.obeying.whereabouts import Whereabouts
from pooltrust.host.opening import load, unix_socket
from pooltrust.host.operations.desk import Desk
from pooltrust.host.operations.hands import Hands
from pooltrust.host.operations.refreshing import Refreshing
from pooltrust.host.operations.shelf import CorruptOperation, Shelf
from pooltrust.host.operations.upkeep import Upkeep
from pooltrust.host.peers.link import Peers
from pooltrust.host.peers.probe import Prober
from pooltrust.host.peers.requests import requests
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.peers.server import PoolServer
from pooltrust.host.peers.shipping import Shipping
from pooltrust.host.peers.sightings import Sightings
from pooltrust.host.records.database import Database
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.serving.access.certified import Certified
from pooltrust.host.serving.access.people import People
from pooltrust.host.serving.context import DaemonContext
from pooltrust.host.serving.objects import Objects
from pooltrust.host.serving.web import Web
from pooltrust.host.takeover.endorsing import Endorsing
from pooltrust.host.takeover.following import Following
from pooltrust.host.takeover.leading import Leading
from pooltrust.host.takeover.settling import Settling
from pooltrust.host.takeover.taking import Taking
from pooltrust.host.telling.alerting import Alerting
from pooltrust.host.telling.conversations import refused
from pooltrust.host.telling.journal import Journal
from pooltrust.host.telling.noticing import Noticing
from pooltrust.host.telling.observed import Observations
from pooltrust.host.telling.transition import tell_transition
from pooltrust.host.telling.witness import Witness
from pooltrust.host.trusting.bringing import Bringing
from pooltrust.host.trusting.trusted import Trusted
from pooltrust.host.watch import Watch
from pooltrust.pool.alerts import Alert
from pooltrust.pool.anchors import CLIENT, issuers
from pooltrust.pool.code import CodeLedger
from pooltrust.terms import JOIN_NAME, POOL_NAME, HostId, Thumbprint
from pooltrust.tls.answer import Arrival, Listener, Refusal
from pooltrust.tls.frames import Frames, frames_protocol
from pooltrust.tls.handshake import complain
from pooltrust.trust.roster import Roster

ASK_AGAIN_SECONDS = 20.0
HEAR_SECONDS = 120.0
"""How long a stranger may tell what this host has missed; what was sound of it is kept."""
LOOK_AGAIN_SECONDS = 2.0
NO_PROOF_BY_PAM = (
    "Passwords are checked by PAM here, and can't be proved without being sent.  "
    "Join with a code: xe pool-join-code-create"
)
STRANGERS_BYTES = 256 * 1024
"""The largest frame of somebody who has proved nothing yet."""


@failure("PORT_DIFFERS")
class PortDiffers(Refused):
    """The configuration has port {configured}, but this host's pool uses port {pool}."""

    configured: int
    pool: int


def main(config: Config) -> int:
    """Run a host until SIGTERM or SIGINT.  Returns the exit status."""
    allow_descriptors()
    return uvloop.run(_run(config))


async def _run(config: Config) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(complain)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    journal = Journal.open(config.log_level)
    async with AsyncExitStack() as stack:
        stack.callback(journal.close)
        daemon = await Daemon.start(config, journal, stack)
        host = daemon.belief.me
        journal.event("started", host=host, address=config.listen, port=config.port)
        tell_manager(READY, os.environ, status=f"{config.name} answers on port {config.port}")
        await stop.wait()
        tell_manager(STOPPING, os.environ)
        journal.event("stopping", host=host)
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


class Daemon:
    """One running host.  Made by `start`; stopped by closing the stack it was given."""

    def __init__(
        self, config: Config, journal: Journal, folder: StateFolder, belief: Belief, store: Database
    ) -> None:
        self.config = config
        self.journal = journal
        self.belief = belief
        self.store = store
        self.guarded = Guarded(store)
        self.accounts = Accounts(self.guarded)
        passwords, directory = chosen(config, self.accounts, journal)
        self.logins = Logins(passwords)
        self.subjects = Subjects(self.guarded, directory)
        self.standing = Standing(self.subjects, lambda: self.context.sessions)
        store.watch(self.standing.changed)
        belief.watch(self.standing.followed)
        self.sightings = Sightings(belief)
        self.witness = Witness(belief, folder.heads, journal, _now)
        self.observations = Observations(_now)
        self.peers = Peers(
            belief,
            self.sightings,
            self.witness,
            journal,
            source=config.listen,
            clock=time.monotonic,
        )
        belief.is_current = lambda: self.sightings.current(time.monotonic())
        self.settling = Settling(belief, self.sightings)
        self.scribe = Scribe(belief, self.peers, journal, time.monotonic, _now)
        self.scribe.bound = self._look_around
        self.noticing = Noticing(belief, self.peers, journal, _now)
        self.scribe.telling.forked = self.noticing.forked
        self.prober = Prober(self.peers, _now)
        self.codes = CodeLedger()
        self.joining = Joining(belief, folder, config.listen, config.pool_lifetime, journal, _now)
        self.joining.forget = self._forget_pool
        self.joining.joined = self._changed_pools
        self.leaving = Leaving(belief, folder, config, journal, _now)
        self.leaving.forget = self._forget_pool
        self.leaving.left = self._left_pool
        self.leading = Leading(belief, self.peers, store, journal)
        self.shipping = Shipping(belief, self.peers, store, journal, self.leading)
        self.guarded.keeper = self.shipping
        self.endorsing = Endorsing(belief, self.peers, self.scribe, journal)
        self.taking = Taking(belief, self.peers, self.endorsing, self.leading, journal, _now)
        self.keys = Keys(belief, folder, config.pool_lifetime, journal, _now)
        self.settling.grew = self.keys.settled
        self.keys.keyless = self.scribe.telling.keyless
        self.emergency = Emergency(belief, self.prober, folder.emergency, journal, _now)
        self.orders = Orders(belief, self.keys, self.prober, self.emergency)
        self.registering = Registering(belief, self.peers, self.scribe)
        self.whereabouts = Whereabouts(belief, config.address, self.registering, journal)
        self.server_identity = ServerIdentity(
            belief, folder, config, self.registering, journal, _now
        )
        hands = Hands(belief, self.peers, self.scribe, self.orders, self.taking, journal)
        self.shelf = Shelf(store, folder.operation)
        self.desk = Desk(belief, hands, self.shelf, journal, _now)
        self.refreshing = Refreshing(
            belief, self.peers, self.keys, self.desk, self.shelf, journal, _now, time.monotonic
        )
        self.upkeep = Upkeep(
            belief,
            self.peers,
            self.desk,
            self.shelf,
            self.refreshing,
            journal,
            _now,
            time.monotonic,
        )
        self.desk.ready = self.shipping.may_change
        self.desk.busy = self._admitting
        self.upkeep.leads = lambda: self.leading.begun
        self.desk.left = self.upkeep.heard
        self.alerting = Alerting(belief, store, journal, _now)
        self.alerting.leads = lambda: self.leading.begun
        self.alerting.more = self._more_alerts
        self.logins.told = self._login_failed
        self.alerting.noticed = self.noticing.noticed
        self.noticing.changed = self._noticed
        self.leading.led = self._led
        self.following = Following(belief, self.scribe.telling, config.listen, journal)
        self.following.followed = self._followed
        self.objects = Objects(
            belief, self.sightings, self.desk, store, self.shipping, monotonic=time.monotonic
        )
        self.objects.overrides = lambda: self.noticing.overrides
        self.emergency.changed = self._noticed
        self.people = People(
            self.guarded, self.accounts, self.logins, self.subjects, self.standing, journal
        )
        self.requesting = Requesting(folder.request, config, self.server_identity, journal, _now)
        self.trusting = Trusted(belief, self.scribe, self.shipping, self.guarded, journal, _now)
        self.balancing = Balancing(
            belief,
            self.guarded,
            self.objects,
            self.trusting,
            journal,
            lambda: str(uuid4()),
        )
        self.people.of_the_system = config.passwords == "pam"
        self.context = DaemonContext(
            config=config,
            belief=belief,
            peers=self.peers,
            scribe=self.scribe,
            prober=self.prober,
            server_identity=self.server_identity,
            emergency_switch=self.emergency,
            desk=self.desk,
            refreshing=self.refreshing,
            following=self.following,
            joining=self.joining,
            codes=self.codes,
            logins=self.logins,
            subjects=self.subjects,
            people=self.people,
            trusting=self.trusting,
            dialling=self.balancing,
            certificate_requests=self.requesting,
            sessions=Sessions(timedelta(hours=config.session_hours)),
            store=store,
            objects=self.objects,
            observations=self.observations,
            journal=journal,
            monotonic=time.monotonic,
            clock=_now,
        )
        self.desk.finishing = self.context.finish
        self.bringing = Bringing(belief, folder, self.peers, self.scribe, self.guarded, journal)
        self.joining.brought = self.bringing.done
        self.joining.lists = self.trusting.lists
        table = requests(
            belief,
            self.scribe,
            self.prober,
            self.shipping,
            self.endorsing,
            self.orders,
            self.registering,
            self.noticing,
            self.bringing,
            self.context,
        )
        self.server = PoolServer(belief, self.peers, journal, table, time.monotonic, self._heard)
        self.receiver = Receiver(
            belief, self.scribe, self.codes, self._password_proof, journal, _now
        )
        self.receiver.teller.knocked = self.noticing.knocked
        self.receiver.leaving = lambda: self.joining.under_way
        self.receiver.free = self.desk.free
        self.receiver.lists = self.trusting.lists
        self.joining.admitting = lambda: self.receiver.admitting
        self.returning = Returning(belief, self.scribe, config.listen)
        self.peers.unknown = self._not_believed
        self._asked: dict[HostId, float] = {}
        self._looked, self._look_again = -LOOK_AGAIN_SECONDS, False
        self.web = Web(self.context, journal)
        self.web.served = lambda: belief.faces.server
        self.web.revocations = lambda: self.trusting.lists().values()
        self.web.authorities = lambda: issuers(belief.roster, CLIENT)
        self.certified = Certified(belief, store, self.standing, self.web, journal)
        self.people.asked_differently = self.certified.ask
        self.server_identity.changed = self.web.end_remote
        store.watch(lambda _revision, _changes: self.context.events.changed())
        belief.watch(self._roster_changed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._observe()

    def _observe(self) -> None:
        """Have what every part sees of TLS collected."""
        observations = self.observations
        for part in (
            self.peers, self.server, self.receiver, self.joining, self.returning, self.following,
            self.trusting, self.balancing, self.web,
        ):  # fmt: skip
            part.observe = observations.note
        self.web.shown = observations.shown = lambda: self._shown_to(None)

    @classmethod
    async def start(cls, config: Config, journal: Journal, stack: AsyncExitStack) -> Daemon:
        """Open everything of this host and answer.  Raises a Refused that says what is missing."""
        folder = StateFolder.open(config.folder)
        stack.callback(folder.lock().release)
        belief = await load(folder, config, folder.started(), journal)
        if belief.roster.port != config.port:
            raise PortDiffers(config.port, belief.roster.port)
        store = await Database.open(folder.database)
        stack.push_async_callback(store.close)
        belief.complain = lambda words: journal.error("log-file", words=words)
        if torn := belief.torn:
            kept = f"kept in {torn.kept}" if torn.kept else "not kept: the disk is full"
            journal.warning("log-torn", bytes=torn.length, words=f"a write was cut off; {kept}")
        daemon = cls(config, journal, folder, belief, store)
        stack.callback(daemon.accounts.close)
        stack.push_async_callback(daemon.guarded.close)
        stack.push_async_callback(belief.close)
        await daemon.certified.start()
        stack.push_async_callback(daemon.certified.close)
        await belief.open()
        await daemon.witness.open()
        await daemon._open(stack)
        return daemon

    async def _open(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self._cancel)
        listener = await Listener.open(
            self.config.listen,
            self.config.port,
            lambda: self.belief.faces,
            self._protocol,
            refused=self._refused,
        )
        stack.push_async_callback(self.web.close)
        stack.callback(self.context.events.close)
        stack.push_async_callback(self.context.close)
        stack.push_async_callback(listener.close)
        local = await unix_socket(self.config.socket, self.web.local)
        stack.push_async_callback(local)
        watch = Watch(
            self.belief,
            self.peers,
            self.journal,
            _now,
            lead=self.scribe.become_fit,
            tell=self.noticing.tell,
        )
        parts = (
            self.witness,
            self.keys,
            self.scribe,
            self.joining,
            self.leaving,
            self.leading,
            self.shipping,
        )
        for part in (
            *parts,
            self.emergency,
            self.server_identity,
            self.whereabouts,
            self.bringing,
            self.alerting,
            self.desk,
            self.upkeep,
            watch,
        ):
            stack.push_async_callback(part.close)
        await self._open_shelf()
        await self.emergency.open()
        await self.requesting.open()
        await self.joining.resume()
        self.leaving.resume()
        self.settling.look()
        await self.keys.watch()
        self.sightings.watch(self.server_identity.heard)
        self.sightings.watch(self.bringing.soon)
        self.server_identity.watch()
        self.server_identity.settle_soon()
        self.sightings.watch(self.whereabouts.heard)
        self.whereabouts.heard()
        self.leading.start()
        self.shipping.start()
        self.upkeep.start()
        self.alerting.start()
        watch.start()

    def _roster_changed(self, before: Roster, after: Roster) -> None:
        if before.coordinator != after.coordinator:
            self.context.events.end_all()
        gone = before.members.keys() - after.members.keys()
        if gone:
            certificates = [one for host in gone for one in before.members[host].certificates]
            self.observations.left(gone, {str(one.thumbprint) for one in certificates})
        self.context.events.changed()

    def _protocol(self, arrival: Arrival) -> asyncio.BaseProtocol:
        match arrival.name:
            case name if name == POOL_NAME:
                return frames_protocol(self._serve_member, arrival)
            case name if name == JOIN_NAME:
                return frames_protocol(self._serve_stranger, arrival, receive_limit=STRANGERS_BYTES)
        return self.web.remote(arrival.address)

    async def _serve_member(self, frames: Frames, der: bytes | None, arrival: Arrival) -> None:
        if der is not None:
            await self.server.serve(frames, Thumbprint.of(der), arrival.address)

    async def _serve_stranger(self, frames: Frames, der: bytes | None, arrival: Arrival) -> None:
        await self.receiver.serve(frames, arrival.address)

    def _password_proof(self, origin: str) -> PasswordProof:
        if self.people.of_the_system:
            raise OperationNotAllowed(NO_PROOF_BY_PAM)
        return PasswordProof(self.accounts, self.logins, self.subjects, origin)

    def _login_failed(self, user: str | None, where: str) -> None:
        self.journal.damped(
            "login-failed",
            peer=where,
            reason="password" if user else "user",
            user=user or "unknown",
        )

    def _refused(self, refusal: Refusal) -> None:
        self.noticing.refused(refusal)
        self.observations.note(refused(refusal, self._shown_to(refusal.name)))
        self.journal.damped(
            "connection-refused",
            peer=refusal.address,
            reason=refusal.reason,
            name=refusal.name or "",
            expected=refusal.expected,
            met=self._whose(refusal.address) if refusal.name else refusal.address,
            words=refusal.words,
            cure=refusal.cure,
        )

    def _noticed(self) -> None:
        self.alerting.look_soon()
        if not self.belief.is_coordinator:
            self._spawn(self._tell(), "tell")

    async def _tell(self) -> None:
        try:
            await self.noticing.tell()
        except Failure as why:  # the next heartbeat tells it
            self.journal.damped("not-told", peer="", reason=why.code, words=str(why))

    def _shown_to(self, name: str | None) -> str:
        identities = self.belief.identities
        face = identities.pool if name else identities.server
        return str(face.identity.certificate.thumbprint)

    def _whose(self, address: str) -> str:
        """Whom the roster expects there: who was refused showed nothing that is to be believed."""
        members = self.belief.roster.members.values()
        names = " and ".join(one.name for one in members if one.address == address)
        return f"{address}, the address of {names or 'no member'}"

    async def _open_shelf(self) -> None:
        try:
            await self.shelf.open()
        except CorruptOperation as why:
            self.journal.error("operation-corrupt", words=str(why))

    def _led(self) -> None:
        self.upkeep.led()
        self.alerting.look_soon()
        self._spawn(self._tell_transition(), "transition")

    async def _tell_transition(self) -> None:
        try:
            await tell_transition(self.store, self.belief.me, _now())
        except Failure as why:
            self.journal.warning("transition-not-told", reason=why.code, words=str(why))

    def _admitting(self) -> Failure | None:
        """A host that is being let in is as good as an operation."""
        if not self.receiver.admitting:
            return None
        return OtherOperationInProgress("pool", self.belief.roster.pool, "join", "")

    def _heard(self, host: HostId, differs: bool) -> None:
        self.shipping.met(host)
        self.upkeep.heard()
        if differs:
            self._fell_behind(host)

    def _followed(self, host: HostId, address: str) -> None:
        self.peers.found(host, address)
        self._fell_behind(host)

    def _fell_behind(self, host: HostId) -> None:
        name = f"catch-up-{host}"
        if all(task.get_name() != name for task in self._tasks):
            self._spawn(self._catch_up(host), name)

    def _look_around(self) -> None:
        """See all heads, one such round at a time and not at every turn, but surely once more."""
        self._look_again = True
        if all(task.get_name() != "look-around" for task in self._tasks):
            self._spawn(self._look_until_seen(), "look-around")

    async def _look_until_seen(self) -> None:
        while self._look_again:
            await asyncio.sleep(max(0.0, self._looked + LOOK_AGAIN_SECONDS - time.monotonic()))
            self._looked, self._look_again = time.monotonic(), False
            await self.peers.look_around()

    def _not_believed(self, host: HostId, why: CannotVerify) -> None:
        """Ask it, trusting nothing, what we may have missed; now and then, not at each attempt.

        A host that is current has missed nothing: then it is an impostor and hears nothing of us.
        But one that proved itself and refuses us may know what has happened since.
        """
        now = time.monotonic()
        if self.sightings.current(now) and not isinstance(why, NotAccepted):
            return
        name = f"hear-from-{host}"
        if any(task.get_name() == name for task in self._tasks):
            return
        if now - self._asked.get(host, -ASK_AGAIN_SECONDS) >= ASK_AGAIN_SECONDS:
            self._asked[host] = now
            self._spawn(self._hear_from(host), name)

    async def _hear_from(self, host: HostId) -> None:
        try:
            async with asyncio.timeout(HEAR_SECONDS):
                await self.returning.hear_from(host)
            if host not in self.belief.roster.members:
                return  # it was dismissed, or we were
            if not await self._is_believed(host):
                self.scribe.telling.unexplained(host)
        except Failure as why:
            self.journal.damped("story-not-heard", peer=host, reason=why.code, words=str(why))
        except TimeoutError:
            words = f"it did not end within {HEAR_SECONDS:g} s"
            self.journal.damped("story-not-heard", peer=host, reason="TIMEOUT", words=words)

    async def _is_believed(self, host: HostId) -> bool:
        try:
            async with self.peers.link(host):
                return True
        except CannotVerify:
            return False

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _catch_up(self, host: HostId) -> None:
        try:
            await self.peers.look(host)
        except Failure as why:
            self.journal.damped("catch-up", peer=host, reason=why.code, words=str(why))

    async def _forget_pool(self) -> None:
        """Keep nothing of the pool that this host leaves.  Raises CannotStore."""
        await self.store.erase()
        await self.shelf.end_takeover()

    def _more_alerts(self) -> Iterator[Alert]:
        yield from self.logins.failures().alerts(self.belief.roster.pool)
        yield from self.trusting.crl_alerts()

    def _left_pool(self) -> None:
        self.observations.forget()  # what its members showed, too
        self._changed_pools()

    def _changed_pools(self) -> None:
        self.sightings.forget()
        self.scribe.unfit()
        self.context.begin_anew()
        self.bringing.joined()
        self._asked.clear()
        if not self.belief.is_coordinator:
            self._fell_behind(self.belief.roster.coordinator)

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
