"""Changing what the pool trusts beside its members, on its coordinator.

What may be changed is decided in pool/anchors.py and pool/revocations.py, under the log or the
records as they are at that moment.  Anchors are entries of the log; revocation lists are records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType

from pooltrust.api.sessions import Caller
from pooltrust.errors import CannotContactHost
from pooltrust.host.belief import Belief
from pooltrust.host.peers.scribe import Scribe
from pooltrust.host.peers.shipping import Shipping
from pooltrust.host.place import split
from pooltrust.host.records.guarded import Guarded
from pooltrust.host.records.store import Change, Row
from pooltrust.host.telling.conversations import Tell, unheard
from pooltrust.host.telling.journal import Journal
from pooltrust.host.trusting.other_pool import OtherPool
from pooltrust.host.trusting.writing import Decide, Writing
from pooltrust.pki.certificate import Certificate
from pooltrust.pki.offered import refusals, trusted
from pooltrust.pool import anchors, revocations
from pooltrust.pool.alerts import Alert
from pooltrust.terms import Thumbprint
from pooltrust.tls.contexts import loadable
from pooltrust.trust.entries import AnchorRemoved


class Trusted:
    """The daemon's answer to the calls about trust.  `now`: UTC."""

    def __init__(
        self,
        belief: Belief,
        scribe: Scribe,
        shipping: Shipping,
        guarded: Guarded,
        journal: Journal,
        now: Callable[[], datetime],
    ) -> None:
        self._belief = belief
        self._scribe = scribe
        self._writing = Writing(belief, scribe)
        self._shipping = shipping
        self._guarded = guarded
        self._journal = journal
        self._now = now
        self._rows: Mapping[str, Row] = {}
        self._lists: Mapping[str, bytes] = MappingProxyType({})
        self.observe: Tell = unheard

    async def install_by_name(self, name: str, pem: str, caller: Caller) -> None:
        """Trust an authority for appliances and clients."""
        certificate = trusted.authority(pem, self._now())
        if not loadable(certificate.der):
            raise refusals.CaInvalid("OpenSSL can't read it")
        trusted.certificate_name(name)
        await self._write(lambda roster: anchors.install_by_name(roster, name, certificate), caller)

    async def remove_by_name(self, name: str, force: bool, caller: Caller) -> None:
        """Trust it no longer."""
        trusted.certificate_name(name)
        await self._write(lambda roster: anchors.remove_by_name(roster, name, force=force), caller)

    async def install_for(
        self, sort: str, pem: str, purposes: Sequence[str], caller: Caller
    ) -> Thumbprint:
        """Trust a certificate for these purposes."""
        certificate = self.judged(pem)
        await self._write(
            lambda roster: anchors.install_for(roster, sort, certificate, purposes), caller
        )
        return certificate.thumbprint

    def judged(self, pem: str) -> Certificate:
        """The first certificate of a text, if it may be trusted.  Raises as `trusted.trusted`."""
        certificate = trusted.trusted(pem, self._now())
        if not loadable(certificate.der):
            raise refusals.TrustedInvalid("OpenSSL can't read it")
        return certificate

    async def of_other_pool(
        self, address: str, session: str, believed: Thumbprint, ca: bool
    ) -> Mapping[str, Sequence[str]]:
        """What the pool at ``address[:port]`` trusts by purpose."""
        host, port = split(address, self._belief.roster.port, "remote_pool")
        other = OtherPool(host, port, believed, session)
        other.observe = self.observe
        return await other.trusts(ca=ca)

    async def pin_appliance(self, met: Certificate, caller: Caller) -> None:
        """Trust exactly this certificate for appliances, and no pin that was only for them before.

        Raises what `judged` does for what it says, and what the log's rules refuse.
        """
        certificate = self.judged(met.pem())
        await self._write(partial(anchors.pin_appliance, certificate=certificate), caller)
        former = partial(anchors.former_pin, certificate=certificate)
        while former(self._belief.roster) is not None:
            await self._write(former, caller)

    async def remove(self, thumbprint: Thumbprint, caller: Caller) -> None:
        """Trust this certificate no longer; one that is gone meanwhile is gone."""
        if thumbprint in self._belief.roster.anchors:
            await self._write(lambda _: AnchorRemoved(thumbprint), caller)

    async def take_back(
        self, thumbprint: Thumbprint, purposes: Collection[str], caller: Caller
    ) -> None:
        """Trust this certificate for these purposes no longer, but for whatever else it was.

        Two entries if something is left: a crash between them leaves it trusted for nothing.
        """
        known = self._belief.roster.anchors.get(thumbprint)
        await self.remove(thumbprint, caller)
        left = known and anchors.without_purposes(known, purposes)
        if left:
            await self._write(lambda now: None if thumbprint in now.anchors else left, caller)

    def lists(self) -> Mapping[str, bytes]:
        """The revocation lists (DER) by name, read once for each change of them: every connection
        with a client certificate asks."""
        rows = self._guarded.store.rows(revocations.TABLE)
        if rows is not self._rows:
            self._rows, self._lists = rows, MappingProxyType(revocations.lists(rows))
        return self._lists

    def crl_alerts(self) -> Iterator[Alert]:
        """What is to be told of them."""
        lists, pool = self.lists(), self._belief.roster.pool
        yield from revocations.outdated(lists, pool, self._now())
        yield from revocations.unusable(self._rows, lists, pool)

    async def install_list(self, name: str, pem: str, caller: Caller) -> None:
        """Refuse whom this revocation list names."""
        der = trusted.revocation_list(trusted.crl_name(name), pem)

        def decide() -> Sequence[Change]:
            revocations.check_room(self.lists(), name, der)
            return [Change(revocations.TABLE, name, revocations.row(der))]

        await self._guarded.change(decide)
        self._tell("crl-installed", caller, name=name)

    async def remove_list(self, name: str, caller: Caller) -> None:
        """Forget this revocation list."""
        trusted.crl_name(name)

        def decide() -> Sequence[Change]:
            if self._guarded.store.get(revocations.TABLE, name) is None:
                raise revocations.CrlDoesNotExist(name)
            return [Change(revocations.TABLE, name, None)]

        await self._guarded.change(decide)
        self._tell("crl-removed", caller, name=name)

    async def sync(self) -> None:
        """Bring log and records to every member.  Raises CannotContactHost for who lacks them."""
        await self._scribe.distribute()
        behind = await self._shipping.everywhere()
        members = self._belief.roster.members.keys() - {self._belief.me}
        lacking = sorted(behind | {host for host in members if self._scribe.lacks(host)})
        if lacking:
            names = ", ".join(self._belief.roster.expect(host).name for host in lacking)
            raise CannotContactHost(lacking[0], why=f"{names} can't be brought what is trusted")

    async def _write(self, decide: Decide, caller: Caller) -> None:
        await self._writing.write(decide, by=caller.user, call=caller.call)

    def _tell(self, event: str, caller: Caller, **facts: str) -> None:
        self._journal.event(event, by=caller.user, peer=caller.origin.address or "-", **facts)
