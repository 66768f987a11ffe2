"""What one member may ask of another, each as one declared request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from pooltrust.host.belief import Belief
from pooltrust.host.obeying.orders import Orders
from pooltrust.host.obeying.registering import REQUESTS, Registering
from pooltrust.host.peers import wire
from pooltrust.host.peers.greeting import own_head
from pooltrust.host.peers.probe import Prober
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.peers.server import Request
from pooltrust.host.peers.shipping import Shipping
from pooltrust.host.takeover.endorsing import Endorsing
from pooltrust.host.telling.noticing import Noticing
from pooltrust.host.trusting.bringing import Bringing
from pooltrust.terms import HostId


class Api(Protocol):
    """Carries out an API call that another member forwards."""

    async def forwarded(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """The call's value, or what it raises."""


def requests(
    belief: Belief,
    scribe: Scribe,
    prober: Prober,
    shipping: Shipping,
    endorsing: Endorsing,
    orders: Orders,
    registering: Registering,
    noticing: Noticing,
    bringing: Bringing,
    api: Api,
) -> Mapping[str, Request]:
    """The requests by their names."""

    async def log(_peer: HostId, frame: wire.Frame) -> wire.Frame:
        return {"entries": wire.entry_lines(scribe.page(wire.number(frame, "after")))}

    async def adopt(peer: HostId, frame: wire.Frame) -> wire.Frame:
        await scribe.adopt(wire.entries(frame), source=peer)
        return {"head": wire.head_content(own_head(belief, wire.nonce(frame)))}

    async def probe(_peer: HostId, _frame: wire.Frame) -> wire.Frame:
        return {"seen": [seen.content() for seen in await prober.probe_all()]}

    return {
        "log": Request(log, always=True),
        "adopt": Request(adopt, always=True),
        "probe": Request(probe, always=True),
        "noticed": Request(noticing.told),
        "brought": Request(bringing.take),
        "api": Request(api.forwarded),
        **{name: Request(partial(registering.take, kind)) for name, kind in REQUESTS.items()},
        "report": Request(orders.report),
        "mint": Request(orders.mint),
        "order": Request(orders.obey),
        "orders": Request(orders.obey_several),
        "reenable": Request(orders.reenable),
        "records": Request(shipping.take),
        "records-held": Request(shipping.hand_over),
        # Whether it leads, for whom a vote was given and which takeover was given up: nothing
        # confidential, and asked when nobody may be current any more.  An endorsement is given by
        # who has missed nothing.
        "lead": Request(endorsing.lead, always=True),
        "vote": Request(endorsing.vote, always=True),
        "abandoned": Request(endorsing.abandoned, always=True),
        "endorse": Request(endorsing.endorse),
    }
