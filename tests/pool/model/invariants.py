"""The promises that hold at every moment, as functions of a pool: each says how it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from pooltrust.pool.alerts import Noticed, alerts
from pooltrust.pool.plan.operation import Suspended
from pooltrust.pool.plan.plan import Kind
from trust.pools import NOW

from .fake_host import FakeHost
from .fake_pool import FakePool

STUCK = 12
Hosts = Sequence[FakeHost]
"""Those of `settled`."""


class Broken(AssertionError):
    """A promise was broken; `invariant` is its name."""

    def __init__(self, invariant: str, words: str) -> None:
        super().__init__(f"{invariant}: {words}")
        self.invariant = invariant


def settled(pool: FakePool) -> list[FakeHost]:
    """The members that are there and current; a host that returns first asks what it missed."""
    hosts = [h for h in pool.hosts.values() if h.up and h.fresh and h.is_member and not h.bound]
    return [host for host in hosts if not _is_dismissed(pool, host)]


def _is_dismissed(pool: FakePool, host: FakeHost) -> bool:
    """It was dismissed and not told yet: it believes what it knew, and nobody believes it."""
    number, head = host.log.head_number, host.log.head_hash
    return any(
        host.id not in other.log.roster.members and other.log.hash_at(number) == head
        for other in pool.hosts.values()
    )


def every_enforcing_host_believes_what_members_serve(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for a, b in _pairs(pool, hosts):
        if a.enforces and (b.serves is None or a.log.roster.host_of(b.serves) is None):
            yield f"{_name(a)} does not believe {_name(b)}"


def one_member_is_never_believed_as_another(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for a, b in _pairs(pool, hosts):
        owner = a.log.roster.host_of(b.serves) if b.serves else None
        if owner not in (None, b.id):
            yield f"{_name(a)} meets the identity of another host at {_name(b)}"


def nobody_serves_an_identity_whose_key_is_gone(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for host in pool.hosts.values():
        if host.serves_at_start not in host.keys or (host.up and host.serves not in host.keys):
            yield _name(host)


def no_non_member_is_believed(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for host in hosts:
        for ejected in (pool.told.ejected.keys() & host.log.roster.members.keys()) - {host.id}:
            said = pool.told.ejected[ejected]
            # Whoever has another entry in its place disagrees, which is another promise; and
            # whoever does not follow a takeover that was ordered elsewhere can't know of it.
            held = host.log.hash_at(said.entry.number)
            if held == said.hash or (held is None and not pool.told.orders):
                yield f"{_name(host)} believes {_name(pool.hosts[ejected])}, whose ejection is done"


def no_two_hosts_disagree_about_an_entry(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    """Neither hosts that talk with one another, nor any two about what they know to be committed,
    nor anybody about what was said to be done.

    An entry that is not committed may be lost by a takeover: until they meet, its writer has it.
    """
    if pool.told.orders:
        return
    for a, b in combinations(pool.hosts.values(), 2):
        number = min(a.settled, b.settled)
        if a in hosts and b in hosts and pool.reach(a, b):
            number = min(a.log.head_number, b.log.head_number)
        if a.log.hash_at(number) != b.log.hash_at(number):
            yield f"{_name(a)} and {_name(b)} about entry {number} or one before"
    for host in pool.hosts.values():
        for said in pool.told.done:
            number = said.entry.number
            if number <= host.settled and host.log.hash_at(number) != said.hash:
                yield f"{_name(host)} about entry {said.entry.number}, said to be done"


def every_operation_ends_or_can_be_abandoned(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    stuck = [step for step, times in pool.stuck.items() if times > STUCK]
    if stuck:
        yield f"it does {stuck[0]} again and again"
    # A pool that fell apart is no operation's fault: see the promise about disagreement.
    for me in [] if pool.fell_apart() else pool.drivers():
        operation = pool.drives(me)
        if operation is None or pool.must_look(me):
            continue
        now = pool.next(me)
        if not isinstance(now, Suspended):
            continue
        roster, picture = me.log.roster, pool.picture(me)
        there = {h.id for h in hosts if pool.reach(me, h)} & roster.members.keys()
        may_write = 2 * len(there | {me.id}) >= len(roster.members)
        enough = may_write and picture.enough(there | {me.id}, roster.number)
        if not now.may_abandon and enough:
            yield f"no way on and no way back, although enough are there: {now.words}"
        emergency = operation.plan.kind is Kind.EMERGENCY_TRANSITION
        if me.id in there and there >= roster.members.keys() and not emergency:
            yield f"everybody is there, and it does not go on: {now.words}"


def verification_is_never_off_without_a_word(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for host in hosts if pool.told.required else ():
        if host.enforces:
            continue
        coordinator = pool.hosts.get(host.log.roster.coordinator)
        if coordinator not in hosts or not pool.reach(coordinator, host):
            continue
        if host.id not in coordinator.log.roster.members:
            continue
        known = pool.picture(coordinator).hosts
        off = frozenset(at for at, one in known.items() if one.override)
        said = alerts(coordinator.log.roster, Noticed(overrides=off), NOW)
        words = {alert.name for alert in said if alert.object == host.id}
        whole = {alert.name for alert in said if alert.object == host.log.pool}
        if not words & {"TLS_VERIFICATION_EMERGENCY_DISABLED"} and not whole:
            yield _name(host)


Invariant = Callable[[FakePool, Hosts], Iterator[str]]

INVARIANTS: tuple[Invariant, ...] = (
    every_enforcing_host_believes_what_members_serve,
    nobody_serves_an_identity_whose_key_is_gone,
    no_non_member_is_believed,
    one_member_is_never_believed_as_another,
    no_two_hosts_disagree_about_an_entry,
    every_operation_ends_or_can_be_abandoned,
    verification_is_never_off_without_a_word,
)


def check(pool: FakePool, invariants: tuple[Invariant, ...]) -> None:
    """Raise Broken for the first promise that does not hold."""
    hosts = settled(pool)
    for invariant in invariants:
        for words in invariant(pool, hosts):
            raise Broken(invariant.__name__, words)


def _pairs(pool: FakePool, hosts: Hosts) -> Iterator[tuple[FakeHost, FakeHost]]:
    """A current host, and a member that it reaches and that is no further behind."""
    for a in hosts:
        for b in pool.others(a):
            level = b.fresh or b.log.head_hash == a.log.head_hash
            if b.id in a.log.roster.members and b.is_member and level and not _excused(pool, a, b):
                yield a, b


def _excused(pool: FakePool, a: FakeHost, b: FakeHost) -> bool:
    """After an order, hosts of the branch that was given up may have to be admitted again."""
    return bool(pool.told.orders) and not (
        b.log.head_hash == a.log.head_hash and b.accepts(b.id, b.serves)
    )


def _name(host: FakeHost) -> str:
    return f"h{int(host.id[:8] + host.id[-4:], 16) & 0xF}"
