"""A daemon that is not there: the Context of the tests, over a real roster of three hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson

from api.fake_dialling import FakeDialling
from api.fake_people import FakePeople
from api.fake_trusting import FakeRequests, FakeTrusting
from pooltrust.api import views
from pooltrust.api.context import Caller
from pooltrust.api.declare.call import Call
from pooltrust.api.declare.record import evented
from pooltrust.api.declare.values import Ref, ref_of
from pooltrust.api.dispatch import dispatch
from pooltrust.api.events.history import Event
from pooltrust.api.events.subscription import Subscription
from pooltrust.api.sessions import Origin, Principal, Sessions
from pooltrust.api.tasks import Tasks
from pooltrust.api.wire.jsonrpc import JSON
from pooltrust.api.wire.message import Answer, Wire
from pooltrust.errors import Failure, SessionAuthenticationFailed
from pooltrust.host.serving.hub import Gate, Hub
from pooltrust.pki.identity import Identity
from pooltrust.pki.mint import KeyKind, mint_pool_identity, mint_server_identity
from pooltrust.pool.operations.asked import Asked
from pooltrust.pool.operations.takeover import recover
from pooltrust.pool.plan.operation import Operation
from pooltrust.pool.plan.picture import Picture
from pooltrust.terms import EntryHash, HostId, PoolId
from pooltrust.trust.entries import KINDS, Founded
from pooltrust.trust.entry import Entry, SignedEntry, sign_entry
from pooltrust.trust.log import Log
from pooltrust.trust.roster import Membership, Roster

NOW = datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC)
H1, H2, H3 = (HostId(f"0000000{n}-aaaa-4bbb-8ccc-dddddddddddd") for n in (1, 2, 3))
REMOTE = Origin("192.0.2.7")
LOCAL = Origin("", local=True)
COORDINATOR_ADDRESS = "127.0.0.1"


@cache
def identities(host: HostId) -> tuple[Identity, Identity]:
    server = mint_server_identity([f"h{host[7]}"], [f"127.0.0.{host[7]}"], NOW, kind=KeyKind.P256)
    return mint_pool_identity(host, NOW), server


@cache
def roster() -> Roster:
    made = Roster.empty(PoolId("ab" * 32), 8443, H1, verification=True)
    for host in (H1, H2, H3):
        pool, server = identities(host)
        made = made.with_member(
            Membership(
                host, f"h{host[7]}", f"127.0.0.{host[7]}", (pool.certificate,),
                server.certificate, (), KINDS,
            )
        )  # fmt: skip
    return made


@cache
def founding() -> SignedEntry:
    pool, server = identities(H1)
    body = Founded(
        H1, "h1", "127.0.0.1", 8443, pool.certificate.der, server.certificate.der, True, KINDS
    )
    signer = pool.certificate.thumbprint
    entry = Entry(1, PoolId(""), EntryHash(""), NOW, "root", "host.init", signer, body)
    return sign_entry(entry, pool)


@dataclass(frozen=True)
class Seen:
    observer: str
    host: str
    address: str = "127.0.0.2"
    met: str = "AA:BB"
    tls_version: str = "TLSv1.3"
    verified: bool = True
    reason: str = ""
    cure: str = ""
    at: str = "2024-01-31T23:59:59+00:00"


@dataclass(frozen=True)
class Underway:
    """An operation as the daemon has it."""

    operation: Operation
    state: str = "running"
    began: datetime = NOW
    ended: datetime | None = None
    phase: str = "dismiss"
    words: str = ""
    may_abandon: bool = True

    @property
    def id(self) -> str:
        return self.operation.plan.id


def an_operation(host: HostId) -> Operation:
    picture = Picture.whole(Log.verify([founding()]), H1)
    return Operation(replace(recover(picture, Asked(str(UUID(int=7)), "root", "x")), subject=host))


class Hasty(Hub):
    """A hub that keeps nobody waiting, however long they would."""

    async def since(
        self, subscription: Subscription, token: str, seconds: float, session: Ref, gate: Gate
    ) -> tuple[list[Event], str]:
        return await super().since(subscription, token, 0.0, session, gate)


@dataclass
class FakeContext:
    """`did` lists what calls asked for; `elsewhere` answers forwarded calls."""

    this_host: HostId = H1
    coordinator_address: str = COORDINATOR_ADDRESS
    emergency: Failure | None = None
    roster: Roster = field(default_factory=roster)
    sessions: Sessions = field(default_factory=Sessions)
    tasks: Tasks = field(default_factory=Tasks)
    rows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    principal: Principal = field(
        default_factory=lambda: Principal("root", REMOTE, is_local_superuser=True)
    )
    people: FakePeople = field(default_factory=FakePeople)
    trusting: FakeTrusting = field(default_factory=FakeTrusting)
    dialling: FakeDialling = field(default_factory=FakeDialling)
    certificate_requests: FakeRequests = field(default_factory=FakeRequests)
    elsewhere: Callable[..., Any] | None = None
    did: list[Any] = field(default_factory=list)
    defects: list[Exception] = field(default_factory=list)
    moment: datetime = NOW
    count: int = 0
    events: Hub = field(init=False)

    def __post_init__(self) -> None:
        self.events = Hasty(lambda: evented(self), whose=7)

    @property
    def is_coordinator(self) -> bool:
        return self.this_host == self.roster.coordinator

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - NOW).total_seconds()

    def spawn(self, work: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """Done at once, as far as nothing is waited for."""
        with suppress(StopIteration):
            work.send(None)
        return work.close

    def random_uuid(self) -> str:
        self.count += 1
        return str(UUID(int=self.count))

    def defect(self, why: Exception) -> str:
        self.defects.append(why)
        return f"defect-{len(self.defects)}"

    def table(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        kept = {uuid: row for (of, uuid), row in self.rows.items() if of == name}
        return {**self.people.tables.get(name, {}), **kept}

    def picture(self) -> views.Picture:
        return views.Picture(
            self.roster,
            rows=self.table,
            liveness={H1: views.Liveness(True, NOW, 4096), H2: views.Liveness(True, NOW, 4096)},
        )

    def records(self, cls: type) -> Mapping[Ref, Any]:
        return views.records(cls, self.picture())

    async def change(
        self, cls: type, ref: Ref, name: str, edit: Callable[[Any], Any], caller: Caller
    ) -> None:
        record = self.records(cls)[ref]
        row = self.rows.setdefault((views.class_of(cls).name, record.uuid), {})
        row[name] = views.stored(edit(getattr(record, name)))
        self.did.append(("change", caller.call, name))

    async def create(self, cls: type, values: Mapping[str, Any], caller: Caller) -> Ref:
        name, uuid = views.class_of(cls).name, self.random_uuid()
        self.rows[name, uuid] = {key: views.stored(value) for key, value in values.items()}
        self.did.append(("create", caller.call, name))
        return ref_of(name, uuid)

    async def destroy(self, cls: type, refs: Sequence[Ref], caller: Caller) -> None:
        for record in [self.records(cls)[ref] for ref in refs]:
            del self.rows[views.class_of(cls).name, record.uuid]
        self.did.append(("destroy", caller.call, len(refs)))

    async def login(self, username: str, password: str, origin: Origin) -> Principal:
        self.did.append(("login", username))
        if password != "right":
            raise SessionAuthenticationFailed(username=username)
        return self.principal

    async def login_here(self, username: str, password: str, origin: Origin) -> Principal:
        return await self.login(username, password, origin)

    async def forward(
        self, call: Call, arguments: Sequence[Any], principal: Principal, to: str
    ) -> Any:
        self.did.append(("forward", call.name, to))
        assert self.elsewhere is not None
        return await self.elsewhere(call, arguments, principal, to)

    async def join(self, address: str, username: str, password: str, caller: Caller) -> None:
        self.did.append(("join", address, username, caller.user))

    async def join_with_code(self, code: str, caller: Caller) -> None:
        self.did.append(("join_with_code", caller.user))

    async def create_join_code(self, lifetime: int, caller: Caller) -> str:
        self.did.append(("create_join_code", lifetime))
        return "a code"

    async def enable_tls_verification(self, caller: Caller) -> None:
        self.did.append(("enable_tls_verification", caller.user))

    async def disable_verification_here(
        self, reason: str, lasting: int | None, caller: Caller
    ) -> None:
        self.did.append(("disable_verification_here", reason, lasting))

    async def reenable_verification_here(self, caller: Caller) -> None:
        self.did.append(("reenable_verification_here",))

    async def refresh(self, host: HostId, caller: Caller) -> None:
        self.did.append(("refresh", host))

    async def refresh_pool(self, caller: Caller) -> Sequence[HostId]:
        self.did.append(("refresh_pool", caller.user))
        return [H2]

    async def eject(self, host: HostId, caller: Caller) -> None:
        self.did.append(("eject", host))

    async def hand_over(self, host: HostId, caller: Caller) -> None:
        self.did.append(("hand_over", host))

    async def take_over(self, alone: bool, caller: Caller) -> None:
        self.did.append(("take_over", alone))

    async def follow(self, address: str, caller: Caller) -> str:
        self.did.append(("follow", address))
        return "It follows."

    async def recover(self, caller: Caller) -> Sequence[HostId]:
        self.did.append(("recover", caller.user))
        return [H2]

    def alerts(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "uuid": "u", "name": "HOST_NEVER_HEARD", "about": "Host", "object": H2,
                "priority": 3, "words": "h2 is silent", "body": "", "date": "",
                "raised": "2026-01-01T00:00:00+00:00",
            }
        ]  # fmt: skip

    def certificate_report(self) -> Mapping[str, Any]:
        return {"next_break": {"at": "2026-01-01T00:00:00Z"}, "certificates": []}

    def operations(self) -> Sequence[Underway]:
        return [Underway(an_operation(H2)), Underway(an_operation(H2), ended=NOW, state="done")]

    async def resume_operation(self, id: str) -> str:
        self.did.append(("resume", id))
        return "It is done."

    async def abandon_operation(self, id: str) -> str:
        self.did.append(("abandon", id))
        return "It was taken back."

    async def plan(self, call: str, host: HostId | None, caller: Caller) -> Mapping[str, Any]:
        self.did.append(("plan", call, host))
        return {"title": call}

    async def join_plan(self, address: str) -> Mapping[str, Any]:
        self.did.append(("join_plan", address))
        return {"title": address}

    async def install_server_certificate(
        self, leaf: str, key: str, chain: str, caller: Caller
    ) -> tuple[str, Sequence[str]]:
        self.did.append(("install_server_certificate", caller.user))
        return "AA:BB", ["a warning"]

    async def reset_server_certificate(self, caller: Caller) -> str:
        self.did.append(("reset_server_certificate", caller.user))
        return "AA:BB"

    async def emergency_reset_server_certificate(self, caller: Caller) -> str:
        self.did.append(("emergency_reset_server_certificate", caller.user))
        return "AA:BB"

    async def probe(self) -> Sequence[Seen]:
        return [Seen(self.this_host, host) for host in self.roster.members]

    def observed(self) -> Sequence[Mapping[str, str]]:
        return [{"kind": "member", "peer": self.this_host, "outcome": "verified"}]

    def endpoints(self) -> Sequence[Mapping[str, str]]:
        return [{"kind": "member", "rule": "exactly its own"}]

    def host_status(self) -> Mapping[str, str]:
        return {"role": "coordinator" if self.is_coordinator else "supporter"}

    def log_entries(self, after: int, count: int) -> Sequence[SignedEntry]:
        return [founding()][after : after + count]


def answer(
    context: FakeContext, wire: Wire, body: bytes, origin: Origin = REMOTE, ask: str = ""
) -> Answer:
    return asyncio.run(dispatch(context, wire, body, origin, ask))


def ask(context: FakeContext, method: str, *parameters: Any, origin: Origin = REMOTE) -> Any:
    """Call by JSON-RPC 2; the result, or the error as a list."""
    body = orjson.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1})
    said = orjson.loads(answer(context, JSON, body, origin).body)
    assert said["id"] == 1
    if "error" in said:
        return [said["error"]["message"], *said["error"]["data"]]
    return said["result"]


def session_of(
    context: FakeContext,
    *roles: str,
    pool: bool = False,
    origin: Origin = REMOTE,
    user: str = "somebody",
) -> Ref:
    """A session with these roles; without any, the superuser's."""
    who = Principal(
        user, origin, frozenset(roles), is_local_superuser=not roles and not pool, pool=pool
    )
    return context.sessions.open(who, context.random_uuid(), context.this_host, NOW, 0.0).ref
