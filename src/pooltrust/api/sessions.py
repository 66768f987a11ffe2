"""Who is calling: origins, principals and the table of sessions.

Pure: the moment and the random part of a reference are given.  The moment comes twice: `now` (UTC)
is what people are shown, `tick` (monotonic seconds) what idleness is counted by, since a clock that
is set ends nobody's session.  A session's reference is the secret
itself, so it is in no event, no list and no log.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pooltrust.api.declare.values import Ref, named_uuid
from pooltrust.terms import HostId

IDLE = timedelta(hours=24)
"""How long a session lasts without a call."""

LONGEST_NAME = 128
"""Characters of a user's name as it is recorded."""

CAP_ORIGINATOR = 500
CAP_USER = 500
CAP_ROOT = 400
CAP_POOL = 400


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from.

    `local`: over the Unix socket, from root or from the daemon's own user, so it needs no password.
    `names`: those of the client certificate that was verified on this connection.  `tls_version` is
    only told.
    """

    address: str
    local: bool = False
    names: frozenset[str] = frozenset()
    tls_version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who logged in: the roles at that time, and what is beyond roles.

    `is_local_superuser` may do everything, `pool` is another member acting for itself.  `subjects`
    are the identifiers that the roles come from, the user's own or its groups'.
    """

    user: str
    origin: Origin
    roles: frozenset[str] = frozenset()
    is_local_superuser: bool = False
    pool: bool = False
    originator: str = ""
    client_certificate: bool = False
    subjects: tuple[str, ...] = ()

    def carried(self) -> dict[str, Any]:
        """As a JSON object, for a call that another member carries out."""
        return {
            "user": self.user,
            "address": self.origin.address,
            "roles": sorted(self.roles),
            "is_local_superuser": self.is_local_superuser,
            "pool": self.pool,
            "originator": self.originator,
            "client_certificate": self.client_certificate,
            "subjects": list(self.subjects),
        }

    @classmethod
    def from_carried(cls, carried: object) -> Principal:
        """Read what `carried` made.  Raises ValueError for anything else."""
        match carried:
            case {
                "user": str(user),
                "address": str(address),
                "roles": list(roles),
                "is_local_superuser": bool(superuser),
                "pool": bool(pool),
                "originator": str(originator),
                "client_certificate": bool(certificate),
                "subjects": list(subjects),
            } if all(isinstance(text, str) for text in (*roles, *subjects)):
                return cls(
                    user,
                    Origin(address),
                    frozenset(roles),
                    superuser,
                    pool,
                    originator,
                    certificate,
                    tuple(subjects),
                )
        raise ValueError("not a principal")


class Caller(NamedTuple):
    """One call's side of the story: its name, where from, and by whom if it needed a session.

    `task` is the one that tells how far it is.
    """

    call: str
    origin: Origin
    principal: Principal | None = None
    session: Ref | None = None
    task: Ref | None = None

    @property
    def user(self) -> str:
        """Who, for the trust log and the records: short, and nothing but printable text."""
        name = self.principal.user if self.principal else ""
        return "".join(c if c.isprintable() else "?" for c in name[:LONGEST_NAME])


@dataclass(frozen=True, slots=True)
class Session:
    """One session.  Its UUID follows from its reference, but not the other way.

    `here`: it is good for this host alone and for what needs no coordinator.
    """

    ref: Ref
    principal: Principal
    host: HostId
    opened: datetime
    here: bool = False
    other_config: Mapping[str, str] = field(default_factory=dict)

    @property
    def uuid(self) -> str:
        """What the session is called in public."""
        return named_uuid("session", self.ref)


@dataclass(frozen=True, slots=True)
class Told:
    """A failure as a person is told it: published codes have no room for these words."""

    code: str
    words: str


class Sessions:
    """The sessions of this host, least recently used first.

    When one too many of a group is opened (of one originator, of one user, of the superuser, of
    members), the least recently used of that group ends, one of the same user if it has any.
    `idle`: how long one lasts without a call.
    """

    def __init__(self, idle: timedelta = IDLE) -> None:
        self.idle = idle
        self._sessions: dict[Ref, Session] = {}
        self._active: OrderedDict[Ref, tuple[datetime, float]] = OrderedDict()
        self._failures: dict[Ref, Told] = {}
        self.opened: Callable[[Session], None] = lambda _session: None
        """Called with a session that has begun."""
        self.ended: Callable[[Ref], None] = lambda _ref: None
        """Called with a session that has ended."""

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, ref: object) -> bool:
        """Whether there is such a session; it does not count as used."""
        return ref in self._sessions

    def __iter__(self) -> Iterator[tuple[Session, datetime]]:
        """Each session with the moment of its last call."""
        return ((self._sessions[ref], now) for ref, (now, _) in self._active.items())

    def get(self, ref: Ref) -> tuple[Session, datetime] | None:
        """A session with the moment of its last call, which this is not."""
        session = self._sessions.get(ref)
        return None if session is None else (session, self._active[ref][0])

    def open(
        self,
        principal: Principal,
        token: str,
        host: HostId,
        now: datetime,
        tick: float,
        *,
        here: bool = False,
    ) -> Session:
        """Begin a session.  `token` is a new random UUID."""
        self._expire(tick)
        for group, cap in _groups(principal):
            self._make_room(group, cap, principal)
        session = Session(Ref(f"OpaqueRef:{token}"), principal, host, now, here)
        self._sessions[session.ref] = session
        self._active[session.ref] = now, tick
        self.opened(session)
        return session

    def use(self, ref: Ref, now: datetime, tick: float) -> Session | None:
        """The session of this reference, which from now on is the most recently used."""
        session = self._sessions.get(ref)
        if session is None:
            return None
        if self._is_idle(ref, tick):
            self.close(ref)
            return None
        self._active[ref] = now, tick
        self._active.move_to_end(ref)
        return session

    def close(self, ref: Ref) -> None:
        """End a session, if it is there."""
        ended = self._sessions.pop(ref, None)
        self._active.pop(ref, None)
        self._failures.pop(ref, None)
        if ended is not None:
            self.ended(ref)

    def failed(self, ref: object, code: str, words: str) -> None:
        """Remember how the last failed call of this session failed, if there is such a session."""
        if isinstance(ref, str) and ref in self._sessions:
            self._failures[Ref(ref)] = Told(code, words)

    def last_failure(self, ref: Ref) -> Told | None:
        """How the last call that failed in this session did, in all its words."""
        return self._failures.get(ref)

    def close_all(self, of: Callable[[Principal], bool], but: Ref | None = None) -> int:
        """End every session of such principals, as when a user's roles change.  How many ended.

        `but`: the one that stays, whose call this is.
        """
        ended = [
            ref for ref, session in self._sessions.items() if ref != but and of(session.principal)
        ]
        for ref in ended:
            self.close(ref)
        return len(ended)

    def configure(self, ref: Ref, other_config: Mapping[str, str]) -> None:
        """Set a session's other_config."""
        self._sessions[ref] = replace(self._sessions[ref], other_config=dict(other_config))

    def _expire(self, tick: float) -> None:
        while self._active:
            ref = next(iter(self._active))
            if not self._is_idle(ref, tick):
                return
            self.close(ref)

    def _is_idle(self, ref: Ref, tick: float) -> bool:
        return tick - self._active[ref][1] > self.idle.total_seconds()

    def _make_room(self, group: tuple[str, str], cap: int, newcomer: Principal) -> None:
        inside = [
            ref
            for ref in self._active
            if any(group == of for of, _ in _groups(self._sessions[ref].principal))
        ]
        # His own first: else whoever may log in at all could log others out, by their originator.
        inside.sort(key=lambda ref: self._sessions[ref].principal.user != newcomer.user)
        for ref in inside[: max(0, len(inside) - cap + 1)]:
            self.close(ref)


def _groups(principal: Principal) -> Iterator[tuple[tuple[str, str], int]]:
    """The groups that a session of this principal counts in, and their caps."""
    if principal.pool:
        yield ("pool", ""), CAP_POOL
    elif principal.is_local_superuser or not principal.user:
        yield ("root", ""), CAP_ROOT
    else:
        yield ("user", principal.user), CAP_USER
    if principal.originator:
        yield ("originator", principal.originator), CAP_ORIGINATOR
