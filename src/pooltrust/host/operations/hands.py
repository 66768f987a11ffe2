"""The hands of an operation: carry out one step, here or at the host that it names.

What becomes of it is noted in the run's view; nothing is raised.  A host that does not answer is
away for this run, a step that is refused fails in it, and the next run tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import assert_never

from pooltrust.errors import CannotContactHost, CannotVerify, Failure, InternalError, Unreachable
from pooltrust.host.belief import Belief
from pooltrust.host.obeying.orders import Orders, thumbprint_met
from pooltrust.host.obeying.report import Report
from pooltrust.host.operations.view import View
from pooltrust.host.peers import wire
from pooltrust.host.peers.link import Link, Peers
from pooltrust.host.peers.probe import Seen, seen
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.takeover.taking import Taking
from pooltrust.host.telling.journal import Journal
from pooltrust.pool.plan.order import Order, Ordered
from pooltrust.pool.plan.picture import Picture, Probed
from pooltrust.pool.plan.plan import Plan
from pooltrust.pool.plan.steps import Adopt, Append, Probe, Promote, Retire, Step
from pooltrust.terms import HostId
from pooltrust.trust.entries import HostDismissed, TakenOver
from pooltrust.trust.log import Log

LOOK_SECONDS = 12.0
ORDER_SECONDS = 30.0
TELL_SECONDS = 5.0


class _Holds(Exception):
    """Somebody has written it meanwhile."""


class Hands:
    """Carries out steps for one host.  `taking` writes its takeovers."""

    def __init__(
        self,
        belief: Belief,
        peers: Peers,
        scribe: Scribe,
        orders: Orders,
        taking: Taking,
        journal: Journal,
    ) -> None:
        self._belief = belief
        self._peers = peers
        self._scribe = scribe
        self._orders = orders
        self._taking = taking
        self._journal = journal
        self._farewells: dict[HostId, tuple[Link, AsyncExitStack]] = {}

    @property
    def me(self) -> HostId:
        """Whose hands they are."""
        return self._belief.me

    def view(self) -> View:
        """A view that has seen nothing yet."""
        return View(self._belief, self._peers.sightings)

    async def look(self, view: View) -> None:
        """Ask every member for its report, at once."""
        me = self._belief.me
        view.answered(me, await self._orders.own_report())
        others = [host for host in self._belief.roster.members if host != me]
        await asyncio.gather(*(self._look(host, view) for host in others))

    async def look_again(self, view: View) -> None:
        """Ask those that did not answer before, at once: they may have returned meanwhile."""
        members = self._belief.roster.members.keys()
        silent = members - view.picture().reachable()
        await asyncio.gather(*(self._look(host, view) for host in silent))

    async def do(self, step: Step, plan: Plan, view: View) -> None:
        """Carry out this step, or note why not."""
        with self._noted((step,), view):
            match step:
                case Append():
                    await self._append(step, plan)
                case Adopt(host=host):
                    await self._adopt(host, view)
                case Promote() | Probe() | Retire():
                    await self._order(step, view)
                case _:
                    assert_never(step)

    async def probe(self, observer: HostId, steps: Sequence[Probe], view: View) -> None:
        """Have another member make all these handshakes, at most SEVERAL, or note why not.

        That takes one connection to it, where every member is to meet every other one.
        """
        with self._noted(steps, view):
            answer, held = await self._ordered(observer, "orders", steps)
            view.answered(observer, Report.read(answer))
            content = answer.get("seen")
            if not isinstance(content, list) or len(content) != len(steps):
                raise wire.PeerMisspoke("not one observation for each order")
            for step, found in zip(steps, map(seen, content), strict=True):
                _note(step, found, held, view)

    async def close(self) -> None:
        """Hang up on hosts that were to be told of their dismissal."""
        for host in list(self._farewells):
            await self._forget(host)

    async def _look(self, host: HostId, view: View) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                answer = await self._peers.call_verified(host, "report", within=LOOK_SECONDS)
            view.answered(host, Report.read(answer))
        except TimeoutError:
            view.gone(host, CannotContactHost(host, why=f"no report within {LOOK_SECONDS:g} s"))
        except Failure as why:
            view.gone(host, why)

    async def _append(self, step: Append, plan: Plan) -> None:
        match step.body:
            case TakenOver():
                await self._taking.write(step, by=plan.by, call=plan.call)
                return
            case HostDismissed(host=host):
                await self._keep_line(host)

        def check(log: Log) -> None:
            if step.holds(Picture(self._belief.me, log)):
                raise _Holds

        try:
            await self._scribe.write(step.body, by=plan.by, call=plan.call, check=check)
        except _Holds:
            return

    async def _adopt(self, host: HostId, view: View) -> None:
        if host == self._belief.me:
            await self._peers.look_around()
        elif host in self._belief.roster.members:
            await self._scribe.bring(host)
        else:
            await self._tell(host, view)

    async def _order(self, step: Promote | Probe | Retire, view: View) -> None:
        me = self._belief.me
        (at,) = {step.observer} if isinstance(step, Probe) else {step.host}
        if at == me:
            found = await self._orders.carry_out(step)
            view.answered(me, await self._orders.own_report())
            held = self._belief.log.head_number
        else:
            answer, held = await self._ordered(at, "order", (step,))
            view.answered(at, Report.read(answer))
            found = seen(answer.get("seen")) if isinstance(step, Probe) else None
        if isinstance(step, Probe) and found is not None:
            _note(step, found, held, view)

    async def _ordered(
        self, host: HostId, call: str, steps: Sequence[Ordered]
    ) -> tuple[wire.Frame, int]:
        """The answer of that host, and what it held when it was asked."""
        async with self._peers.link(host) as link:
            await self._scribe.bring_over(link)  # an order counts at its own head only
            if not link.verified:
                raise _unproved(link, str(self._belief.roster.expect(host)))
            roster = self._belief.roster
            orders = [Order.at(step, roster).record() for step in steps]
            said = {"orders": orders} if call == "orders" else {"order": orders[0]}
            return await link.ask(call, within=ORDER_SECONDS, **said), roster.number

    async def _keep_line(self, host: HostId) -> None:
        """Stay connected to a host that is about to be dismissed, if it answers."""
        await self._forget(host)
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(TELL_SECONDS):
                link = await stack.enter_async_context(self._peers.link(host, lasting=True))
            self._farewells[host] = link, stack
        except (Failure, TimeoutError) as why:
            await stack.aclose()
            self._journal.damped("no-farewell", peer=host, reason="away", words=str(why))

    async def _tell(self, host: HostId, view: View) -> None:
        """Give a dismissed host the entries up to the one that says so, and nothing later."""
        kept = self._farewells.get(host)
        if kept is None:
            raise CannotContactHost(host, why="it will learn of it when it asks a member")
        link, _ = kept
        head, log = link.greeted.head, self._belief.log
        if head is None:
            raise _unproved(link, host)
        number = _dismissed(log, host)
        entries = [one for one in log.tail(head.number) if one.envelope.number <= number]
        nonce = wire.b64(bytes(wire.NONCE_BYTES))
        try:
            lines = wire.entry_lines(tuple(entries))
            await link.ask("adopt", within=TELL_SECONDS, entries=lines, nonce=nonce)
            view.told(host, log.head_number)
        finally:
            await self._forget(host)

    async def _forget(self, host: HostId) -> None:
        kept = self._farewells.pop(host, None)
        if kept is not None:
            await kept[1].aclose()

    @contextmanager
    def _noted(self, steps: Sequence[Step], view: View) -> Iterator[None]:
        """Note what is raised of each of these steps."""
        try:
            yield
        except Unreachable as why:
            for step in steps:
                self._away(step, why, view)
        except Failure as why:
            for step in steps:
                view.refused(step, why)
        except Exception as why:  # noqa: BLE001 - a defect stops this run, and is told
            kind = steps[0].kind
            self._journal.defect("step-defect", why, step=kind)
            for step in steps:
                view.refused(step, InternalError(f"{kind} failed unexpectedly"))

    def _away(self, step: Step, why: Failure, view: View) -> None:
        """Of the hosts that it needs one did not answer: the one that is not this one."""
        hosts = step.needs() - {self._belief.me}
        if isinstance(step, Append) or not hosts:
            view.refused(step, why)
        elif isinstance(step, Probe) and step.observer != self._belief.me:
            view.gone(step.observer, why)
        else:
            for host in hosts:
                view.gone(host, why)


def _note(step: Probe, found: Seen, held: int, view: View) -> None:
    """A handshake that met what was wanted counts; another one says why it did not."""
    met = thumbprint_met(found)
    if met == step.certificate and found.host == step.subject:
        view.met(Probed(step.observer, step.subject, step.certificate, held))
    else:
        view.refused(step, _obstacle(step, found))


def _obstacle(step: Probe, found: Seen) -> Failure:
    if not found.met:
        why = f"{step.observer} can't reach it: {found.reason or 'nobody answered'}"
        return CannotContactHost(step.subject, why=why)
    return CannotVerify(
        found.reason or "another certificate was met",
        expected=f"certificate {step.certificate} of {step.subject}, seen from {step.observer}",
        met=found.met,
        remedy=found.cure or "See which identity it serves: pooltrust host status, on that host",
    )


def _unproved(link: Link, expected: str) -> CannotVerify:
    return CannotVerify(
        "it did not prove itself, and no order is given to a stranger",
        expected=expected,
        met=str(link.connection.met.thumbprint),
        remedy="Look for the reason in the log: pooltrust log show",
    )


def _dismissed(log: Log, host: HostId) -> int:
    """The number of the entry that dismissed this host; that of the last one if there is none."""
    kind, about = HostDismissed.kind.encode(), host.encode()
    for signed in reversed(log.tail(0)):
        if kind in signed.payload and about in signed.payload:
            body = signed.entry.body
            if isinstance(body, HostDismissed) and body.host == host:
                return signed.entry.number
    return log.head_number
