"""What is ordered of a pool while one of its hosts dies, and how it is seen whether it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nemesis.quiet import settled, unended
from pools.stage import within

from .stage import Mortals

SURE_SECONDS = 45.0
"""In which both sides know whether an act happened; most of them for a slow machine."""


@dataclass(frozen=True)
class Act:
    """`begin` brings the pool to where the act is possible; `happened` is None while in doubt."""

    name: str
    victims: tuple[str, ...]
    begin: Callable[[Mortals], None]
    do: Callable[[Mortals], None]
    happened: Callable[[Mortals], bool | None]
    leaderless: bool = False
    """Whether the pool has no coordinator as long as it has not happened."""

    def known(self, pool: Mortals) -> bool:
        """Whether it happened, as soon as everybody knows and nothing goes on by itself."""
        return within(SURE_SECONDS, lambda: [self._seen(pool)])[0]

    def _seen(self, pool: Mortals) -> bool:
        up = [host for host in pool.hosts.values() if host.process is not None]
        if going := [f"{host.name}: {words}" for host in up for words in unended(host)]:
            raise OSError("; ".join(going))
        if (seen := self.happened(pool)) is None:
            told = {host.name: host.status() for host in up}
            of_interest = ("role", "entries", "head", "coordinator", "current")
            words = {name: [one[key] for key in of_interest] for name, one in told.items()}
            raise OSError(f"nobody knows yet whether it happened: {words}")
        return seen


def _everybody(pool: Mortals) -> None:
    """All of them one pool, which h1 coordinates."""
    for name in pool.hosts:
        if pool[name].process is None:
            pool[name].run()
    leader = pool.leader
    if "h4" not in pool[leader].members():
        pool["h4"].join(pool[leader])
    pool.members = list(pool.hosts)
    settled(pool.pool)
    if leader != "h1":
        pool[leader].call("pool.designate_new_master", pool.references["h1"])
        settled(pool.pool)
    pool.kept = {name: one["pool"]["thumbprint"] for name, one in pool["h1"].members().items()}


def _without_h4(pool: Mortals) -> None:
    """The same, but for h4, which has a pool of its own."""
    _everybody(pool)
    _eject(pool)
    pool.members = ["h1", "h2", "h3"]
    within(SURE_SECONDS, lambda: pool["h4"].status()["role"] == "coordinator")
    settled(pool.pool)


def _lost(pool: Mortals) -> None:
    """The same, with h1 dead."""
    _everybody(pool)
    pool["h1"].kill()
    pool.members = ["h2", "h3", "h4"]


def _join(pool: Mortals) -> None:
    pool["h4"].join(pool["h1"])


def _inside(pool: Mortals) -> bool | None:
    """Whether h4 is a member, if it and the others are of one mind about it."""
    if (pool["h4"].state / "joining").exists():
        return None  # it asks by itself until it knows
    h4, others = pool["h4"].status(), [pool[name] for name in pool.hosts if name != "h4"]
    told = {host.status()["head"]: host.members() for host in others}
    if len(told) > 1:
        return None
    [(head, members)] = told.items()
    inside = "h4" in members
    if (h4["head"] == head) is not inside or (h4["role"] == "coordinator") is inside:
        return None
    pool.members = [name for name in pool.hosts if name != "h4" or inside]
    return inside


def _enable(pool: Mortals) -> None:
    pool["h1"].call("pool.enable_tls_verification")


def _enabled(pool: Mortals) -> bool | None:
    told = {host.status()["verification"] for host in pool.pool}
    return None if len(told) > 1 else told == {"on"}


def _refresh(name: str) -> Callable[[Mortals], None]:
    def do(pool: Mortals) -> None:
        pool["h1"].call("host.refresh_server_certificate", pool.references[name])

    return do


def _refreshed(name: str) -> Callable[[Mortals], bool | None]:
    def happened(pool: Mortals) -> bool | None:
        told = {host.members()[name]["pool"]["thumbprint"] for host in pool.pool}
        return None if len(told) > 1 else told != {pool.kept[name]}

    return happened


def _eject(pool: Mortals) -> None:
    pool["h1"].call("pool.eject", pool.references["h4"])


def _outside(pool: Mortals) -> bool | None:
    inside = _inside(pool)
    return None if inside is None else not inside


def _hand_over(pool: Mortals) -> None:
    pool["h1"].call("pool.designate_new_master", pool.references["h2"])


def _take_over(pool: Mortals) -> None:
    pool["h2"].call("pool.emergency_transition_to_master")


def _h2_leads(pool: Mortals) -> bool | None:
    told = {host.status()["coordinator"].split()[0] for host in pool.pool}
    return None if len(told) > 1 else told == {"h2"}


JOIN = Act("join", ("h1", "h4"), _without_h4, _join, _inside)
ENABLE = Act("enable", ("h1", "h2"), Mortals.restore, _enable, _enabled)
REFRESH = Act("refresh", ("h1", "h2"), _everybody, _refresh("h2"), _refreshed("h2"))
OWN = Act("refresh of the coordinator", ("h1", "h2"), _everybody, _refresh("h1"), _refreshed("h1"))
EJECT = Act("eject", ("h1", "h4"), _everybody, _eject, _outside)
HANDOVER = Act("handover", ("h1", "h2"), _everybody, _hand_over, _h2_leads)
TAKEOVER = Act("takeover", ("h2", "h3"), _lost, _take_over, _h2_leads, True)
