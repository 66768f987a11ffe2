"""What calls may ask of the daemon: a Protocol, so that tests can be the daemon."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

from pooltrust.api.declare.call import Call
from pooltrust.api.declare.values import Ref
from pooltrust.api.sessions import Caller, Origin, Principal, Sessions
from pooltrust.errors import Failure
from pooltrust.terms import HostId

if TYPE_CHECKING:
    from pooltrust.api.classes.access.people import People
    from pooltrust.api.classes.appliances.dialling import Dialling
    from pooltrust.api.classes.certificates.requests import CertificateRequests
    from pooltrust.api.classes.certificates.trusting import Trusting
    from pooltrust.api.declare.values import Int32
    from pooltrust.api.events.history import Event
    from pooltrust.api.events.subscription import Subscription
    from pooltrust.api.tasks import Tasks
    from pooltrust.pool.plan.operation import Operation
    from pooltrust.trust.entry import SignedEntry
    from pooltrust.trust.roster import Roster

R = TypeVar("R")

Edit: TypeAlias = Callable[[Any], Any]
"""Makes a field's new value from the one it has at that moment; may raise a Failure."""


class Observation(Protocol):
    """What one handshake from `observer` to `host` met, made just now.

    `met` is a thumbprint, empty if nobody answered; `at` is UTC in ISO 8601.
    """

    @property
    def observer(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def met(self) -> str: ...
    @property
    def tls_version(self) -> str: ...
    @property
    def verified(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def cure(self) -> str: ...
    @property
    def at(self) -> str: ...


class OperationSeen(Protocol):
    """An operation on the pool and what became of it.  Times are UTC."""

    @property
    def id(self) -> str: ...
    @property
    def operation(self) -> Operation: ...
    @property
    def state(self) -> str: ...
    @property
    def began(self) -> datetime: ...
    @property
    def ended(self) -> datetime | None: ...
    @property
    def phase(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def may_abandon(self) -> bool: ...


class Events(Protocol):
    """Who waits for events on this host: see api/events for what they are told.

    A `gate` raises why somebody who has waited is not served any more.
    """

    @property
    def count(self) -> int:
        """How many times something has changed."""

    @property
    def sizes(self) -> Mapping[str, Int32]:
        """How many objects of each class there are."""

    async def since(
        self,
        subscription: Subscription,
        token: str,
        seconds: float,
        session: Ref,
        gate: Callable[[], None],
    ) -> tuple[list[Event], str]:
        """The events after a token and the next token; waits for one, at most so long."""

    def register(self, session: Ref, subscription: Subscription) -> None:
        """Remember for this session what it has not heard by `next`."""

    def unregister(self, session: Ref, subscription: Subscription) -> None:
        """Do not remember these any more."""

    async def next(self, session: Ref, gate: Callable[[], None]) -> list[Event]:
        """What a registered session has not heard; waits until there is something."""

    def inject(self, cls: str, ref: Ref) -> str:
        """Have an object count as changed; returns the token of that."""


class Context(Protocol):
    """The daemon, as calls see it."""

    @property
    def this_host(self) -> HostId:
        """The host that this daemon is."""

    @property
    def is_coordinator(self) -> bool:
        """Whether this host is its pool's coordinator."""

    @property
    def coordinator_address(self) -> str:
        """Where clients find the coordinator: an address without scheme, port or brackets."""

    @property
    def roster(self) -> Roster:
        """Who belongs to the pool."""

    @property
    def sessions(self) -> Sessions:
        """The sessions of this host."""

    @property
    def tasks(self) -> Tasks:
        """The tasks of this host."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Have this done although its caller is answered; returns what cuts it off."""

    @property
    def events(self) -> Events:
        """Who waits for events."""

    @property
    def emergency(self) -> Failure | None:
        """Why this host answers nothing but emergency calls; None in ordinary times."""

    def now(self) -> datetime:
        """The moment, UTC."""

    @property
    def monotonic(self) -> Callable[[], float]:
        """Seconds that go on evenly, whatever becomes of the clock."""

    def random_uuid(self) -> str:
        """A UUID that nobody can guess."""

    def defect(self, why: Exception) -> str:
        """Log an exception that no call declares; returns the id that the client is given."""

    def records(self, cls: type[R]) -> Mapping[Ref, R]:
        """The objects of a class by reference; see views.py."""

    async def change(self, cls: type, ref: Ref, field: str, edit: Edit, caller: Caller) -> None:
        """Set one field of an object that exists.  Changes of one object come one after another."""

    async def create(self, cls: type, values: Mapping[str, Any], caller: Caller) -> Ref:
        """Keep a new object of these fields."""

    async def destroy(self, cls: type, refs: Sequence[Ref], caller: Caller) -> None:
        """Remove kept objects, which exist: all at once."""

    async def login(self, username: str, password: str, origin: Origin) -> Principal:
        """Check a password.

        Raises SessionAuthenticationFailed, SessionAuthorizationFailed, RbacPermissionDenied.
        """

    async def login_here(self, username: str, password: str, origin: Origin) -> Principal:
        """Check the superuser's password by what this host has.

        Raises SessionAuthenticationFailed, NotLocalSuperuser.
        """

    @property
    def people(self) -> People:
        """Users, subjects, and who else may come in."""

    @property
    def trusting(self) -> Trusting:
        """What the pool trusts beside its members."""

    @property
    def dialling(self) -> Dialling:
        """The appliances that hosts dial."""

    @property
    def certificate_requests(self) -> CertificateRequests:
        """What this host has asked an authority for."""

    async def forward(
        self,
        call: Call,
        arguments: Sequence[Any],
        principal: Principal,
        to: HostId | Literal["coordinator"],
    ) -> Any:
        """Have another host carry out a call, by `dispatch.carry_out` there; returns its value.

        Raises CannotContactHost, and what the call raises there.
        """

    async def join(self, address: str, username: str, password: str, caller: Caller) -> None:
        """Join the pool whose coordinator is at ``address[:port]``."""

    async def join_with_code(self, code: str, caller: Caller) -> None:
        """Join the pool that made this code."""

    async def create_join_code(self, lifetime: int, caller: Caller) -> str:
        """Make a one-time code that is good for so many seconds."""

    async def enable_tls_verification(self, caller: Caller) -> None:
        """Require verification in the whole pool, after every pair of hosts was probed."""

    async def disable_verification_here(
        self, reason: str, lasting: int | None, caller: Caller
    ) -> None:
        """Stop verifying whom this host dials; `lasting`: for so many seconds at the most."""

    async def reenable_verification_here(self, caller: Caller) -> None:
        """Verify again."""

    async def refresh(self, host: HostId, caller: Caller) -> None:
        """Give a host a new pool identity, while nobody is disconnected."""

    async def refresh_pool(self, caller: Caller) -> Collection[HostId]:
        """Give every host one, one after another; returns those whose turn comes later."""

    async def eject(self, host: HostId, caller: Caller) -> None:
        """Dismiss a host, there or lost."""

    async def hand_over(self, host: HostId, caller: Caller) -> None:
        """Let another member coordinate."""

    async def take_over(self, alone: bool, caller: Caller) -> None:
        """Coordinate instead of a coordinator that is lost; `alone`: without the others' word."""

    async def follow(self, address: str, caller: Caller) -> str:
        """Follow the coordinator at ``address``, whatever others say; what happened, in words."""

    async def recover(self, caller: Caller) -> Collection[HostId]:
        """Bring the log to every member that answers; returns who holds it."""

    def alerts(self) -> Sequence[Mapping[str, Any]]:
        """The alerts that have a cause now, the most urgent first; see host/telling/alerting.py."""

    def certificate_report(self) -> Mapping[str, Any]:
        """Every certificate with what can be said of it now; see pool/report.py."""

    def operations(self) -> Sequence[OperationSeen]:
        """Every operation that is known, oldest first."""

    async def resume_operation(self, id: str) -> str:
        """Go on with a suspended operation; how it ended, in words."""

    async def abandon_operation(self, id: str) -> str:
        """Take an operation back before its point of no return; how it ended, in words."""

    async def plan(self, call: str, host: HostId | None, caller: Caller) -> Mapping[str, Any]:
        """What a call would do, as a JSON object; empty if there is nothing to do."""

    async def join_plan(self, address: str) -> Mapping[str, Any]:
        """What a join to the pool at ``address[:port]`` would do; nothing is said of this host."""

    async def install_server_certificate(
        self, leaf: str, key: str, chain: str, caller: Caller
    ) -> tuple[str, Sequence[str]]:
        """Serve this host's clients an identity of the user's: PEM texts, the chain may be empty.

        Returns its thumbprint and what its user should know.  Raises what pki/offered refuses.
        """

    async def reset_server_certificate(self, caller: Caller) -> str:
        """Serve this host's clients a new self-signed identity; returns its thumbprint."""

    async def emergency_reset_server_certificate(self, caller: Caller) -> str:
        """The same while the pool can't be asked."""

    async def probe(self) -> Sequence[Observation]:
        """One handshake from this host with each member."""

    def observed(self) -> Sequence[Mapping[str, str]]:
        """What this host has observed of its TLS conversations; see host/telling/observed.py."""

    def endpoints(self) -> Sequence[Mapping[str, str]]:
        """Every kind of connection with its rule; see tls/endpoints.py."""

    def host_status(self) -> Mapping[str, str]:
        """How this host is: role, version of the log, certificates, validity."""

    def log_entries(self, after: int, count: int) -> Sequence[SignedEntry]:
        """At most so many entries of the trust log, after this number."""
