"""The promises that hold at every moment, as functions of a pool: each says how it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations

from pooltrust.pool.alerts import Noticed, alerts
from pooltrust.pool.plan.operation import Operation, Suspended
from pooltrust.pool.plan.plan import Kind
from pooltrust.pool.plan.steps import Promote
from pooltrust.terms import HostId
from pooltrust.trust.entries import HostAdmitted
from trust.pools import NOW

from ..fakes.host import FakeHost
from ..fakes.pool import FakePool

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
    hosts = [h for h in pool.hosts.values() if h.up and h.fresh and h.is_member]
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
        if a.enforces and not a.accepts(b.id, b.serves):
            yield f"{_name(a)} does not believe {_name(b)}"


def one_member_is_never_believed_as_another(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for a in {host.log.head_hash: host for host in hosts}.values():
        for b, c in permutations(pool.hosts.values(), 2):
            if a.accepts(b.id, c.serves):
                yield f"{_name(a)} takes {_name(c)} for {_name(b)}"


def nobody_serves_an_identity_whose_key_is_gone(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for host in pool.hosts.values():
        if host.serves_at_start not in host.keys or (host.up and host.serves not in host.keys):
            yield _name(host)


def no_non_member_is_believed(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    for host in hosts:
        for host_id, said in pool.told.ejected.items():
            ejected = pool.hosts[host_id]
            # Whoever has another entry in its place disagrees, which is another promise.
            held = host.log.hash_at(said.entry.number) in (said.hash, None)
            if host_id == host.id or not held or said.entry.number >= pool.told.lost_from:
                continue
            if host.bound and host.log.head_number < said.entry.number:
                continue  # the operation said so: it waits until it sees that others hold the entry
            if _was_admitted_again(host, host_id, said.entry.number):
                continue  # on a branch that it was ordered to follow
            if any(host.accepts(host_id, key) for key in ejected.keys):
                yield f"{_name(host)} believes {_name(ejected)}, whose ejection is done"


def _was_admitted_again(host: FakeHost, other: HostId, since: int) -> bool:
    bodies = (said.entry.body for said in host.log.tail(since))
    return any(isinstance(body, HostAdmitted) and body.host == other for body in bodies)


def no_two_hosts_disagree_about_an_entry(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    """Neither hosts that have met and shown one another their logs, nor any two about what they
    know to be committed, nor anybody about what was said to be done; but for what a local order
    may have lost.

    An entry that is not committed may be lost by a takeover: until they meet, its writer has it.
    """
    certain = pool.told.lost_from - 1
    for a, b in combinations(pool.hosts.values(), 2):
        if a.log.head_hash == b.log.head_hash:
            continue
        number = min(a.settled, b.settled, certain)
        if a.log.hash_at(number) != b.log.hash_at(number):
            yield f"{_name(a)} and {_name(b)} about entry {number} or one before"
        number = min(a.log.head_number, b.log.head_number, certain)
        if a.log.hash_at(number) == b.log.hash_at(number) or not pool.reach(a, b):
            continue
        if not a.would_follow(b.log.entries) and not b.would_follow(a.log.entries):
            yield f"{_name(a)} and {_name(b)} about entry {number}, and neither follows"
    for host in _furthest(pool):
        for number, said in pool.told.done.items():
            if number <= min(host.settled, certain) and host.log.hash_at(number) != said:
                yield f"{_name(host)} about entry {number}, said to be done"


def _furthest(pool: FakePool) -> list[FakeHost]:
    """Of the hosts with the same log the one that knows most of it to be committed."""
    hosts = sorted(pool.hosts.values(), key=lambda host: host.settled)
    return list({host.log.head_hash: host for host in hosts}.values())


def every_operation_ends_or_can_be_abandoned(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    stuck = [step for step, times in pool.stuck.items() if times > STUCK]
    if stuck:
        yield f"it does {stuck[0]} again and again"
    # A pool that fell apart is no operation's fault: see the promise about disagreement.
    for me in [] if pool.fell_apart() else pool.drivers():
        operation = pool.drives(me)
        if operation is None or me.todo or pool.must_look(me) or pool.tries_again(me):
            continue  # it is doing something, or about to
        now = pool.next(me)
        if not isinstance(now, Suspended):
            continue
        roster, picture = me.log.roster, pool.settled(pool.picture(me))
        there = {h.id for h in hosts if pool.reach(me, h) and not h.bound} & roster.members.keys()
        may_write = 2 * len(there | {me.id}) >= len(roster.members)
        enough = may_write and picture.enough(there | {me.id}, roster.number)
        if not now.may_abandon and enough:
            yield f"no way on and no way back, although enough are there: {now.words}"
        emergency = operation.plan.kind is Kind.EMERGENCY_TRANSITION
        if me.id in there and there >= roster.members.keys() and not emergency:
            if now.may_abandon and _lacks_a_key(pool, operation):
                continue
            yield f"everybody is there, and it does not go on: {now.words}"


def _lacks_a_key(pool: FakePool, operation: Operation) -> bool:
    """An undoing on another side of the network has deleted the new key: there is no way on."""
    steps = [step for phase in operation.plan.phases for step in phase.steps]
    promotes = [step for step in steps if isinstance(step, Promote)]
    return any(step.certificate not in pool.hosts[step.host].keys for step in promotes)


def verification_is_never_off_without_a_word(pool: FakePool, hosts: Hosts) -> Iterator[str]:
    since = pool.told.required
    for host in hosts if since is not None and since < pool.told.lost_from else ():
        if host.enforces:
            continue
        coordinator = pool.hosts[host.log.roster.coordinator]
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
    return pool.told.lost_from <= a.log.head_number and not (
        b.log.head_hash == a.log.head_hash and b.accepts(b.id, b.serves)
    )


def _name(host: FakeHost) -> str:
    return f"h{int(host.id[:8] + host.id[-4:], 16) & 0xF}"
