"""Appliances that hosts dial.  The underscores are those of the published command line."""

from __future__ import annotations

from collections.abc import Mapping

from pooltrust.api.cli.command import command
from pooltrust.api.cli.seat import Seat
from pooltrust.api.cli.wire.words import Fault

LOGINS = ("wlb_url", "wlb_username", "wlb_password", "xenserver_username", "xenserver_password")


@command(
    "pool-initialize-wlb",
    required=LOGINS,
    secrets=("wlb_password", "xenserver_password"),
    does=("pool.initialize_wlb " + " ".join(f"{one}={{{one}}}" for one in LOGINS),),
)
async def initialize(seat: Seat) -> None:
    """Connect the pool to a Workload Balancing appliance, whose certificate is installed."""
    await seat.call("pool.initialize_wlb", *(seat.words.require(name) for name in LOGINS))


@command(
    "pool-pin-wlb-certificate",
    required=("wlb_url",),
    optional=("thumbprint",),
    does=("pooltrust.pin_wlb_certificate wlb_url={wlb_url} thumbprint={thumbprint}",),
)
async def pin(seat: Seat) -> None:
    """Show the certificate of a Workload Balancing appliance, and trust exactly it.

    Without a thumbprint to expect, it asks.
    """
    url, thumbprint = seat.words.require("wlb_url"), seat.words.get("thumbprint")
    if not thumbprint:
        shown = await seat.call("pooltrust.pin_wlb_certificate", url)
        await _show(seat, shown)
        if not await _sure(seat):
            return
        thumbprint = shown["thumbprint"]
    await seat.call("pooltrust.pin_wlb_certificate", url, thumbprint)
    await seat.terminal.print(f"Exactly this certificate is believed at an appliance: {thumbprint}")


async def _show(seat: Seat, shown: Mapping[str, str]) -> None:
    width = max(map(len, shown))
    for name, value in shown.items():
        if name != "pinned":
            await seat.terminal.print(f"{name.replace('_', '-'):>{width}}: {value}")


async def _sure(seat: Seat) -> bool:
    await seat.terminal.print("Compare the thumbprint with the one on the appliance's own console.")
    await seat.terminal.print("Type 'yes' to trust it")
    said = await seat.terminal.ask()
    if said != "yes":
        await seat.terminal.print(f"Nothing was changed (you typed: '{said}')")
    return said == "yes"


@command(
    "pool-send-test-post",
    required=("dest-host", "dest-port", "body"),
    does=("pool.send_test_post dest-host={host} dest-port={port} body={body}",),
)
async def send_test_post(seat: Seat) -> None:
    """Send a text to a web server over TLS, if it is believed, and show its answer."""
    words = seat.words
    host, port, body = (words.require(name) for name in ("dest-host", "dest-port", "body"))
    if not port.isascii() or not port.isdigit():
        raise Fault("Failed to parse parameter 'dest-port': expecting an integer")
    await seat.terminal.bare(await seat.call("pool.send_test_post", host, int(port[:6]), body))
