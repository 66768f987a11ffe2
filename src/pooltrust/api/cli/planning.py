"""`--plan`: what a command would do, before it does it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pooltrust.api.cli.command import Command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.words import Fault
from pooltrust.pool.code import JoinCode

METHODS: Mapping[str, tuple[str, str]] = {
    "host-refresh-server-certificate": ("host.refresh_server_certificate", "selected"),
    "pool-eject": ("pool.eject", "host-uuid"),
    "pool-designate-new-master": ("pool.designate_new_master", "host-uuid"),
    "pool-enable-tls-verification": ("pool.enable_tls_verification", ""),
    "pool-recover-slaves": ("pool.recover_slaves", ""),
    "pool-join": ("pool.join", ""),
}
"""The commands that are more than one change: their calls, and how each names its host."""
TAKEOVERS = frozenset({"pool-emergency-transition-to-master", "pool-take-over-alone"})
LOOKS = ("-list", "-param-get", "-get-server-certificate", "-request-get", "-verify", "-status")
"""How the commands end that change nothing."""
ALSO_LOOKS = frozenset(
    {
        "event-wait", "host-is-in-emergency-mode", "host-observed",
        "host-probe-members", "pool-next-break",
        "secret-param-get",
    }
)  # fmt: skip


async def show_plan(seat: Seat, found: Command) -> None:
    """Show it, and do nothing."""
    if changes_nothing(found.name):
        raise Fault(f"{found.name} changes nothing, so it has no plan")
    plan = await _plan(seat, found)
    if seat.words.flag("json"):
        await seat.terminal.bare(json.dumps(plan, ensure_ascii=False))
        return
    for line in lines(plan) if plan else ("There is nothing to do.",):
        await seat.terminal.bare(line)


def changes_nothing(name: str) -> bool:
    """Whether a command only looks."""
    return name.endswith(LOOKS) or name in ALSO_LOOKS


async def _plan(seat: Seat, found: Command) -> Mapping[str, Any]:
    if found.name == "pool-refresh-certificates":
        return await _of_every_host(seat)
    if found.name == "pool-join-with-code":
        code = JoinCode.parse(seat.words.require("code"))
        address = f"{code.addresses[0]}:{code.port}"
        return _read(await seat.call("pooltrust.get_join_plan", address))
    if found.name in TAKEOVERS:
        alone = found.name == "pool-take-over-alone"
        return _read(await seat.call("pooltrust.get_takeover_plan", alone))
    if found.name not in METHODS:
        return {
            "title": found.name,
            "order": [{"name": "change", "steps": [found.doc], "final": True}],
            "standing": "It is one change: it is made, or it is not.",
        }
    method, how = METHODS[found.name]
    if method == "pool.join":
        address = seat.words.require("master-address")
        said: str = await seat.call("pooltrust.get_join_plan", address)
        return _read(said)
    host = ""
    if how == "selected":
        host, _ = await seat.one_host()
    elif how:
        host = await seat.by_uuid("host", seat.words.require(how))
    return _read(await seat.call("pooltrust.get_plan", method, host))


async def _of_every_host(seat: Seat) -> Mapping[str, Any]:
    """The plans of all the refreshes, one after another as they are carried out."""
    method, whole = METHODS["host-refresh-server-certificate"][0], None
    master = next(iter((await seat.records("pool")).values())).master
    hosts = await seat.records("host")
    for host in sorted(hosts, key=lambda ref: (ref == master, hosts[ref].uuid)):
        plan = dict(_read(await seat.call("pooltrust.get_plan", method, host)))
        if not plan:
            continue
        name = hosts[host].name_label
        phases = [{**phase, "name": f"{name}: {phase['name']}"} for phase in plan["order"]]
        if whole is None:
            whole = {**plan, "title": "the refresh of every host", "order": phases, "undo": []}
            whole["standing"] = "Each host is refreshed by itself; whoever is done stays so."
        else:
            whole["order"] += phases
    return whole or {}


def _read(said: str) -> Mapping[str, Any]:
    plan: Mapping[str, Any] = json.loads(said)
    return plan


def lines(plan: Mapping[str, Any]) -> Iterator[str]:
    """A plan for people."""
    title = str(plan["title"])
    yield f"{title[:1].upper()}{title[1:]}, step by step; nothing is done yet."
    if plan.get("hosts"):
        yield f"Hosts: {', '.join(plan['hosts'])}"
    for number, phase in enumerate(plan["order"], 1):
        mark = "  <- no way back from here on" if phase["final"] else ""
        yield f"{number:3}. {phase['name']}{mark}"
        yield from (f"     {step}" for step in phase["steps"])
    if plan.get("drops"):
        yield f"Connections: {plan['drops']}"
    for one in plan.get("blockers", ()):
        yield f"In its way: {one['words']}"
        if one["cure"]:
            yield f"     {one['cure']}"
    if plan.get("later"):
        yield f"Away, and to do their part when they return: {', '.join(plan['later'])}"
    if plan.get("undo"):
        yield "To undo it, before there is no way back:"
        yield from (f"     {step}" for step in plan["undo"])
    yield f"Wherever it stops: {plan['standing']}"
