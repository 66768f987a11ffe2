"""What a member does for its coordinator while an operation is under way.

It obeys nobody else, and an order only while its own log ends where the order was decided: see
pool/plan/order.py.  Nothing that it is asked to do can leave it without an identity that its own
roster accepts.
"""

from __future__ import annotations

import asyncio

from pooltrust.errors import CannotVerify, Refused, failure
from pooltrust.host.belief import Belief
from pooltrust.host.obeying.emergency import Emergency
from pooltrust.host.obeying.keys import Keys
from pooltrust.host.obeying.report import Report
from pooltrust.host.peers import wire
from pooltrust.host.peers.probe import Prober, Seen
from pooltrust.pool.plan.order import Order, Ordered
from pooltrust.pool.plan.steps import Probe, Promote, Retire
from pooltrust.terms import HostId, Thumbprint

SEVERAL = 64
"""So many handshakes, at most, are ordered and made at once."""


@failure("ORDER_TOO_LATE", cure="It is decided anew and goes on by itself.")
class TooLate(Refused):
    """{host} holds entry {number} of the trust log, and the order was decided at another one."""

    host: str
    number: int


class Orders:
    """The requests of a coordinator about a member's own identity, and its handshakes."""

    def __init__(self, belief: Belief, keys: Keys, prober: Prober, emergency: Emergency) -> None:
        self._belief = belief
        self._emergency = emergency
        self._keys = keys
        self._prober = prober

    async def own_report(self) -> Report:
        """What this host says of itself."""
        return Report(self._keys.serves, await self._keys.held(), self._belief.override)

    async def report(self, _peer: HostId, _frame: wire.Frame) -> wire.Frame:
        """Say which identities this host has and serves."""
        return {"report": (await self.own_report()).content()}

    async def mint(self, peer: HostId, _frame: wire.Frame) -> wire.Frame:
        """Mint a pool identity and ask for it, with both keys."""
        self._check_from(peer)
        return {"request": (await self._keys.mint()).record()}

    async def reenable(self, peer: HostId, _frame: wire.Frame) -> wire.Frame:
        """Switch this host's emergency off: verification is being enabled in the whole pool."""
        self._check_from(peer)
        await self._emergency.clear()
        return {}

    async def obey(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Carry out one order."""
        self._check_from(peer)
        seen = await self.carry_out(self._in_time(frame.get("order")))
        answer: wire.Frame = {"report": (await self.own_report()).content()}
        return answer if seen is None else {**answer, "seen": seen.content()}

    async def obey_several(self, peer: HostId, frame: wire.Frame) -> wire.Frame:
        """Make several handshakes at once, for one order each; nothing else is ordered so."""
        self._check_from(peer)
        orders = frame.get("orders")
        if not isinstance(orders, list) or not 0 < len(orders) <= SEVERAL:
            raise wire.PeerMisspoke(f"no list of at most {SEVERAL} orders")
        steps = [self._in_time(order) for order in orders]
        if not all(isinstance(step, Probe) for step in steps):
            raise wire.PeerMisspoke("several orders that are not for handshakes")
        seen = await asyncio.gather(*map(self.carry_out, steps))
        return {
            "report": (await self.own_report()).content(),
            "seen": [one.content() for one in seen if one is not None],
        }

    async def carry_out(self, step: Promote | Probe | Retire) -> Seen | None:
        """Do what concerns this host; a probe returns what was met.

        Raises NotAcceptedYet, NoSuchKey, KeyInUse, CannotStore.
        """
        me, roster = self._belief.me, self._belief.roster
        match step:
            case Promote(host=host, certificate=certificate) if host == me:
                await self._keys.promote(certificate)
            case Retire(host=host, certificate=certificate) if host == me:
                await self._keys.retire(certificate)
            case Probe(observer=observer, subject=subject) if observer == me:
                if subject not in roster.members:
                    raise wire.PeerMisspoke("a probe of a host that is no member")
                return await self._prober.probe(roster.members[subject])
            case _:
                raise wire.PeerMisspoke("an order for another host")
        return None

    def _in_time(self, content: object) -> Ordered:
        """What is ordered, if it was decided at this host's head.  Raises PeerMisspoke, TooLate."""
        try:
            order = Order.read(content)
        except ValueError as why:
            raise wire.PeerMisspoke(f"an order that can't be read: {why}") from why
        if not order.in_time(self._belief.roster):
            raise TooLate(self._name, self._belief.roster.number)
        return order.step

    @property
    def _name(self) -> str:
        return self._belief.roster.expect(self._belief.me).name

    def _check_from(self, peer: HostId) -> None:
        roster = self._belief.roster
        if peer != roster.coordinator:
            raise CannotVerify(
                "orders come from the coordinator only",
                expected=str(roster.expect(roster.coordinator)),
                met=str(roster.expect(peer)),
                remedy="See who coordinates the pool: pooltrust host status",
            )


def thumbprint_met(seen: Seen) -> Thumbprint | None:
    """The certificate that a handshake met and verified; None if it did not."""
    return Thumbprint.parse(seen.met) if seen.verified and seen.met else None
