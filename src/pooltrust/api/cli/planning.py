"""`--plan`: what a command would do, before it does it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pooltrust.api.cli.command import Command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.words import Fault

METHODS: Mapping[str, tuple[str, str]] = {
    "host-refresh-server-certificate": ("host.refresh_server_certificate", "selected"),
    "pool-eject": ("pool.eject", "host-uuid"),
    "pool-designate-new-master": ("pool.designate_new_master", "host-uuid"),
    "pool-enable-tls-verification": ("pool.enable_tls_verification", ""),
    "pool-recover-slaves": ("pool.recover_slaves", ""),
    "pool-emergency-transition-to-master": ("pool.emergency_transition_to_master", ""),
    "pool-join": ("pool.join", ""),
}
"""The commands that are more than one change: their calls, and how each names its host."""
LOOKS = ("-list", "-param-get", "-param-list", "help", "completion", "event-wait", "-get-")


async def show_plan(seat: Seat, found: Command) -> None:
    """Show it, and do nothing."""
    if any(look in found.name for look in LOOKS):
        raise Fault(f"{found.name} changes nothing, so it has no plan")
    plan = await _plan(seat, found)
    if seat.words.flag("json"):
        await seat.terminal.bare(json.dumps(plan, ensure_ascii=False))
        return
    for line in lines(plan) if plan else ("There is nothing to do.",):
        await seat.terminal.bare(line)


async def _plan(seat: Seat, found: Command) -> Mapping[str, Any]:
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
