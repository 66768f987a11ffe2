"""Who was restored from a copy, or cloned: noticed by the starts that each host counts and signs.

The latest head of each member is remembered, across restarts, as it came: what a host signed in a
later start than its present one proves to itself that it is a copy, and nobody else could have made
it.  A host that knows that it is one signs nothing as coordinator and gives no vote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from pooltrust.errors import CannotStore, Suspended, failure
from pooltrust.host.belief import Belief
from pooltrust.host.telling import testimony
from pooltrust.host.telling.journal import Journal
from pooltrust.host.telling.testimony import Testimony
from pooltrust.pool.alerts import Copied
from pooltrust.terms import HostId
from pooltrust.trust.entries import CertificateWithdrawn, HostDismissed
from pooltrust.trust.entry import SignedEntry
from pooltrust.trust.heads import BadHead, Head, Life, SignedHead, copied
from pooltrust.trust.roster import Roster

SAVE_SECONDS = 1.0
"""Starts that come together are written down together."""
FORGOTTEN_BY_A_FULL_DISK = (HostDismissed.kind, CertificateWithdrawn.kind)
"""What counts although it could not be stored: a host that lacks only these is no copy."""


@failure(
    "HOST_RESTORED_OR_CLONED",
    cure="Stop the other copy for good, and have another member lead: on that one, "
    "xe pool-emergency-transition-to-master.  Then give this host a new key: "
    "xe host-refresh-server-certificate",
)
class IsCopy(Suspended):
    """This host was restored from a copy, or another one uses its keys, so it signs nothing as
    coordinator: {why}."""

    why: str


class Witness:
    """What this host remembers of the starts of others, and knows of its own.  `now`: UTC.

    `changed` is called when another host, or this one, seems to be a copy, or no longer does.
    """

    def __init__(
        self, belief: Belief, file: Path, journal: Journal, now: Callable[[], datetime]
    ) -> None:
        self._belief = belief
        self._file = file
        self._journal = journal
        self._now = now
        self._known: dict[HostId, Testimony] = {}
        self._copies: dict[HostId, Copied] = {}
        self._own: Copied | None = None
        self._saving: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.changed: Callable[[], None] = lambda: None
        belief.watch(self._roster_changed)

    async def open(self) -> None:
        """Remember what was written down."""
        kept = await asyncio.to_thread(testimony.read, self._file)
        roster = self._belief.roster
        if kept.pool == roster.pool:
            self._known = {host: one for host, one in kept.heads.items() if host in roster.members}
            if kept.own and roster.host_of(kept.own.certificate) == self._belief.me:
                self._own = kept.own
        if self._known.keys() != kept.heads.keys() or self._own != kept.own:
            self._save()

    async def close(self) -> None:
        """Write down what is not yet."""
        if self._saving is not None:
            self._saving.cancel()
            self._save()
        self._closed = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def own(self) -> Copied | None:
        """That this host is a copy, as long as the key with which that was noticed is accepted."""
        return self._own

    @property
    def copies(self) -> tuple[Copied, ...]:
        """The members that seem to be copies, this host included."""
        return (*((self.own,) if self.own else ()), *self._copies.values())

    def check_own(self) -> None:
        """Raise IsCopy if this host is one."""
        if (own := self.own) is not None:
            raise IsCopy(own.why)

    def heard_of(self, host: HostId) -> bool:
        """Whether this member was heard of, by this host, since it was admitted."""
        return host in self._known

    def knows(self, host: HostId, payload: bytes) -> bool:
        """Whether a head that was not verified yet seems to tell nothing new of its host's start.

        A word that is chosen anew at each start does not get into a head by chance.
        """
        known = self._known.get(host)
        return known is not None and known.head.run.encode() in payload and bool(known.head.run)

    def against(self, host: HostId, life: Life) -> SignedHead | None:
        """What this host signed and must not have signed, if it is in that life."""
        known = self._known.get(host)
        if known is None or self._belief.roster.host_of(known.head.signer) != host:
            return None
        return known.signed if copied(known.head.life, life) else None

    def note(self, signed: SignedHead, head: Head) -> None:
        """Compare a verified head with what is remembered of its host, and remember the latest."""
        known = self._known.get(head.host)
        if known is None or known.head.signer != head.signer:
            self._remember(signed, head)
        elif why := copied(known.head.life, head.life):
            self._suspect(head, why)
        elif head.start > known.head.start:
            self._remember(signed, head)

    def hear(self, signed: SignedHead) -> None:
        """Look at a head that another shows this host as its own: it may prove it to be a copy."""
        me, roster = self._belief.me, self._belief.roster
        try:
            head = signed.verify(roster, nonce=signed.head.nonce)
        except BadHead:
            return
        if head.host == me and (why := copied(head.life, self._belief.life)):
            self._accuse(why)

    def missed(self, before: Roster, new: Iterable[SignedEntry]) -> None:
        """Look at entries that this host lacked: it may have signed them itself."""
        me = self._belief.me
        own = [one for one in new if before.host_of(one.envelope.signer) == me]
        if any(one.envelope.kind not in FORGOTTEN_BY_A_FULL_DISK for one in own):
            self._accuse(f"it signed entry {own[0].envelope.number} of the trust log and lacked it")

    def _remember(self, signed: SignedHead, head: Head) -> None:
        self._known[head.host] = Testimony(signed, head)
        if self._copies.pop(head.host, None) is not None:
            self.changed()
        self._save_soon()

    def _suspect(self, head: Head, why: str) -> None:
        name = self._belief.roster.expect(head.host).name
        self._journal.damped(
            "host-copied", peer=head.host, reason="copied", words=f"{name}: {why}",
            cure="Stop the other copy; then refresh the host's identity, or eject it.",
        )  # fmt: skip
        if head.host not in self._copies:
            self._copies[head.host] = Copied(head.host, head.signer, why, self._now())
            self.changed()

    def _accuse(self, why: str) -> None:
        if self.own is not None:
            return
        certificate = self._belief.identities.pool.identity.certificate.thumbprint
        self._own = Copied(self._belief.me, certificate, why, self._now())
        self._journal.error("own-copy", words=str(IsCopy(why)))
        self._save()
        self.changed()

    def _roster_changed(self, before: Roster, after: Roster) -> None:
        if before.pool != after.pool:
            self._own = None
            self._copies.clear()
        stay = after.members.keys() if before.pool == after.pool else ()
        gone = [host for host in self._known if host not in stay]
        for host in gone:
            del self._known[host]
        if gone or before.pool != after.pool:
            self._save()  # at once: nothing is kept of a host that is no member
        over = [one for one in self._copies.values() if after.host_of(one.certificate) != one.host]
        for copy in over:
            del self._copies[copy.host]
        mine = self._own
        if mine and after.host_of(mine.certificate) != mine.host:
            self._own = None
            self._save()
        if over or self._own is not mine:
            self.changed()

    def _save_soon(self) -> None:
        if self._saving is None and not self._closed:
            self._saving = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save)

    def _save(self) -> None:
        self._saving = None
        if self._closed:
            return  # what a connection that is being closed still says is heard again
        task = asyncio.create_task(self._write(), name="remember-heads")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self) -> None:
        try:
            async with self._writing:
                kept = testimony.Kept(self._belief.roster.pool, dict(self._known), self.own)
                await asyncio.to_thread(testimony.write, self._file, kept)
        except CannotStore as why:
            words = f"a copy of a member may go unnoticed after a restart: {why}"
            self._journal.damped("heads-not-kept", peer="", reason=why.code, words=words)
